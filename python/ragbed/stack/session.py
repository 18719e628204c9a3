"""A stack for a while: for one command, or one test session."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING

from ragbed.errors import ServiceMissing
from ragbed.events import SILENT
from ragbed.guard import refuse_writes
from ragbed.pins import load_stack_pins
from ragbed.settings import LlmChoice, Settings, resolve_settings
from ragbed.stack.addresses import normalised
from ragbed.stack.building import StackBuilder
from ragbed.stack.endpoint import SERVICES, Endpoint
from ragbed.stack.health import require_answers
from ragbed.stack.judging import refuse_foreign_stack, require_adopted, require_allowed
from ragbed.stack.launcher_choice import is_as_asked_for
from ragbed.stack.lifecycle import restart_dead
from ragbed.stack.reaping import end_all, forget_old_logs, reaped
from ragbed.stack.registry import kind_of
from ragbed.stack.sharing import held_together
from ragbed.stack.stack import Stack
from ragbed.state import StateFolder, find_state_folder

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from ragbed.events import EventSink
    from ragbed.settings.llm import Caller
    from ragbed.stack.record import StackRecord


@contextmanager
def running_stack(
    settings: Settings | None = None,
    *,
    folder: StateFolder | None = None,
    services: Sequence[str] = SERVICES,
    caller: Caller = "pytest",
    private: bool = False,
    keep_up: bool = False,
    may_start: bool = True,
    run: str = "",
    events: EventSink = SILENT,
) -> Iterator[Stack]:
    """Yield a stack that is up: the one of `ragbed up` where it runs, else one of our own that ends with us.

    Args:
        settings: The resolved settings; None resolves them here.
        folder: The state folder; None finds the checkout's.
        services: Which services are needed.
        caller: Tests follow the tier; commands look for a live Ollama.
        private: Never use the stack of `ragbed up`.
        may_start: False only finds what runs.
        keep_up: Leave a stack of our own up, as if `ragbed up -d` had started it.
        run: The test run whose workers share one stack of their own, which ends with the last of them; empty for none.
        events: Told of services that start and are ready, and of what takes long.

    Raises:
        GuardRefused: Production, or a given store without the marker.
        ServiceMissing: A service cannot be had.
    """
    settings = settings or resolve_settings()
    refuse_writes(settings, command="starting a stack")
    folder = folder or find_state_folder()
    if not (may_start or private):
        refuse_foreign_stack(folder)
    folder.prepared()
    builder = StackBuilder(
        settings,
        folder,
        load_stack_pins(),
        caller=caller,
        keep=False,
        may_start=may_start,
        events=events,
        run=run,
    )
    shared = None if private else _shared(settings, folder, services, builder)
    lacking = [service for service in services if shared is None or service not in shared.endpoints]
    try:
        with _own(builder, lacking, keep_up=keep_up and shared is None) as own:
            yield _joined(shared, own, services)
    finally:
        forget_old_logs(folder)


@contextmanager
def _own(builder: StackBuilder, services: Sequence[str], *, keep_up: bool) -> Iterator[Stack | None]:
    """Yield a stack of our own with the services that no other has, shared by the workers of a run; None for none."""
    if not services:
        yield None
    elif builder.run:
        with held_together(builder, services) as together:
            yield together
    else:
        own = builder.build(services)
        try:
            yield own
        finally:
            if not (keep_up and _hand_over(own, builder.folder)):
                end_all(builder.folder, list(own.leases.values()))


def _shared(
    settings: Settings,
    folder: StateFolder,
    services: Sequence[str],
    builder: StackBuilder,
) -> Stack | None:
    """Return what fits of the stack of `ragbed up`, mended; None when none is up, or nothing of it fits."""
    with folder.locked("stack"):
        record = reaped(folder)
        fitting = [one for one in services if record and _fits(record, settings, one, builder.llm)]
        if record is None or not fitting:
            return None
        require_allowed(record, settings, folder)  # mending asks every attached one
        record = restart_dead(record, settings, folder, events=builder.events)
        require_answers(record, folder, fitting)
        require_adopted(record, settings, folder, fitting)
    endpoints = {name: record.endpoints[name] for name in fitting}
    return Stack(id=record.stack, endpoints=endpoints, notes=record.notes, llm=record.llm, shared=True)


def _joined(shared: Stack | None, own: Stack | None, services: Sequence[str]) -> Stack:
    """Return one stack: services of the shared one, and those that were brought up beside it."""
    if own is None or shared is None:
        joined = own or shared
        if joined is None:
            raise ServiceMissing("no service was asked for", hint="name at least one")
        return joined
    endpoints = {**shared.endpoints, **own.endpoints}
    return replace(
        own,
        endpoints={name: endpoints[name] for name in services},
        notes=(*shared.notes, *own.notes),
        llm=own.llm or shared.llm,
        shared=True,
    )


def _hand_over(stack: Stack, folder: StateFolder) -> bool:
    """Leave a stack to the state folder; False when another one is up there already."""
    with folder.locked("stack"):
        if reaped(folder):
            return False
        stack.record(owner=None, keep=False).save(folder)
        return True


def _fits(record: StackRecord, settings: Settings, service: str, llm: LlmChoice) -> bool:
    """Tell whether a service of `ragbed up`'s stack is what the settings ask for.

    Without an address, the caller gets the stack as it is; the stack's own address (from `ragbed env`) means it too.
    The LLM must also be of the provider wanted: tests follow the tier, whatever a command took before.
    """
    if service not in record.endpoints:
        return False
    endpoint = record.endpoints[service]
    if not is_as_asked_for(settings, endpoint):
        return False
    kind = kind_of(service)
    setting = kind.address(llm)
    if kind.is_llm and not llm.may_fall_back and endpoint.real != (llm.provider == "ollama"):
        return settings.is_given(setting) and _is_at(endpoint, service, settings[setting])
    url = settings[setting]
    if url.startswith("memory:"):
        return endpoint.product == "embedded-qdrant" and endpoint.launcher == "process" and not record.keep
    return not url or _is_at(endpoint, service, url)


def _is_at(endpoint: Endpoint, service: str, url: str) -> bool:
    return normalised(service, url, named=kind_of(service).variable) == endpoint.url
