"""Leases: everything we start is written down first, so that the next command can end what was left.

A lease is written before its process or container starts, with a token that this carries. Its holders are the command
that started it, and those that share it: the workers of one test run. When all have gone, and the stack was not handed
over to the state folder (`ragbed up -d`), or when its time is over, the lease is stale: its launcher ends what was
started for it, and removes its data.
"""

from __future__ import annotations

import logging
import secrets
from dataclasses import replace
from typing import TYPE_CHECKING

from ragbed.errors import RagbedError
from ragbed.stack.launcher_choice import every_launcher, launcher_of
from ragbed.stack.lease import Lease, Undo
from ragbed.stack.ownership import SERVICE_VARIABLE, STACK_VARIABLE, STATE_VARIABLE, TOKEN_VARIABLE
from ragbed.state.files import is_file, is_folder, read_json, write_json

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator
    from datetime import datetime
    from pathlib import Path

    from ragbed.stack.endpoint import Endpoint
    from ragbed.stack.launchers import Running
    from ragbed.stack.processes import ProcessIdentity
    from ragbed.stack.resources import Resource
    from ragbed.state import ProjectIdentity, StateFolder

logger = logging.getLogger(__name__)


class Leases:
    """The leases of one state folder."""

    def __init__(self, folder: StateFolder) -> None:
        self._folder = folder

    def open(
        self,
        service: str,
        stack: str,
        *,
        holder: ProcessIdentity,
        data: Path,
        keep: bool,
        resource: Resource,
        run: str = "",
        expires_at: datetime | None = None,
        reuse_key: str = "",
    ) -> Lease:
        """Write down what is about to be started."""
        lease = Lease(
            token=secrets.token_hex(8),
            service=service,
            stack=stack,
            holders=(holder,),
            data=data,
            resource=resource,
            keep=keep,
            run=run,
            expires_at=expires_at,
            reuse_key=reuse_key,
        )
        self._write(lease)
        return lease

    def started(self, lease: Lease, resource: Resource) -> Lease:
        """Note what was started for a lease, and return the lease with it."""
        lease = replace(lease, resource=resource)
        self._write(lease)
        return lease

    def answers(self, lease: Lease, endpoint: Endpoint) -> Lease:
        """Note where a lease's service answers, for those that share it, and return the lease with it."""
        lease = replace(lease, endpoint=endpoint)
        self._write(lease)
        return lease

    def hold(self, lease: Lease, holder: ProcessIdentity) -> Lease:
        """Add a holder, drop those that have gone, and return the lease. Call it with the stack's lock held."""
        living = [one for one in lease.holders if one.is_alive() and one != holder]
        lease = replace(lease, holders=(*living, holder))
        self._write(lease)
        return lease

    def promise(self, lease: Lease, undo: Undo) -> Lease:
        """Note what to undo once its holder has gone, and return the lease with it."""
        lease = replace(lease, undo=(*lease.undo, undo))
        self._write(lease)
        return lease

    def _undo_what_is_due(self) -> None:
        """Undo what killed commands have left in services that go on."""
        for lease in self.all():
            due = [one for one in lease.undo if not one.holder.is_alive()]
            if not due:
                continue
            launcher_of(lease).resume(lease)
            self._write(replace(lease, undo=tuple(one for one in lease.undo if one not in due)))

    def release(self, lease: Lease, holder: ProcessIdentity) -> bool:
        """Take a holder off, and tell whether it was the last one; then the lease stays for the caller to end.

        Call it with the stack's lock held.
        """
        kept = next((one for one in self.all() if one.token == lease.token), lease)
        living = tuple(one for one in kept.holders if one.is_alive() and one != holder)
        if living:
            self._write(replace(kept, holders=living))
        return not living

    def all(self) -> Iterator[Lease]:
        """Yield every lease that was written here; other files are left alone."""
        project = self._folder.identity()
        for path in self._paths() if project else ():
            if lease := self._read(path, project):
                yield lease

    def end(self, lease: Lease, *, grace_s: float = 5.0, keep_data: bool = False) -> None:
        """End what was started for a lease, remove its data, and forget it. Doing it twice is harmless.

        Args:
            lease: The lease.
            grace_s: How long it may take to end after being asked; 0 kills it at once.
            keep_data: Leave the data, whatever the lease says.
        """
        launcher_of(lease).stop(lease, keep_data=lease.keep or keep_data, grace_s=grace_s)
        self.forget(lease)

    def stop(self, lease: Lease) -> None:
        """End what was started for a lease; its data and the lease stay."""
        launcher_of(lease).stop(lease, keep_data=True)

    def end_lost(self, token: str) -> None:
        """Kill what carries a token of a believed record whose lease was lost, and remove what is left of that."""
        for running in _running({token}):
            if not running.is_of_another(self._folder):
                running.end(False)
        if is_file(self._path(token)):
            self._path(token).unlink(missing_ok=True)

    def forget(self, lease: Lease) -> None:
        """Remove the lease; what was started for it and its data stay as they are."""
        self._path(lease.token).unlink(missing_ok=True)

    def reap(self, handed_over: Collection[str], *, stack: str = "") -> list[Lease]:
        """End what dead commands left behind, and return it. Call it with the stack's lock held.

        Args:
            handed_over: Tokens of the stack that stays up without its command.
            stack: Id of that stack. Its data stays even where a command died that was starting a service on it.
        """
        stale = [lease for lease in self.all() if lease.token not in handed_over and lease.is_stale()]
        ended = [
            lease
            for lease in stale
            if self.end_if_possible(lease, grace_s=1.0, keep_data=lease.stack == stack)
        ]
        self._undo_what_is_due()
        self._end_unreadable(handed_over)
        return ended

    def end_if_possible(self, lease: Lease, *, grace_s: float = 5.0, keep_data: bool = False) -> bool:
        """End a lease, and tell whether that was done; where it is not possible now, say so and leave it for later.

        Without its daemon, a container cannot be ended.
        """
        try:
            self.end(lease, grace_s=grace_s, keep_data=keep_data)
        except RagbedError as error:
            logger.warning(
                "ragbed: %s is not ended, the next command tries again: %s", lease.service, error.message
            )
            return False
        return True

    def _end_unreadable(self, handed_over: Collection[str]) -> None:
        """End what is ours and has a lease that cannot be read, by what it says itself; say which files are not leases.

        The files themselves prove nothing and stay as they are.
        """
        project = self._folder.identity()
        odd = [path for path in self._paths() if self._read(path, project) is None]
        if not odd:
            return
        names = {path.stem for path in odd} - set(handed_over)
        for running in _running(names):
            if running.is_of(self._folder):
                running.end(False)
        logger.warning(
            "ragbed: %d of the files in %s are not leases of this project, and are ignored (the first: %s)",
            len(odd),
            self._folder.leases,
            ascii(odd[0].name),
        )

    def _paths(self) -> list[Path]:
        folder = self._folder.leases
        return sorted(folder.glob("*.json")) if is_folder(folder) else []

    def _read(self, path: Path, project: ProjectIdentity | None) -> Lease | None:
        value = read_json(path) or {}
        try:
            if project is None or value["project"] != project.id or f"{value['token']}.json" != path.name:
                return None
            return Lease.from_json(value, self._folder.root)
        except (AttributeError, KeyError, TypeError, ValueError):
            return None

    def _path(self, token: str) -> Path:
        return self._folder.leases / f"{token}.json"

    def _write(self, lease: Lease) -> None:
        value = {"project": self._folder.project().id, **lease.to_json(self._folder.root)}
        write_json(self._path(lease.token), value)


def _running(tokens: Collection[str]) -> list[Running]:
    """Return what runs and carries one of these tokens, of whatever launcher."""
    return [one for launcher in every_launcher() for one in launcher.running() if one.token in tokens]


def environ_of(lease: Lease, folder: StateFolder) -> dict[str, str]:
    """Return the variables by which a process of a lease is known again."""
    return {
        TOKEN_VARIABLE: lease.token,
        STATE_VARIABLE: str(folder.root),
        STACK_VARIABLE: lease.stack,
        SERVICE_VARIABLE: lease.service,
    }
