"""Bring services up by whatever way each can be had, all in parallel."""

from __future__ import annotations

import os
import secrets
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from ragbed.errors import GuardRefused, ServiceMissing
from ragbed.events import SILENT
from ragbed.pins import with_tag
from ragbed.settings import definitions as known
from ragbed.stack.addresses import address_variables
from ragbed.stack.attaching import attach_given
from ragbed.stack.discovery import discover
from ragbed.stack.endpoint import SERVICES, Endpoint
from ragbed.stack.external_services import load_announcements
from ragbed.stack.kinds import Wanted
from ragbed.stack.launcher_choice import launcher_for
from ragbed.stack.launchers import Ready, StartOrder
from ragbed.stack.leases import Leases
from ragbed.stack.processes import ProcessIdentity, endings
from ragbed.stack.provider import served_llm
from ragbed.stack.reaping import end_all
from ragbed.stack.record import StackRecord
from ragbed.stack.registry import kind_of
from ragbed.stack.section import STACK_DEFAULT_PORTS, STACK_KIND, STACK_READY_TIMEOUT_S
from ragbed.stack.skipped import Skipped

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from concurrent.futures import Future

    from ragbed.events import EventSink
    from ragbed.pins import StackPins
    from ragbed.settings import Settings
    from ragbed.settings.llm import Caller
    from ragbed.stack.lease import Lease
    from ragbed.stack.services import Starter
    from ragbed.state import StateFolder


def emit_ready(events: EventSink, endpoint: Endpoint, seconds: float) -> None:
    """Tell that a service is ready, where it answers, and after how long."""
    events.emit("service.ready", endpoint.service, seconds=seconds, **endpoint.to_shown_json())


