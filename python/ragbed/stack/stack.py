"""Bring the four services up by whatever way each can be had, all in parallel, and take them down again."""

from __future__ import annotations

import contextlib
import os
import secrets
import shutil
import signal
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from ragbed.errors import ConfigurationError, ServiceMissing
from ragbed.guard import refuse_writes
from ragbed.pins import StackPins, load_stack_pins
from ragbed.settings import LlmChoice, Settings, choose_llm, resolve_settings
from ragbed.settings import definitions as known
from ragbed.stack.attaching import URL_SETTINGS, PassedOver, attach_default, attach_given, normalised
from ragbed.stack.endpoint import SERVICES, Endpoint
from ragbed.stack.health import require_answers
from ragbed.stack.launching import Launch, Started, start
from ragbed.stack.leases import Lease, Leases
from ragbed.stack.processes import ProcessIdentity, end_marked, stop
from ragbed.stack.record import StackRecord, load_record
from ragbed.stack.services import OllamaStarter, QdrantStarter, starters, with_tag
from ragbed.stack.services.postgres import forget_unfinished_template
from ragbed.stack.services.unprivileged import outside_folder
from ragbed.stack.state import StateFolder, find_state_folder, forget_unfinished

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from ragbed.settings.llm import Caller
    from ragbed.stack.services import Starter

MEMORY_URL = "memory://"
_LOGS_KEPT = 8
Progress = Callable[[Endpoint, float], None]
"""Called with each service that is ready, and the seconds it took; from several threads."""


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


