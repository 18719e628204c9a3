"""Containers that stay between runs: the next run with the same image, variables and mounts takes them as they are."""

from __future__ import annotations

import hashlib
import json
import logging
import time
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import ragbed
from ragbed.guard import NotThere, WrongService
from ragbed.stack.launcher_choice import is_running
from ragbed.stack.launchers.container.images import name_of
from ragbed.stack.launchers.contract import Ready
from ragbed.stack.leases import Leases

if TYPE_CHECKING:
    from collections.abc import Callable

    from ragbed.stack.kinds import ImagePlan, StartOrder
    from ragbed.stack.lease import Lease

logger = logging.getLogger(__name__)


def reused(order: StartOrder, plan: ImagePlan, start: Callable[[StartOrder], Ready]) -> Ready:
    """Return the container that an earlier run has left for such runs, else a new one that stays.

    One command at a time looks and starts: two at once get one container. No command holds its lease; it ends when its
    time is over, or by `ragbed down --all`.

    Args:
        order: What to start.
        plan: How.
        start: Starts a new one.

    Raises:
        ServiceMissing, ServiceNotReady: As from the start.
    """
    began = time.monotonic()
    key = key_of(order, plan)
    with order.folder.locked(f"reuse-{order.service}"):
        for lease in _left_for(order, key):
            if lease.endpoint and _answers(order, lease):
                return Ready(endpoint=lease.endpoint, seconds=time.monotonic() - began)
            Leases(order.folder).end(lease, grace_s=1.0)
        expires_at = datetime.now(UTC) + timedelta(seconds=order.reuse_for_s)
        ready = start(replace(order, reuse_key=key, expires_at=expires_at))
        return replace(ready, lease=None)


def key_of(order: StartOrder, plan: ImagePlan) -> str:
    """Return the hash of all that makes a container what it is: image, variables, words, mounts, ragbed's version.

    Args:
        order: What to start.
        plan: How. Its files are left out: they hold the random passwords, which stay with their container.
    """
    parts = {
        "service": order.service,
        "image": name_of(order.pins.channels.image),
        "environ": dict(plan.environ),
        "command": list(plan.command),
        "mounts": {str(folder): inside for folder, inside in plan.mounts.items()},
        "memory_mb": order.pins.limits.memory_mb,
        "password": order.password,
        "ragbed": ragbed.__version__,
    }
    return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()[:16]


def _left_for(order: StartOrder, key: str) -> list[Lease]:
    """Return leases of containers that were left with this key; those whose time is over are not."""
    leases = Leases(order.folder).all()
    return [lease for lease in leases if lease.reuse_key == key and not lease.is_stale()]


def _answers(order: StartOrder, lease: Lease) -> bool:
    if lease.endpoint is None or not is_running(lease):
        return False
    try:
        order.kind.client(lease.endpoint.url, timeout_s=2.0).pulse()
    except (NotThere, WrongService) as error:
        logger.info("a reused %s does not answer, and is started anew: %s", order.service, error)
        return False
    return True
