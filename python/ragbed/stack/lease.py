"""A lease: what was started for one service, who holds it, and when that ends."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Literal

from ragbed.stack.endpoint import Endpoint
from ragbed.stack.ownership import is_token
from ragbed.stack.processes import ProcessIdentity
from ragbed.stack.registry import is_known
from ragbed.stack.resources import Resource, resource_from_json
from ragbed.stack.stack_id import stack_id
from ragbed.state import StateFolder

if TYPE_CHECKING:
    from pathlib import Path


@dataclass(frozen=True, slots=True, kw_only=True)
class Undo:
    """What is undone once a command has gone: an injected fault outlives no killed run.

    Attributes:
        kind: `resume` lets a process run on that was stopped.
        holder: The command that undoes it itself as long as it lives.
    """

    kind: Literal["resume"]
    holder: ProcessIdentity

    def to_json(self) -> dict[str, Any]:
        """Return the fields as JSON values."""
        return {"kind": self.kind, "holder": self.holder.to_json()}

    @classmethod
    def from_json(cls, value: dict[str, Any]) -> Undo:
        """Return what `to_json` described.

        Raises:
            KeyError, TypeError, ValueError: It describes none.
        """
        holder = ProcessIdentity.from_json(value["holder"])
        if holder is None or value["kind"] != "resume":
            raise ValueError(f"{value['kind']!r} is not an undo with a holder")
        return cls(kind="resume", holder=holder)


@dataclass(frozen=True, slots=True, kw_only=True)
class Lease:
    """One process or container that we started, or are about to.

    Attributes:
        token: Unique; the process carries it in its environment, the container as a label.
        service: What it runs.
        stack: Id of the stack it belongs to.
        holders: The command that started it, and those that share it.
        resource: What was started for it.
        data: Its data folder.
        keep: Whether the data outlives it.
        expires_at: UTC, when it becomes stale, even while it is held; None for never.
        run: The test run whose workers share it; empty for none.
        endpoint: Where it answers; None until it does, and where it is not shared.
        reuse_key: Of a container that stays for later runs, whoever holds it; empty for all others.
        undo: What to undo for commands that change how it runs, and are killed.
    """

    token: str
    service: str
    stack: str
    holders: tuple[ProcessIdentity, ...]
    resource: Resource
    data: Path
    keep: bool
    expires_at: datetime | None = None
    run: str = ""
    endpoint: Endpoint | None = None
    reuse_key: str = ""
    undo: tuple[Undo, ...] = ()

    @property
    def folder(self) -> StateFolder:
        """The state folder that holds it."""
        return StateFolder(self.data.parents[1 if self.keep else 2])

    def to_json(self, root: Path) -> dict[str, Any]:
        """Return the fields as JSON values, its data as a path from the state folder on, which may be moved."""
        return {
            "token": self.token,
            "service": self.service,
            "stack": self.stack,
            "holders": [holder.to_json() for holder in self.holders],
            "resource": self.resource.to_json(),
            "data": str(self.data.relative_to(root)),
            "keep": self.keep,
            "expires_at": self.expires_at.isoformat() if self.expires_at else None,
            "run": self.run,
            "endpoint": self.endpoint.to_json() if self.endpoint else None,
            "reuse_key": self.reuse_key,
            "undo": [one.to_json() for one in self.undo],
        }

    @classmethod
    def from_json(cls, value: dict[str, Any], root: Path) -> Lease:
        """Return the lease that `to_json` described.

        Raises:
            AttributeError, KeyError, TypeError, ValueError: It describes none.
        """
        holders = tuple(filter(None, map(ProcessIdentity.from_json, value["holders"])))
        service, stack, keep, run = value["service"], value["stack"], value["keep"], value["run"]
        if not holders or not is_token(value["token"]) or not is_known(service):
            raise ValueError(f"the lease of {service!r} has no token or no holder")
        reuse_key = value["reuse_key"]
        if type(keep) is not bool or not isinstance(run, str) or not isinstance(reuse_key, str):
            raise TypeError("a field is of another type")
        folder = StateFolder(root)
        data = (folder.kept if keep else folder.data / stack_id(stack)) / service
        if str(data.relative_to(root)) != value["data"]:
            raise ValueError(f"{value['data']!r} is not where a lease has its data")
        return cls(
            token=value["token"],
            service=service,
            stack=stack_id(stack),
            holders=holders,
            resource=resource_from_json(value["resource"]),
            data=data,
            keep=keep,
            expires_at=_utc(value["expires_at"]),
            run=run,
            endpoint=Endpoint.from_json(value["endpoint"]) if value["endpoint"] else None,
            reuse_key=reuse_key,
            undo=tuple(map(Undo.from_json, value["undo"])),
        )

    def is_stale(self) -> bool:
        """Tell whether no command answers for it any more: all its holders have gone, or its time is over."""
        if self.expires_at and datetime.now(UTC) >= self.expires_at:
            return True
        if self.reuse_key:
            return self.expires_at is None  # without an end it would stay for ever
        return not any(holder.is_alive() for holder in self.holders)


def _utc(text: str | None) -> datetime | None:
    """Return a time with its zone, or None.

    Raises:
        TypeError, ValueError: It is not one.
    """
    moment = datetime.fromisoformat(text) if text is not None else None
    if moment and moment.tzinfo is None:
        raise ValueError(f"{text!r} has no time zone")
    return moment
