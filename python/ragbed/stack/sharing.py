"""One stack for the workers of one test run: the first worker starts it, the others join, the last one stops it."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from ragbed.stack.launcher_choice import is_running
from ragbed.stack.leases import Leases
from ragbed.stack.reaping import end_all
from ragbed.stack.stack import Stack

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from ragbed.stack.building import StackBuilder
    from ragbed.stack.lease import Lease
    from ragbed.state import StateFolder

_LOCK = "sharing"
"""Held while a worker starts what is missing, and while the last one stops it: no worker joins at that moment."""


@contextmanager
def held_together(builder: StackBuilder, services: Sequence[str]) -> Iterator[Stack]:
    """Yield a stack that the workers of the builder's run share; it ends when the last of them leaves or is killed.

    Services that others run are found by each worker for itself: no worker stops them.

    Args:
        builder: What starts the services that no worker has started yet.
        services: Which services are needed.

    Raises:
        ServiceMissing: A service cannot be had.
    """
    folder = builder.folder
    with folder.locked(_LOCK):
        joined = _join(builder, services)
        rest = [service for service in services if service not in joined]
        try:
            own = builder.build(rest) if rest else None
        except BaseException:
            _leave(folder, list(joined.values()), builder)
            raise
    leases = {**joined, **(own.leases if own else {})}
    endpoints = {name: lease.endpoint for name, lease in joined.items() if lease.endpoint}
    endpoints |= own.endpoints if own else {}
    try:
        yield Stack(
            id=own.id if own else next(iter(leases.values())).stack,
            endpoints={name: endpoints[name] for name in services},
            leases=leases,
            notes=own.notes if own else (),
            llm=builder.llm_of(endpoints),
            seconds=own.seconds if own else {},
            shared=True,
        )
    finally:
        with folder.locked(_LOCK):
            _leave(folder, list(leases.values()), builder)


def _join(builder: StackBuilder, services: Sequence[str]) -> dict[str, Lease]:
    """Hold what another worker of the run has started and what runs, by service."""
    leases = Leases(builder.folder)
    with builder.folder.locked("stack"):  # no command reaps them at this moment
        return {
            lease.service: leases.hold(lease, builder.owner)
            for lease in leases.all()
            if lease.run == builder.run and lease.service in services and lease.endpoint and is_running(lease)
        }


def _leave(folder: StateFolder, leases: Sequence[Lease], builder: StackBuilder) -> None:
    """Let go of leases, and end those that no other worker holds."""
    with folder.locked("stack"):
        last = [lease for lease in leases if Leases(folder).release(lease, builder.owner)]
    end_all(folder, last)