class StackBuilder:
    """Resolves each service of one stack: given by URL, found on its default port, or started.

    Args:
        settings: The resolved settings.
        folder: The state folder, prepared.
        pins: What is accepted and started.
        caller: Tests follow the tier; commands look for a live Ollama.
        keep: Whether the data of started services outlives them.
        may_start: False only finds what runs.
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
    ) -> None:
        self.settings = settings
        self.folder = folder
        self.pins = pins
        self.keep = keep
        self.may_start = may_start
        self.llm = _require_served(choose_llm(settings, caller=caller), settings)
        self.models = [with_tag(settings[known.EMBEDDING_MODEL]), with_tag(settings[known.LLM_MODEL])]
        self.owner = ProcessIdentity.of(os.getpid())

    def build(self, services: Sequence[str] = SERVICES, *, progress: Progress | None = None) -> Stack:
        """Bring the services up, all at once; a failure of one ends what was started for the others.

        Raises:
            ServiceMissing: A service cannot be had; the first one in the order of `SERVICES`.
            GuardRefused: A given store does not carry ragbed's marker.
        """
        stack = f"{secrets.token_hex(4)}"
        pool = ThreadPoolExecutor(max_workers=len(services))
        try:
            with pool:
                tasks = {name: pool.submit(self._resolve, name, stack, progress) for name in services}
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
            llm=self._describe_llm(results["ollama"].endpoint) if "ollama" in results else "",
            seconds={name: result.seconds for name, result in results.items()},
        )

    def _end_all_of(self, stack: str) -> None:
        end_all(self.folder, [lease for lease in Leases(self.folder).all() if lease.stack == stack])

    def start(self, service: str, stack: str, *, port: int = 0) -> Started:
        """Start one service as a private process; a port makes it an earlier start's successor."""
        pins = self.pins[service]
        return start(
            Launch(
                service=service,
                starter=self._starter(service),
                pins=pins,
                folder=self.folder,
                stack=stack,
                owner=self.owner,
                data=(self.folder.kept if self.keep else self.folder.data / stack) / service,
                keep=self.keep,
                port=port,
                timeout_s=self.settings[known.STACK_READY_TIMEOUT_S] or pins.ready_timeout_s,
            )
        )

    def _resolve(self, service: str, stack: str, progress: Progress | None) -> _Result:
        given = self._given(service)
        notes: list[str] = []
        result = None
        if given:
            result = _Result(endpoint=given)
        elif self._may_look_around(service):
            found = attach_default(
                service, pins=self.pins[service], settings=self.settings, models=self._wanted(service)
            )
            if isinstance(found, PassedOver):
                notes += [found.note] if found.note else []
            else:
                result = _Result(endpoint=found)
        if result is None:
            self._require_start_allowed(service, notes)
            started = self.start(service, stack)
            result = _Result(
                endpoint=started.endpoint, lease=started.lease, notes=started.notes, seconds=started.seconds
            )
        if progress:
            progress(result.endpoint, result.seconds)
        return _Result(
            endpoint=result.endpoint,
            lease=result.lease,
            notes=(*notes, *result.notes),
            seconds=result.seconds,
        )

    def _require_start_allowed(self, service: str, notes: Sequence[str]) -> None:
        variable = URL_SETTINGS[service].env[0]
        if not self.may_start:
            raise ServiceMissing(
                f"no {service} is up", details=notes, hint=f"ragbed up -d, or set {variable}"
            )
        if self.settings[known.STACK_KIND] == "attached":
            raise ServiceMissing(
                f"no {service} is given, and tier {self.settings.tier.name} starts none",
                details=notes,
                hint=f"set {variable}",
            )

    def _given(self, service: str) -> Endpoint | None:
        setting = URL_SETTINGS[service]
        if service == "ollama" and self.llm.provider == "mock":
            setting = known.LLM_MOCK_URL
        url = self.settings[setting]
        if not url or url.startswith("memory:"):
            return None
        return attach_given(
            service,
            url,
            named=self.settings.source(setting).removeprefix("environment "),
            pins=self.pins[service],
            settings=self.settings,
            models=self._wanted(service),
        )

    def _may_look_around(self, service: str) -> bool:
        if not self.settings[known.STACK_DEFAULT_PORTS] or self.keep:
            return False  # kept data belongs to the servers we start on it
        if service == "qdrant" and self.settings[known.QDRANT_URL].startswith("memory:"):
            return False
        return not (service == "ollama" and self.llm.provider == "mock")

    def _wanted(self, service: str) -> list[str]:
        return self.models if service == "ollama" else []

    def _starter(self, service: str) -> Starter:
        if service == "qdrant" and self.settings[known.QDRANT_URL].startswith("memory:"):
            return QdrantStarter(allow_real=False)
        ollama = OllamaStarter(
            models=self.models,
            allow_real=self.llm.provider == "ollama",
            allow_mock=self.llm.provider == "mock" or self.llm.may_fall_back,
        )
        return starters(ollama)[service]

    def _describe_llm(self, endpoint: Endpoint) -> str:
        if self.llm.provider == "mock" and self.settings.is_given(known.OLLAMA_URL):
            return f"mock: {self.llm.why}; {self.settings.source(known.OLLAMA_URL)} is not used"
        if endpoint.real or not self.llm.may_fall_back:
            return f"{endpoint.product}: {self.llm.why}"
        return f"{endpoint.product}: no live Ollama with {' and '.join(self.models)}"


@dataclass(frozen=True, slots=True, kw_only=True)
class _Result:
    """How one service was had."""

    endpoint: Endpoint
    lease: Lease | None = None
    notes: tuple[str, ...] = ()
    seconds: float = 0.0


def _require_served(choice: LlmChoice, settings: Settings) -> LlmChoice:
    """Refuse providers that this version cannot serve to the pipeline's one client.

    Raises:
        ConfigurationError: A paid provider, or an embedding provider other than the LLM's.
    """
    embedding = settings[known.EMBEDDING_PROVIDER] or choice.provider
    if choice.may_fall_back and settings.is_given(known.EMBEDDING_PROVIDER):
        # Nobody named the LLM's provider: it is the one that was named for embeddings.
        choice = LlmChoice(provider=embedding, why=settings.source(known.EMBEDDING_PROVIDER))
    for provider in (choice.provider, embedding):
        if provider not in {"mock", "ollama"}:
            raise ConfigurationError(
                f"the provider {provider} ({choice.why}) cannot be reached yet: the gateway forwards to none",
                hint="set MODEL_PROVIDER=ollama or MODEL_PROVIDER=mock",
            )
    if embedding != choice.provider:
        raise ConfigurationError(
            f"EMBEDDING_PROVIDER is {embedding} and the LLM's provider is {choice.provider}: one server does both",
            hint="give both the same value",
        )
    return choice


