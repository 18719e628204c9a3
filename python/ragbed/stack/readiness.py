"""Waiting until a service that was started does its work: the same for every launcher, asked from outside."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, NoReturn

from ragbed.errors import ServiceNotReady
from ragbed.guard import Identity, NotThere, Probe, WrongService
from ragbed.stack.full_disk import full_disk_hint

if TYPE_CHECKING:
    from collections.abc import Callable

    from ragbed.stack.launchers import StartOrder

_TAKEN = ("address already in use", "could not bind", "cannot listen on", "bind: address")
_ENDS_WITHIN_S = 0.5
"""Connections break a moment before what served them has ended."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Watch:
    """How what was started is watched.

    Attributes:
        wait: Waits up to so many seconds for a sign of life, or of its end.
        ended: Returns how it ended within so many seconds, in words; empty where it goes on.
        tail: Returns the last lines that it wrote.
    """

    wait: Callable[[float], None]
    ended: Callable[[float], str]
    tail: Callable[[], list[str]]


class PortTaken(Exception):
    """Another program took the port between our choice and the service's start."""

    def __init__(self, reason: ServiceNotReady) -> None:
        super().__init__(str(reason))
        self.reason = reason


def proven_ready(
    order: StartOrder, store: Probe, watch: Watch, prove: Callable[[], None] | None = None
) -> Identity:
    """Return who answers, once the service does its real work and carries ragbed's marker for this project.

    Args:
        order: What is started.
        store: Its light client.
        watch: How it is watched.
        prove: Returns when it does its real work, where answering does not show that; None where it does.

    Raises:
        ServiceNotReady: It ended, was not ready in time, or cannot do its work; carries the end of its log.
        PortTaken: Its log says that something else listens on its port.
    """
    identity = wait_ready(order, store, watch)
    if prove:
        _prove(order, watch, prove)
    _mark(order, store, watch)
    return identity


def wait_ready(order: StartOrder, store: Probe, watch: Watch) -> Identity:
    """Return who answers, once the service does its work; asked again at every sign of life.

    Args:
        order: What is started.
        store: Its light client.
        watch: How it is watched.

    Raises:
        ServiceNotReady, PortTaken: As from `proven_ready`.
    """
    deadline = time.monotonic() + order.timeout_s
    last = "it has not listened yet"
    while True:
        try:
            store.pulse()
            return store.identify()
        except (NotThere, WrongService) as error:
            last = str(error)
        if how := watch.ended(0.0):
            _fail(order, watch, f"{order.service} ended at its start ({how})")
        remaining = deadline - time.monotonic()
        if remaining <= 0:
            _fail(
                order,
                watch,
                f"{order.service} was not ready after {order.timeout_s:g} s (last: {last})",
                hint="set RAGBED_STACK__READY_TIMEOUT_S to allow more",
            )
        watch.wait(remaining)


def _prove(order: StartOrder, watch: Watch, prove: Callable[[], None]) -> None:
    try:
        prove()
    except (NotThere, WrongService) as error:
        how = watch.ended(_ENDS_WITHIN_S)
        and_ended = f" and ended ({how})" if how else ""
        _fail(order, watch, f"{order.service} answered{and_ended}, and cannot do its work: {error}")


def _mark(order: StartOrder, store: Probe, watch: Watch) -> None:
    """Write ragbed's marker for this project: the first write, and so the first to meet a disk that is full."""
    project = order.folder.identity()
    try:
        if project and order.kind.has_marker:
            store.let_in(project)
    except (NotThere, WrongService) as error:
        how = watch.ended(_ENDS_WITHIN_S)
        ended = f"ended ({how})" if how else "did not"
        _fail(order, watch, f"{order.service} answered, and at the first write {ended}: {error}")


def _fail(order: StartOrder, watch: Watch, message: str, *, hint: str = "") -> NoReturn:
    lines = watch.tail()
    hint = full_disk_hint(order.folder, lines) or hint or f"read the log, {order.log}"
    error = ServiceNotReady(message, details=[*lines, f"log: {order.log}"], hint=hint)
    if any(taken in line.lower() for line in lines for taken in _TAKEN):
        raise PortTaken(error)
    raise error
