"""End processes, and what dead commands left behind."""

from __future__ import annotations

import contextlib
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

from ragbed.stack.launcher_choice import every_launcher
from ragbed.stack.leases import Leases
from ragbed.stack.record import StackRecord, load_record
from ragbed.stack.registry import every_kind
from ragbed.stack.stack_id import is_stack_id
from ragbed.state.files import is_folder
from ragbed.state.unfinished import forget_unfinished

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from ragbed.stack.lease import Lease
    from ragbed.state import StateFolder

_LOGS_KEPT = 8


def running_record(folder: StateFolder) -> StackRecord | None:
    """Reap what dead commands left, and return the stack of `ragbed up`; None when there is none.

    A command that starts or ends the stack at this moment is not waited for: then nothing is reaped.

    Raises:
        ConfigurationError: The state folder belongs to another user.
    """
    if not (folder.exists() and folder.is_believed_or_said()):
        return None
    with folder.locked_if_free("stack") as held:
        if held:
            return reaped(folder)
        record = load_record(folder)
        return record if record and record.is_kept_up() else None


def reaped(folder: StateFolder) -> StackRecord | None:
    """Reap what dead commands left, and return the stack of `ragbed up`. Call it with the stack's lock held.

    Without the lock, a stack that is handed over at this moment would be taken for a dead command's: its record is
    not read yet, and the command that wrote it has gone.
    """
    record = load_record(folder)
    if record and not record.is_kept_up():
        record = None
    if record is None:
        folder.forget_stack()
    tokens = frozenset(record.leases.values()) if record else frozenset[str]()
    leases = Leases(folder)
    leases.reap(tokens, stack=record.stack if record else "")
    for stray in set(_stacks(folder.data)) - {lease.stack for lease in leases.all()}:
        if record is None or stray != record.stack:
            _remove_stray(folder, stray)
    for kind in every_kind():
        if kind.forget_unfinished:
            kind.forget_unfinished(folder)
    for parent in (folder.root, folder.leases):
        forget_unfinished(parent)
    return record


def _remove_stray(folder: StateFolder, stack: str) -> None:
    """Remove the data of a stack that no lease is of, and what lies elsewhere of it."""
    for launcher in every_launcher():
        for kind in every_kind():
            launcher.forget_data(folder.data / stack / kind.name)
    folder.remove(folder.data / stack)


def _stacks(parent: Path) -> list[str]:
    """Return the stacks that have a folder here. Read before the leases: each of those is written before its data."""
    return [path.name for path in parent.iterdir() if is_stack_id(path.name)] if is_folder(parent) else []


def end_all(folder: StateFolder, leases: Sequence[Lease], *, keep_data: bool = False) -> None:
    """End several leases at once; what cannot be ended now is said, and left for the next command."""
    at_once(lambda lease: Leases(folder).end_if_possible(lease, keep_data=keep_data), leases)


def at_once(act: Callable[[Lease], object], leases: Sequence[Lease]) -> None:
    """Do something to several leases at once, and return when all are done."""
    with ThreadPoolExecutor(max_workers=max(1, len(leases))) as pool:
        list(pool.map(act, leases))


def forget_old_logs(folder: StateFolder) -> None:
    """Remove the logs of stacks that ended, except the last few."""
    in_use = {lease.stack for lease in Leases(folder).all()}

    def age(path: Path) -> float:
        with contextlib.suppress(OSError):
            return -path.stat().st_mtime
        return 0.0

    ended = [folder.logs / name for name in _stacks(folder.logs) if name not in in_use]
    for path in sorted(ended, key=age)[_LOGS_KEPT:]:
        folder.remove(path)