def running_record(folder: StateFolder) -> StackRecord | None:
    """Reap what dead commands left, and return the stack of `ragbed up`; None when there is none.

    A command that starts or ends the stack at this moment is not waited for: then nothing is reaped.

    Raises:
        ConfigurationError: The state folder belongs to somebody else.
    """
    if not folder.exists():
        return None
    with folder.locked_if_free("stack") as held:
        if held:
            return _reaped(folder)
        record = load_record(folder)
        return record if record and record.is_kept_up() else None


def _reaped(folder: StateFolder) -> StackRecord | None:
    """Reap what dead commands left, and return the stack of `ragbed up`. Call it with the stack's lock held.

    Without the lock, a stack that is handed over at this moment would be taken for a dead command's: its record is
    not read yet, and the command that wrote it has gone.
    """
    record = load_record(folder)
    if record and not record.is_kept_up():
        record = None
    if record is None:
        folder.stack_file.unlink(missing_ok=True)
    tokens = frozenset(record.leases.values()) if record else frozenset[str]()
    leases = Leases(folder)
    leases.reap(tokens, stack=record.stack if record else "")
    for stray in set(_folders(folder.data)) - {lease.stack for lease in leases.all()}:
        if record is None or stray != record.stack:
            shutil.rmtree(folder.data / stray, ignore_errors=True)
    forget_unfinished_template(folder)
    for parent in (folder.root, folder.leases):
        forget_unfinished(parent)
    return record


def _folders(parent: Path) -> list[str]:
    """Return the names in a folder. Read before the leases: each of those is written before its data."""
    return [path.name for path in parent.iterdir()] if parent.exists() else []


def up(
    settings: Settings, folder: StateFolder, *, detach: bool, keep: bool, progress: Progress | None = None
) -> tuple[StackRecord, bool]:
    """Bring the checkout's stack up, or mend it where services of it have died.

    Args:
        settings: The resolved settings.
        folder: The state folder.
        detach: Hand the stack over to the state folder; else it ends with this process.
        keep: Whether its data survives `down`.
        progress: Called with each service that is ready.

    Returns:
        Its record, and whether it was up already.

    Raises:
        GuardRefused: Production, or a given store without the marker.
        ServiceMissing: A service cannot be had.
    """
    refuse_writes(settings, command="ragbed up")
    pins = load_stack_pins()
    folder.prepared()
    with folder.locked("stack"):
        record = _reaped(folder)
        if record:
            record = mend(record, settings, folder, progress=progress)
            require_answers(record, folder)
            return record, True
        builder = StackBuilder(settings, folder, pins, caller="command", keep=keep)
        stack = builder.build(progress=progress)
        record = StackRecord(
            stack=stack.id,
            owner=None if detach else builder.owner,
            keep=keep,
            endpoints=stack.endpoints,
            leases={name: lease.token for name, lease in stack.leases.items()},
            notes=stack.notes,
            llm=stack.llm,
        )
        record.save(folder)
        _forget_old_logs(folder)
        return record, False


