"""The spend ledger as a file of JSON Lines that processes share.

Lines are only appended, each by one write under an exclusive lock, which ends with the process that holds it. A line
that was cut short by a kill is dropped by the next writer: of a reservation, the call was not yet allowed; of a
settlement, the reservation goes on counting in full. Each process reads what others have appended.
"""

from __future__ import annotations

import json
import os
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from threading import Lock
from typing import TYPE_CHECKING, Any

from ragbed.costs.calls import CallId
from ragbed.costs.ledger import Accounts, Reservation, ReservationId, Scope, new_reservation
from ragbed.costs.money import from_usd, to_usd
from ragbed.errors import ConfigurationError, UsageError
from ragbed.state.locks import locked

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from ragbed.costs.money import MicroUsd

SCHEMA = "ragbed.spend/1"


class FileLedger:
    """A ledger that several processes share, and that is read after any of them was killed.

    Args:
        path: The file; it, its lock beside it and its folder are made where they are not there.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._threads = Lock()  # the other lock is one between processes
        self._accounts = Accounts()
        self._read = _Place()

    def reserve(self, call: CallId, scopes: Sequence[Scope], most: MicroUsd) -> Reservation:
        """Hold money for a call, on the disk before it is sent.

        Raises:
            BudgetExceeded: It would pass the cap of a scope, which the message names; nothing is held.
            ConfigurationError: The file cannot be written, or a line of it is not one of ours.
        """
        with self._locked() as file:
            self._accounts.check(scopes, most)
            reservation = new_reservation(call, scopes, most)
            self._append(file, _reserved(reservation), durable=True)
            return reservation

    def settle(self, reservation: Reservation, actual: MicroUsd) -> None:
        """Replace what is held by what the call cost; a second time changes nothing.

        Raises:
            UsageError: This ledger has not made the reservation.
            ConfigurationError: The file cannot be written, or a line of it is not one of ours.
        """
        with self._locked() as file:
            if self._accounts.may_settle(reservation.id, actual):
                # A lost settlement counts in full, a lost reservation not at all: only that one waits for the disk.
                self._append(file, _settled(reservation.id, actual), durable=False)

    def spent(self, scope: Scope) -> MicroUsd:
        """Return the sum of a scope, of all processes; raise ConfigurationError where the file is wrong."""
        with self._locked():
            return self._accounts.spent(scope)

    @contextmanager
    def _locked(self) -> Iterator[int]:
        """Yield the file, locked and read to its end."""
        folder = self._path.parent
        _make(folder)
        with self._threads, locked(folder, self._path.stem), _opened(self._path) as file:
            self._catch_up(file)
            yield file

    def _catch_up(self, file: int) -> None:
        """Apply the lines that have come since the last look; all of them where the file is another one."""
        state = os.fstat(file)
        if state.st_ino != self._read.inode or state.st_size < self._read.offset:
            self._accounts, self._read = Accounts(), _Place(inode=state.st_ino)
        content = os.pread(file, state.st_size - self._read.offset, self._read.offset)
        whole, _, torn = content.rpartition(b"\n")
        if torn:
            os.ftruncate(file, state.st_size - len(torn))
        for line in whole.splitlines():
            self._apply(line)
        self._forward(len(content) - len(torn))

    def _append(self, file: int, entry: dict[str, Any], *, durable: bool) -> None:
        line = json.dumps({"schema": SCHEMA, "at": datetime.now(UTC).isoformat(), **entry}).encode()
        try:
            written = os.write(file, line + b"\n")
            if durable:
                os.fsync(file)
        except OSError as error:
            raise _unwritable(self._path, error) from error
        if written != len(line) + 1:
            raise ConfigurationError(
                f"the disk of the spend ledger {self._path} is full", hint="free some space"
            )
        self._apply(line)
        self._forward(written)

    def _apply(self, line: bytes) -> None:
        try:
            _apply_entry(self._accounts, json.loads(line))
        except (ValueError, KeyError, TypeError, UsageError) as error:
            raise ConfigurationError(
                f"the spend ledger {self._path} has a line that is not one of ours: {line[:80]!r}",
                hint="restore the file, or move it away to count from 0",
            ) from error

    def _forward(self, size_bytes: int) -> None:
        self._read = _Place(inode=self._read.inode, offset=self._read.offset + size_bytes)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Place:
    """How far a file has been read.

    Attributes:
        inode: Which file.
        offset: Bytes that have been applied.
    """

    inode: int = 0
    offset: int = 0


def _make(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise _unwritable(folder, error) from error


@contextmanager
def _opened(path: Path) -> Iterator[int]:
    flags = os.O_RDWR | os.O_APPEND | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC
    try:
        file = os.open(path, flags, 0o600)
    except OSError as error:
        raise _unwritable(path, error) from error
    try:
        yield file
    finally:
        os.close(file)


def _unwritable(path: Path, error: OSError) -> ConfigurationError:
    return ConfigurationError(
        f"cannot write the spend ledger {path}: {error.strerror}", hint="paid calls need it: make it writable"
    )


def _reserved(reservation: Reservation) -> dict[str, Any]:
    return {
        "kind": "reserved",
        "reservation": reservation.id,
        "call": reservation.call,
        "scopes": [{"kind": scope.kind, "name": scope.name} for scope in reservation.scopes],
        "most_usd": to_usd(reservation.most),
    }


def _settled(reservation: ReservationId, actual: MicroUsd) -> dict[str, Any]:
    return {"kind": "settled", "reservation": reservation, "actual_usd": to_usd(actual)}


def _apply_entry(accounts: Accounts, entry: dict[str, Any]) -> None:
    """Apply a line of the file; raise KeyError, TypeError, ValueError or UsageError where it is not one of ours."""
    reservation = ReservationId(entry["reservation"])
    if entry["kind"] == "settled":
        actual = from_usd(entry["actual_usd"])
        if accounts.may_settle(reservation, actual):
            accounts.settle(reservation, actual)
        return
    accounts.hold(
        Reservation(
            id=reservation,
            call=CallId(entry["call"]),
            scopes=tuple(Scope(kind=scope["kind"], name=scope["name"]) for scope in entry["scopes"]),
            most=from_usd(entry["most_usd"]),
        )
    )
