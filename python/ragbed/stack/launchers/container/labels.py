"""The labels by which what was started for a lease is known again, on containers, networks and volumes."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ragbed.stack.kinds import StartOrder
    from ragbed.stack.lease import Lease

LEASE = "dev.ragbed.lease"
STATE = "dev.ragbed.state"
STACK = "dev.ragbed.stack"
SERVICE = "dev.ragbed.service"
USER = "dev.ragbed.user"
RUN = "dev.ragbed.run"
PROJECT = "dev.ragbed.project"
EXPIRES = "dev.ragbed.expires"


def labels_of(order: StartOrder, lease: Lease, run: str) -> dict[str, str]:
    """Return the labels of a container, and of its volume.

    Args:
        order: What is started.
        lease: The lease that was written for it.
        run: Id of the run; empty outside of one.
    """
    project = order.folder.identity()
    return {
        **network_labels(order),
        LEASE: lease.token,
        SERVICE: order.service,
        RUN: run,
        PROJECT: project.id if project else "",
        EXPIRES: lease.expires_at.isoformat() if lease.expires_at else "with its holders",
    }


def network_labels(order: StartOrder) -> dict[str, str]:
    """Return the labels of a stack's network."""
    return {STATE: str(order.folder.root), STACK: order.stack, USER: str(os.getuid())}


def by_label(name: str, value: str) -> dict[str, Any]:
    """Return the filter of docker-py for what carries a label."""
    return {"filters": {"label": f"{name}={value}"}}