def mend(
    record: StackRecord, settings: Settings, folder: StateFolder, *, progress: Progress | None = None
) -> StackRecord:
    """Start the services of a stack again that have died, on their data and ports; returns the new record.

    Call it with the stack's lock held.
    """
    leases = {lease.token: lease for lease in Leases(folder).all()}
    dead = {
        service: leases.get(token)
        for service, token in record.leases.items()
        if token not in leases or not leases[token].is_running()
    }
    if not dead:
        return record
    builder = StackBuilder(settings, folder, load_stack_pins(), caller="command", keep=record.keep)
    endpoints, tokens = dict(record.endpoints), dict(record.leases)
    for service, lease in dead.items():
        if lease:
            Leases(folder).stop(lease)
        else:
            end_marked(tokens[service])  # its lease was lost; it may run
        port = int(endpoints[service].url.rpartition(":")[2].partition("/")[0])
        started = builder.start(service, record.stack, port=port)
        endpoints[service], tokens[service] = started.endpoint, started.lease.token
        # The record comes first: a lease it names is never reaped, one it has dropped may go.
        record = StackRecord(
            stack=record.stack,
            owner=record.owner,
            keep=record.keep,
            endpoints=dict(endpoints),
            leases=dict(tokens),
            notes=record.notes,
            llm=record.llm,
        )
        record.save(folder)
        if lease:
            Leases(folder).forget(lease)
        if progress:
            progress(started.endpoint, started.seconds)
    return record


def down(folder: StateFolder, *, everything: bool = False, keep: bool = False) -> list[str]:
    """Take the checkout's stack down.

    Args:
        folder: The state folder.
        everything: Also end stacks of runs that are still under way.
        keep: Keep the stack's data for the next `up --keep`.

    Returns:
        The services that were stopped.

    Raises:
        ConfigurationError: Data is to be kept, and there is kept data already.
    """
    if not folder.exists():
        return []
    if keep:
        _take_over(folder)
    asked = _ask_owner_to_stop(folder)
    with folder.locked("stack"):
        record = _reaped(folder)
        tokens = set(record.leases.values()) if record else set()
        ending = [lease for lease in Leases(folder).all() if everything or lease.token in tokens]
        keep_now = keep and record is not None and not record.keep
        for token in tokens - {lease.token for lease in ending}:
            end_marked(token)  # its lease was lost
        _at_once(Leases(folder).stop, ending)
        if keep_now and record and (folder.data / record.stack).exists():
            _keep_data(folder, record.stack)
        folder.stack_file.unlink(missing_ok=True)
        for lease in ending:
            Leases(folder).end(lease, keep_data=keep_now and lease.token in tokens)
        _reaped(folder)
    return [*asked, *(lease.service for lease in ending)]


def _take_over(folder: StateFolder) -> None:
    """Make a stack one that the state folder answers for, so that its data outlives a foreground `ragbed up`.

    Raises:
        ConfigurationError: Data is to be kept, and there is kept data already.
    """
    with folder.locked("stack"):
        record = load_record(folder)
        if record and not record.keep and folder.kept.exists():
            raise ConfigurationError(
                f"there is kept data already in {folder.kept}", hint="delete it by `ragbed reset`"
            )
        if not (record and record.owner and record.owner.is_alive()):
            return
        replace(record, owner=None).save(folder)
    # Not with the lock held: at its end it looks whether the stack is still its own.
    stop(record.owner, gentle=signal.SIGTERM, timeout_s=15, alone=True)


def _keep_data(folder: StateFolder, stack: str) -> None:
    """Make the data of a stack that has been stopped the kept data."""
    for service in SERVICES:
        outside = outside_folder(folder.data / stack / service)
        if outside and outside.exists():
            outside.rename(outside_folder(folder.kept / service) or outside)
    (folder.data / stack).rename(folder.kept)


def end_all(folder: StateFolder, leases: Sequence[Lease], *, keep_data: bool = False) -> None:
    """End several processes at once."""
    _at_once(lambda lease: Leases(folder).end(lease, keep_data=keep_data), leases)


def _at_once(act: Callable[[Lease], None], leases: Sequence[Lease]) -> None:
    with ThreadPoolExecutor(max_workers=max(1, len(leases))) as pool:
        list(pool.map(act, leases))


