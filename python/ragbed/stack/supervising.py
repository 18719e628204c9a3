"""The foreground of `ragbed up`: watch the services, start again what dies, stop all at the end."""

from __future__ import annotations

import os
import select
import signal
import time
from collections import deque
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING

from ragbed.errors import RagbedError, ServiceNotReady
from ragbed.stack.full_disk import log_tail
from ragbed.stack.launcher_choice import is_running, launcher_of
from ragbed.stack.leases import Leases
from ragbed.stack.lifecycle import restart_dead
from ragbed.stack.processes import ProcessIdentity
from ragbed.stack.reaping import end_all
from ragbed.stack.record import load_record

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from ragbed.events import EventSink
    from ragbed.settings import Settings
    from ragbed.stack.record import StackRecord
    from ragbed.state import StateFolder

_RESTARTS = 3
_WITHIN_S = 60.0


def supervise(settings: Settings, folder: StateFolder, events: EventSink) -> None:
    """Watch the stack of this process until SIGINT or SIGTERM, then stop it.

    Args:
        settings: The resolved settings, for services that are started again.
        folder: The state folder; its record names this process as owner.
        events: Told of services that died and are ready again.

    Raises:
        ServiceNotReady: A service died too often; the stack has been stopped.
    """
    restarts: deque[float] = deque(maxlen=_RESTARTS)
    watched: set[str] = set()
    with stopped_at_the_end(folder), _events() as (next_event, wake):
        _watch(folder, watched, wake)
        _mend_the_dead(settings, folder, restarts, events)  # what died before we watched
        while next_event() == signal.SIGCHLD:
            _mend_the_dead(settings, folder, restarts, events)
            _watch(folder, watched, wake)


@contextmanager
def stopped_at_the_end(folder: StateFolder) -> Iterator[None]:
    """Take the stack that this process owns down on every way out; another's stays."""
    try:
        yield
    finally:
        with folder.locked("stack"):
            record = load_record(folder)
            if record and record.owner == ProcessIdentity.of(os.getpid()):
                tokens = set(record.leases.values())
                end_all(folder, [lease for lease in Leases(folder).all() if lease.token in tokens])
                folder.forget_stack()


def _watch(folder: StateFolder, watched: set[str], wake: Callable[[], None]) -> None:
    """Have each service that is not watched yet wake us when it ends."""
    record = load_record(folder)
    tokens = set(record.leases.values()) if record else set()
    for lease in Leases(folder).all():
        if lease.token in tokens - watched:
            watched.add(lease.token)
            launcher_of(lease).when_ended(lease, wake)


def _mend_the_dead(
    settings: Settings, folder: StateFolder, restarts: deque[float], events: EventSink
) -> None:
    # Another command may be starting it again at this moment: the record is read only once that is over.
    with folder.locked("stack"):
        _mend(settings, folder, restarts, events)


def _mend(settings: Settings, folder: StateFolder, restarts: deque[float], events: EventSink) -> None:
    record = load_record(folder)
    if record is None:
        return
    leases = {lease.token: lease for lease in Leases(folder).all()}
    dead = [
        name for name, token in record.leases.items() if token in leases and not is_running(leases[token])
    ]
    if not dead:
        return
    for service in dead:
        events.emit("service.died", service)
    now = time.monotonic()
    if len(restarts) == _RESTARTS and now - restarts[0] < _WITHIN_S:
        raise ServiceNotReady(
            f"{', '.join(dead)} died for the {_RESTARTS + 1}th time within {_WITHIN_S:g} s",
            details=_last_words(folder, record, dead[0]),
            hint=f"ragbed logs {dead[0]}",
        )
    restarts.append(now)
    try:
        restart_dead(record, settings, folder, events=events)
    except RagbedError as error:
        raise ServiceNotReady(
            f"{dead[0]} died and cannot be started again: {error.message}",
            details=error.details,
            hint=error.hint,
        ) from error


def _last_words(folder: StateFolder, record: StackRecord, service: str) -> list[str]:
    return log_tail(folder.log(record.stack, service))


@contextmanager
def _events() -> Iterator[tuple[Callable[[], signal.Signals], Callable[[], None]]]:
    """Yield a function that waits for SIGINT, SIGTERM or SIGCHLD and returns which came, and one that acts as SIGCHLD.

    Handlers do nothing but be there: the wake-up descriptor tells which signal it was, so nothing is polled.
    """
    reader, writer = os.pipe()
    os.set_blocking(writer, False)
    watched = (signal.SIGINT, signal.SIGTERM, signal.SIGCHLD)
    before = {number: signal.signal(number, lambda *_: None) for number in watched}
    descriptor = signal.set_wakeup_fd(writer)

    def next_event() -> signal.Signals:
        select.select([reader], [], [])
        return signal.Signals(os.read(reader, 1)[0])

    try:
        yield next_event, lambda: _wake(writer)
    finally:
        signal.set_wakeup_fd(descriptor)
        for number, handler in before.items():
            signal.signal(number, handler)
        os.close(reader)
        os.close(writer)


def _wake(writer: int) -> None:
    with suppress(OSError):  # the stack was taken down meanwhile
        os.write(writer, bytes([signal.SIGCHLD]))