@dataclass(frozen=True, slots=True, kw_only=True)
class Stack:
    """A stack that is up.

    Attributes:
        id: Its id.
        endpoints: Where its services answer, by service.
        leases: The processes that were started for it, by service.
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
        return self.shared or any(one.launcher == "attach" for one in self.endpoints.values())

    def ended(self) -> dict[str, str]:
        """Return how services that we started have ended by themselves, in words, by name."""
        processes = {
            name: lease.resource.process for name, lease in self.leases.items() if lease.resource.process
        }
        return endings(processes)

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


class StackBuilder:
    """Resolves each service of one stack: given by URL, found on its default port, or started.

    Args:
        settings: The resolved settings.
        folder: The state folder, prepared.
        pins: What is accepted and started.
        caller: Tests follow the tier; commands look for a live Ollama.
        keep: Whether the data of started services outlives them.
        may_start: False only finds what runs.
        events: Told of services that start and are ready, and of what takes long.
        run: The test run whose workers share what is started; empty for none.
    """

    def __init__(
        self,
        settings: Settings,
        folder: StateFolder,
        pins: StackPins,
        *,
        caller: Caller,
        keep: bool,
        may_start: bool = True,
        events: EventSink = SILENT,
        run: str = "",
    ) -> None:
        self.run = run
        self.settings = settings
        self.folder = folder
        self.pins = pins
        self.keep = keep
        self.may_start = may_start
        self.events = events
        self.llm = served_llm(settings, caller=caller)
        self.models = (with_tag(settings[known.EMBEDDING_MODEL]), with_tag(settings[known.LLM_MODEL]))
        self.wanted = Wanted(
            settings=settings, llm=self.llm, models=self.models, folder=folder, events=events
        )
        self.project = folder.identity()
        self.announced = load_announcements(folder)
        self.owner = ProcessIdentity.of(os.getpid())

    def build(self, services: Sequence[str] = SERVICES) -> Stack:
        """Bring the services up, all at once; a failure of one ends what was started for the others.

        Raises:
            ServiceMissing: A service cannot be had; the first one in the order of `SERVICES`.
            GuardRefused: A given store's marker does not let this project in; told before what is missing.
        """
        stack = f"{secrets.token_hex(4)}"
        pool = ThreadPoolExecutor(max_workers=len(services))
        try:
            with pool:
                tasks = {name: pool.submit(self.resolve, name, stack) for name in services}
            _raise_refusal(tasks.values())
            results = {name: task.result() for name, task in tasks.items()}
        except BaseException:  # Ctrl-C too: what was started for the others ends here
            self._end_all_of(stack)  # so that no thread waits for it any longer
            pool.shutdown()
            self._end_all_of(stack)  # what a thread was about to start
            raise
        return Stack(
            id=stack,
            endpoints={name: result.endpoint for name, result in results.items()},
            leases={name: result.lease for name, result in results.items() if result.lease},
            notes=tuple(note for result in results.values() for note in result.notes),
            llm=self.describe_llm(results["ollama"].endpoint) if "ollama" in results else "",
            seconds={name: result.seconds for name, result in results.items()},
        )

    def _end_all_of(self, stack: str) -> None:
        end_all(self.folder, [lease for lease in Leases(self.folder).all() if lease.stack == stack])

    def start(self, service: str, stack: str, *, port: int = 0) -> Ready:
        """Start one service by the launcher that the settings choose; a port makes it an earlier start's successor.

        Raises:
            ServiceMissing: The launcher can start nothing here, or not this service.
        """
        pins, kind = self.pins[service], kind_of(service)
        launcher = launcher_for(self.settings)
        if reason := launcher.unavailable():
            raise ServiceMissing(
                f"the launcher {launcher.name} cannot start {service}: {reason}",
                hint=f"set {kind.variable}, or RAGBED_STACK__KIND=embedded for processes",
            )
        return launcher.start(
            StartOrder(
                kind=kind,
                starter=self.starter(service),
                pins=pins,
                folder=self.folder,
                stack=stack,
                holder=self.owner,
                run=self.run,
                data=(self.folder.kept if self.keep else self.folder.data / stack) / service,
                keep=self.keep,
                port=port,
                timeout_s=self.settings[STACK_READY_TIMEOUT_S] or pins.ready_timeout_s,
                password=self.settings[kind.password] if kind.password else "",
            )
        )

    def resolve(self, service: str, stack: str) -> Ready:
        """Return one service by the first way it can be had: given, found, started.

        Raises:
            ServiceMissing: It cannot be had.
        """
        found = self.given(service) or self.discover(service)
        if isinstance(found, Endpoint):
            ready = Ready(endpoint=found)
        else:
            notes = [found.note] if found.note else []
            for line in notes:
                self.events.emit("service.skipped", service, line=line)
            self._require_start_allowed(service, notes)
            self.events.emit("service.starting", service)
            started = self.start(service, stack)
            ready = replace(started, notes=(*notes, *started.notes))
        emit_ready(self.events, ready.endpoint, ready.seconds)
        return ready

    def _require_start_allowed(self, service: str, notes: Sequence[str]) -> None:
        variable = kind_of(service).variable
        if not self.may_start:
            raise ServiceMissing(
                f"no {service} is up", details=notes, hint=f"ragbed up -d, or set {variable}"
            )
        if self.settings[STACK_KIND] == "attached":
            raise ServiceMissing(
                f"no {service} is given, and tier {self.settings.tier.name} starts none",
                details=notes,
                hint=f"set {variable}",
            )

    def given(self, service: str) -> Endpoint | None:
        """Return the service that was named by URL, proven to be usable; None where none was.

        Raises:
            RagbedError: It cannot be used as it is.
        """
        setting = kind_of(service).address(self.llm)
        url = self.settings[setting]
        if not url or url.startswith("memory:"):
            return None
        return attach_given(
            service,
            url,
            named=self.settings.source(setting).short,
            pins=self.pins[service],
            settings=self.settings,
            project=self.project,
            models=self.models_of(service),
            announced=self.announced.get(service),
        )

    def may_discover(self, service: str) -> bool:
        """Tell whether the service's default port is looked at."""
        if not self.settings[STACK_DEFAULT_PORTS] or self.keep:
            return False  # kept data belongs to the servers we start on it
        return kind_of(service).may_run_already(self.settings, self.llm)

    def discover(self, service: str) -> Endpoint | Skipped:
        """Return what runs where it was announced or on the default port, or why it is not used."""
        if not self.may_discover(service):
            return Skipped(service=service)
        return discover(
            service,
            self.announced.get(service),
            pins=self.pins[service],
            settings=self.settings,
            project=self.project,
            models=self.models_of(service),
        )

    def models_of(self, service: str) -> tuple[str, ...]:
        """Return the models that a service must have."""
        return self.models if kind_of(service).is_llm else ()

    def starter(self, service: str) -> Starter:
        """Return how a service is found and started."""
        return kind_of(service).starter(self.wanted)

    def describe_llm(self, endpoint: Endpoint) -> str:
        """Return why this LLM, in words."""
        if self.llm.provider == "mock" and self.settings.is_given(known.OLLAMA_URL):
            return f"mock: {self.llm.why}; {self.settings.source(known.OLLAMA_URL)} is not used"
        if endpoint.real or not self.llm.may_fall_back:
            return f"{endpoint.product}: {self.llm.why}"
        return f"{endpoint.product}: no live Ollama with {' and '.join(self.models)}"


def _raise_refusal(tasks: Iterable[Future[Any]]) -> None:
    """Raise what a guard refused, if it did: `ragbed up` would start what is missing, and meet the same refusal."""
    for task in tasks:
        if isinstance(error := task.exception(), GuardRefused):
            raise error