def reset(folder: StateFolder) -> list[str]:
    """Take everything down and delete its data, kept data and logs included; the caches stay."""
    stopped = down(folder, everything=True)
    for path in (folder.data, folder.kept, folder.logs, folder.gaps):
        shutil.rmtree(path, ignore_errors=True)
    for service in SERVICES:
        if outside := outside_folder(folder.kept / service):
            shutil.rmtree(outside, ignore_errors=True)
    return stopped


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
    progress: Progress | None = None,
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
        progress: Called with each service that is ready.

    Raises:
        GuardRefused: Production, or a given store without the marker.
        ServiceMissing: A service cannot be had.
    """
    settings = settings or resolve_settings()
    refuse_writes(settings, command="starting a stack")
    folder = (folder or find_state_folder()).prepared()
    with folder.locked("stack"):
        record = _reaped(folder)
        if record and (private or not _fits(record, settings, services)):
            record = None
        if record:
            record = mend(record, settings, folder, progress=progress)
            require_answers(record, folder, services)
    if record:
        endpoints = {name: record.endpoints[name] for name in services}
        yield Stack(id=record.stack, endpoints=endpoints, notes=record.notes, llm=record.llm, shared=True)
        return
    builder = StackBuilder(
        settings, folder, load_stack_pins(), caller=caller, keep=False, may_start=may_start
    )
    stack = builder.build(services, progress=progress)
    try:
        yield stack
    finally:
        if not (keep_up and _hand_over(stack, folder)):
            end_all(folder, list(stack.leases.values()))
        _forget_old_logs(folder)


def _hand_over(stack: Stack, folder: StateFolder) -> bool:
    """Leave a stack to the state folder; False when another one is up there already."""
    with folder.locked("stack"):
        if _reaped(folder):
            return False
        StackRecord(
            stack=stack.id,
            owner=None,
            keep=False,
            endpoints=stack.endpoints,
            leases={name: lease.token for name, lease in stack.leases.items()},
            notes=stack.notes,
            llm=stack.llm,
        ).save(folder)
        return True


def _fits(record: StackRecord, settings: Settings, services: Sequence[str]) -> bool:
    """Tell whether the stack of `ragbed up` is what the settings ask for.

    Whoever names no service and no provider takes it as it is; who names what it has (by `ragbed env`, or by the
    same MODEL_PROVIDER as at its start) means it too.
    """
    named = {service: URL_SETTINGS[service] for service in services}
    if not all(
        _is_meant(record, service, settings[setting])
        for service, setting in named.items()
        if settings.is_given(setting)
    ):
        return False
    if "ollama" not in services:
        return True
    if settings.is_given(known.LLM_MOCK_URL) and not _is_meant(
        record, "ollama", settings[known.LLM_MOCK_URL]
    ):
        return False
    products = {"mock": "mock-llm", "ollama": "ollama"}
    return (
        not settings.is_given(known.LLM_PROVIDER)
        or products.get(settings[known.LLM_PROVIDER]) == record.endpoints["ollama"].product
    )


def _is_meant(record: StackRecord, service: str, url: str) -> bool:
    endpoint = record.endpoints[service]
    if url.startswith("memory:"):
        return endpoint.product == "embedded-qdrant" and endpoint.launcher == "process" and not record.keep
    return not url or normalised(service, url, named=URL_SETTINGS[service].env[0]) == endpoint.url


def _ask_owner_to_stop(folder: StateFolder) -> list[str]:
    """Ask a foreground `ragbed up` of another terminal to end; it takes its services down itself."""
    record = load_record(folder)
    if not (record and record.owner and record.owner.pid != os.getpid() and record.owner.is_alive()):
        return []
    stop(record.owner, gentle=signal.SIGTERM, timeout_s=15)
    return list(record.leases)


def _forget_old_logs(folder: StateFolder) -> None:
    in_use = {lease.stack for lease in Leases(folder).all()}

    def age(path: Path) -> float:
        with contextlib.suppress(OSError):
            return -path.stat().st_mtime
        return 0.0

    ended = [path for path in folder.logs.iterdir() if path.name not in in_use]
    for path in sorted(ended, key=age)[_LOGS_KEPT:]:
        shutil.rmtree(path, ignore_errors=True)
