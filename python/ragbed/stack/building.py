"""Bring services up by whatever way each can be had, all in parallel."""

from __future__ import annotations

import os
import secrets
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from functools import partial
from threading import Lock
from typing import TYPE_CHECKING, Any

from ragbed.errors import GuardRefused, ServiceMissing
from ragbed.events import SILENT
from ragbed.pins import with_tag
from ragbed.settings import definitions as known
from ragbed.stack.endpoint import SERVICES, Endpoint
from ragbed.stack.external_services import load_announcements
from ragbed.stack.kinds import Wanted
from ragbed.stack.launcher_choice import (
    IN_ITS_PLACE,
    chosen_launcher,
    is_asked_for,
    is_required,
    launcher_named,
    require_known_services,
)
from ragbed.stack.launchers import Ready, StartOrder
from ragbed.stack.leases import Leases
from ragbed.stack.processes import ProcessIdentity
from ragbed.stack.provider import served_llm
from ragbed.stack.reaping import end_all
from ragbed.stack.registry import kind_of
from ragbed.stack.resolvers import DISCOVERED, Resolver, Sought, given, resolve
from ragbed.stack.section import (
    STACK_DEFAULT_PORTS,
    STACK_PULL_TIMEOUT_S,
    STACK_READY_TIMEOUT_S,
    STACK_REUSE,
    STACK_REUSE_FOR_S,
)
from ragbed.stack.skipped_services import Skipped
from ragbed.stack.stack import Stack, emit_ready

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from concurrent.futures import Future

    from ragbed.events import EventSink
    from ragbed.pins import StackPins
    from ragbed.settings import Settings
    from ragbed.settings.llm import Caller
    from ragbed.stack.services import Starter
    from ragbed.state import StateFolder


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
        require_known_services(settings)
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
        self._saying, self._said = Lock(), set[str]()

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
            notes=tuple(dict.fromkeys(note for result in results.values() for note in result.notes)),
            llm=self.llm_of({name: result.endpoint for name, result in results.items()}),
            seconds={name: result.seconds for name, result in results.items()},
        )

    def _end_all_of(self, stack: str) -> None:
        end_all(self.folder, [lease for lease in Leases(self.folder).all() if lease.stack == stack])

    def resolve(self, service: str, stack: str) -> Ready:
        """Return one service by the first way it can be had: given, announced, on its default port, started.

        Raises:
            ServiceMissing: It cannot be had.
        """
        ways: tuple[Resolver, ...] = (given, *DISCOVERED, partial(self._start_in_its_place, stack))
        outcome = resolve(ways, self.sought(service))
        if isinstance(outcome, Skipped):  # the last way starts it, or raises
            raise ServiceMissing(f"no {service} is up", details=outcome.reasons)
        emit_ready(self.events, outcome.endpoint, outcome.seconds)
        return outcome

    def given(self, service: str) -> Endpoint | None:
        """Return the service that was named by URL, proven to be usable; None where none was.

        Raises:
            RagbedError: It cannot be used as it is.
        """
        outcome = resolve((given,), self.sought(service))
        return outcome.endpoint if isinstance(outcome, Ready) else None

    def discover(self, service: str) -> Endpoint | Skipped:
        """Return what runs where it was announced or on the default port, or why it is not used."""
        outcome = resolve(DISCOVERED, self.sought(service))
        return outcome.endpoint if isinstance(outcome, Ready) else outcome

    def sought(self, service: str) -> Sought:
        """Return what a service must be, and whether it is looked for."""
        kind = kind_of(service)
        return Sought(
            kind=kind,
            pins=self.pins[service],
            settings=self.settings,
            llm=self.llm,
            project=self.project,
            models=self.models if kind.is_llm else (),
            announced=self.announced.get(service),
            may_discover=self.may_discover(service),
        )

    def may_discover(self, service: str) -> bool:
        """Tell whether one that others run is looked for."""
        if not self.settings[STACK_DEFAULT_PORTS] or self.keep:
            return False  # kept data belongs to the servers we start on it
        if is_asked_for(self.settings, service):
            return False
        return kind_of(service).may_run_already(self.settings, self.llm)

    def _start_in_its_place(self, stack: str, sought: Sought, skipped: Skipped) -> Ready:
        """Start what no other program runs, and say what was passed over; the last way to have a service."""
        service, notes = sought.kind.name, [skipped.note] if skipped.note else []
        for line in notes:
            self.events.emit("service.skipped", service, line=line)
        self._require_start_allowed(service, notes)
        self.events.emit("service.starting", service)
        started = self.start(service, stack)
        return replace(started, notes=(*notes, *started.notes))

    def _require_start_allowed(self, service: str, notes: Sequence[str]) -> None:
        variable = kind_of(service).variable
        if not self.may_start:
            raise ServiceMissing(
                f"no {service} is up", details=notes, hint=f"ragbed up -d, or set {variable}"
            )
        if chosen_launcher(self.settings, service) == "attach":
            raise ServiceMissing(
                f"no {service} is given, and tier {self.settings.tier.name} starts none",
                details=notes,
                hint=f"set {variable}",
            )

    def start(self, service: str, stack: str, *, port: int = 0, launcher_name: str = "") -> Ready:
        """Start one service.

        Args:
            service: Which one.
            stack: Id of its stack.
            port: Makes it the successor of an earlier start, on its data and port; 0 for a new one.
            launcher_name: Of the launcher; empty takes the one that the settings choose.

        Raises:
            ServiceMissing: The launcher can start nothing here, or not this service.
        """
        launcher = launcher_named(launcher_name or chosen_launcher(self.settings, service))
        if not (reason := launcher.unavailable()):
            return launcher.start(self._order(service, stack, port=port))
        if launcher_name or is_required(self.settings, service):
            raise ServiceMissing(
                f"the launcher {launcher.name} cannot start {service}: {reason}",
                hint=f"set {kind_of(service).variable}, or RAGBED_STACK__LAUNCHER=process",
            )
        note = f"tier {self.settings.tier.name} takes {launcher.name}s, and there are processes instead: {reason}"
        self._say_once(service, note)
        instead = launcher_named(IN_ITS_PLACE).start(self._order(service, stack, port=port))
        return replace(instead, notes=(note, *instead.notes))

    def _say_once(self, service: str, note: str) -> None:
        """Tell what is true of every service with the first one."""
        with self._saying:
            if note not in self._said:
                self._said.add(note)
                self.events.emit("service.skipped", service, line=note)

    def _order(self, service: str, stack: str, *, port: int) -> StartOrder:
        pins, kind = self.pins[service], kind_of(service)
        return StartOrder(
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
            events=self.events,
            reuse=self.settings[STACK_REUSE] and not (self.keep or port),
            reuse_for_s=self.settings[STACK_REUSE_FOR_S],
            pull_timeout_s=self.settings[STACK_PULL_TIMEOUT_S],
        )

    def starter(self, service: str) -> Starter:
        """Return how a service is found and started."""
        return kind_of(service).starter(self.wanted)

    def llm_of(self, endpoints: Mapping[str, Endpoint]) -> str:
        """Return why this LLM, in words; empty where no service serves one."""
        served = [endpoint for name, endpoint in endpoints.items() if kind_of(name).is_llm]
        return self.describe_llm(served[0]) if served else ""

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
