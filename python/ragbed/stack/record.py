"""The record of the stack that `ragbed up` started: how other shells, editors and CI steps find it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ragbed.stack.endpoint import Endpoint
from ragbed.stack.ownership import is_token
from ragbed.stack.processes import ProcessIdentity
from ragbed.stack.registry import is_known
from ragbed.stack.stack_id import stack_id
from ragbed.state.files import read_json, write_json

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ragbed.state import StateFolder

SCHEMA = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class StackRecord:
    """A stack that is up.

    Attributes:
        stack: Its id.
        owner: The foreground command that keeps it; None when it was handed over to the state folder.
        keep: Whether its data survives `ragbed down`.
        endpoints: Where its services answer, by service.
        leases: Tokens of the processes it started, by service.
        notes: What was passed over, a sentence each.
        llm: Why this LLM, in words.
    """

    stack: str
    owner: ProcessIdentity | None
    keep: bool
    endpoints: Mapping[str, Endpoint]
    leases: Mapping[str, str]
    notes: tuple[str, ...] = ()
    llm: str = ""

    def to_json(self) -> dict[str, Any]:
        """Return the fields as JSON values."""
        return {
            "schema": SCHEMA,
            "stack": self.stack,
            "owner": self.owner.to_json() if self.owner else None,
            "keep": self.keep,
            "endpoints": [endpoint.to_json() for endpoint in self.endpoints.values()],
            "leases": dict(self.leases),
            "notes": list(self.notes),
            "llm": self.llm,
        }

    def save(self, folder: StateFolder) -> None:
        """Write the record."""
        write_json(folder.stack_file, {"project": folder.project().id, **self.to_json()})

    def is_kept_up(self) -> bool:
        """Tell whether a process answers for the stack: its command runs, or it was handed over."""
        return self.owner is None or self.owner.is_alive()


def load_record(folder: StateFolder) -> StackRecord | None:
    """Return the record of the stack that is up; None when there is none, or its file was not written here by us."""
    value = read_json(folder.stack_file)
    project = folder.identity() if value else None
    if not value or not project or value.get("schema") != SCHEMA or value.get("project") != project.id:
        return None
    try:
        return _from_json(value)
    except (AttributeError, KeyError, TypeError, ValueError, OverflowError):
        return None


def _from_json(value: dict[str, Any]) -> StackRecord:
    endpoints = [Endpoint.from_json(entry) for entry in value["endpoints"]]
    leases, notes, llm, keep = dict(value["leases"]), tuple(value["notes"]), value["llm"], value["keep"]
    if not all(is_known(service) and is_token(token) for service, token in leases.items()):
        raise ValueError("its leases are not tokens by service")
    if not all(isinstance(text, str) for text in (*notes, llm)) or type(keep) is not bool:
        raise TypeError("a field is of another type")
    return StackRecord(
        stack=stack_id(value["stack"]),
        owner=ProcessIdentity.from_json(value["owner"]),
        keep=keep,
        endpoints={endpoint.service: endpoint for endpoint in endpoints},
        leases=leases,
        notes=notes,
        llm=llm,
    )
