"""Leases: every process we start is written down first, so that whoever comes next can end what was left.

A lease is written before its process starts, with a token that the process carries in its environment. Its owner
is the command that started it. When the owner has gone, and the stack was not handed over to the state folder
(`ragbed up -d`), the lease is stale: the process is ended and its data removed.
"""

from __future__ import annotations

import contextlib
import secrets
import shutil
import signal
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ragbed.stack.json_files import read_json, write_json
from ragbed.stack.processes import ProcessIdentity, end_marked, find_inside, find_marked, stop
from ragbed.stack.services.unprivileged import outside_folder

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

    from ragbed.stack.state import StateFolder

TOKEN_VARIABLE = "RAGBED_LEASE"  # noqa: S105 - the name of a variable


@dataclass(frozen=True, slots=True, kw_only=True)
class Lease:
    """One process that we started, or are about to.

    Attributes:
        token: Unique; the process carries it in its environment.
        service: What it runs.
        stack: Id of the stack it belongs to.
        owner: The command that started it.
        process: The process; None between writing the lease and starting it.
        data: Its data folder.
        outside: Where its data goes instead when it has to run as another user; None where that cannot be.
        keep: Whether the data outlives the process.
        stop_signal: What asks it to end.
    """

    token: str
    service: str
    stack: str
    owner: ProcessIdentity
    process: ProcessIdentity | None = None
    data: Path
    outside: Path | None = None
    keep: bool
    stop_signal: signal.Signals = signal.SIGTERM

    def to_json(self) -> dict[str, Any]:
        """Return the fields as JSON values."""
        return {
            "token": self.token,
            "service": self.service,
            "stack": self.stack,
            "owner": self.owner.to_json(),
            "process": self.process.to_json() if self.process else None,
            "data": str(self.data),
            "outside": str(self.outside) if self.outside else None,
            "keep": self.keep,
            "stop_signal": int(self.stop_signal),
        }

    @classmethod
    def from_json(cls, value: dict[str, Any]) -> Lease:
        """Return the lease that `to_json` described."""
        return cls(
            token=value["token"],
            service=value["service"],
            stack=value["stack"],
            owner=ProcessIdentity(**value["owner"]),
            process=ProcessIdentity.from_json(value["process"]),
            data=Path(value["data"]),
            outside=Path(value["outside"]) if value.get("outside") else None,
            keep=value["keep"],
            stop_signal=signal.Signals(value["stop_signal"]),
        )

    def is_running(self) -> bool:
        """Tell whether the process runs."""
        return self.process is not None and self.process.is_alive()


class Leases:
    """The leases of one state folder."""

    def __init__(self, folder: StateFolder) -> None:
        self._folder = folder.leases

    def open(
        self,
        service: str,
        stack: str,
        *,
        owner: ProcessIdentity,
        data: Path,
        keep: bool,
        stop_signal: signal.Signals,
    ) -> Lease:
        """Write down a process before it starts."""
        lease = Lease(
            token=secrets.token_hex(8),
            service=service,
            stack=stack,
            owner=owner,
            data=data,
            outside=outside_folder(data),
            keep=keep,
            stop_signal=stop_signal,
        )
        self._write(lease)
        return lease

    def started(self, lease: Lease, pid: int) -> Lease:
        """Note the process of a lease, and return the lease with it."""
        lease = replace(lease, process=ProcessIdentity.of(pid))
        self._write(lease)
        return lease

    def all(self) -> Iterator[Lease]:
        """Yield every lease; files that hold none are left to `reap`."""
        for path in sorted(self._folder.glob("*.json")):
            if lease := self._read(path):
                yield lease

    def end(
        self, lease: Lease, *, gentle: bool = True, timeout_s: float = 5.0, keep_data: bool = False
    ) -> None:
        """End the process of a lease, remove its data, and forget it. Doing it twice is harmless.

        Args:
            lease: The lease.
            gentle: Ask first; else kill at once.
            timeout_s: How long it may take after being asked.
            keep_data: Leave the data, whatever the lease says.
        """
        self.stop(lease, gentle=gentle, timeout_s=timeout_s)
        if not (lease.keep or keep_data):
            shutil.rmtree(lease.data, ignore_errors=True)
            if lease.outside:
                shutil.rmtree(lease.outside, ignore_errors=True)
            with contextlib.suppress(OSError):
                lease.data.parent.rmdir()  # the stack's own folder, once it is empty
        self.forget(lease)

    def stop(self, lease: Lease, *, gentle: bool = True, timeout_s: float = 5.0) -> None:
        """End the process of a lease and what it left running in its data folder; the lease stays."""
        asked = lease.stop_signal if gentle else signal.SIGKILL
        if lease.process is None:
            processes = find_marked(lease.token)
        elif lease.process.is_alive():
            processes = [lease.process]
        else:
            folders = [folder for folder in (lease.data, lease.outside) if folder]
            inside = [one for folder in folders for one in find_inside(folder)]
            processes = [*inside, *find_marked(lease.token)]  # workers of a server that was killed
        for process in processes:
            stop(process, gentle=asked, timeout_s=timeout_s)

    def forget(self, lease: Lease) -> None:
        """Remove the lease; its process and data stay as they are."""
        self._path(lease).unlink(missing_ok=True)

    def reap(self, handed_over: Collection[str], *, stack: str = "") -> list[Lease]:
        """End what dead commands left behind, and return it. Call it with the stack's lock held.

        Args:
            handed_over: Tokens of the stack that stays up without its command.
            stack: Id of that stack. Its data stays even where a command died that was starting a service on it.
        """
        self._end_unreadable()
        stale = [
            lease for lease in self.all() if lease.token not in handed_over and not lease.owner.is_alive()
        ]
        for lease in stale:
            self.end(lease, timeout_s=1.0, keep_data=lease.stack == stack)
        return stale

    def _end_unreadable(self) -> None:
        """End the processes of files that hold no lease: such a file's name is the token that they carry."""
        for path in self._folder.glob("*.json"):
            if self._read(path) is None and path.exists():
                end_marked(path.stem)
                path.unlink(missing_ok=True)

    def _read(self, path: Path) -> Lease | None:
        try:
            return Lease.from_json(read_json(path) or {})
        except (AttributeError, KeyError, TypeError, ValueError):
            return None

    def _path(self, lease: Lease) -> Path:
        return self._folder / f"{lease.token}.json"

    def _write(self, lease: Lease) -> None:
        write_json(self._path(lease), lease.to_json())
