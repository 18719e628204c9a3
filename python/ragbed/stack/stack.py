"""A stack that is up, and what is told of its services."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from ragbed.stack.addresses import address_variables
from ragbed.stack.launcher_choice import launcher_named
from ragbed.stack.record import StackRecord

if TYPE_CHECKING:
    from ragbed.events import EventSink
    from ragbed.stack.endpoint import Endpoint
    from ragbed.stack.lease import Lease
    from ragbed.stack.processes import ProcessIdentity


def emit_ready(events: EventSink, endpoint: Endpoint, seconds: float) -> None:
    """Tell that a service is ready, where it answers, and after how long."""
    events.emit("service.ready", endpoint.service, seconds=seconds, **endpoint.to_shown_json())


@dataclass(frozen=True, slots=True, kw_only=True)
class Stack:
    """A stack that is up.

    Attributes:
        id: Its id.
        endpoints: Where its services answer, by service.
        leases: What was started for it, by service.
        notes: What was passed over, a sentence each.
        llm: Why this LLM, in words.
        seconds: Until ready, by service that was started or found now.
        shared: True for the stack of `ragbed up`, which outlives us.
    """

    id: str
    endpoints: dict[str, Endpoint]
    leases: dict[str, Lease] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    llm: str = ""
    seconds: dict[str, float] = field(default_factory=dict)
    shared: bool = False

    def __getitem__(self, service: str) -> Endpoint:
        """Return where one service answers."""
        return self.endpoints[service]

    @property
    def environ(self) -> dict[str, str]:
        """Return what `ragbed env` prints: the variables that lead an application here."""
        return address_variables(self.endpoints)

    @property
    def outlives_us(self) -> bool:
        """Tell whether something of it runs on after us, so that what we write there has to be removed."""
        return self.shared or any(name not in self.leases for name in self.endpoints)

    def ended(self) -> dict[str, str]:
        """Return how services that we started have ended by themselves, in words, by name."""
        by_launcher: dict[str, dict[str, Lease]] = defaultdict(dict)
        for service, lease in self.leases.items():
            by_launcher[lease.resource.kind][service] = lease
        ended: dict[str, str] = {}
        for name, leases in by_launcher.items():
            ended |= launcher_named(name).endings(leases)
        return ended

    def record(self, *, owner: ProcessIdentity | None, keep: bool) -> StackRecord:
        """Return what is written down of this stack; no owner hands it over to the state folder."""
        return StackRecord(
            stack=self.id,
            owner=owner,
            keep=keep,
            endpoints=self.endpoints,
            leases={name: lease.token for name, lease in self.leases.items()},
            notes=self.notes,
            llm=self.llm,
        )
