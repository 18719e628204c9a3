"""What ragbed knows of a kind of service, and what starting one takes; the four are in `ragbed.stack.catalog`."""

from __future__ import annotations

import signal
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

from ragbed.events import SILENT

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from datetime import datetime
    from pathlib import Path

    from ragbed.events import EventSink
    from ragbed.guard import Probe
    from ragbed.pins import Provenance, ServicePins
    from ragbed.settings import LlmChoice, Setting, Settings
    from ragbed.stack.binaries import Binary, Search
    from ragbed.stack.processes import ProcessIdentity
    from ragbed.state import StateFolder


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """What a stack is to be, as far as the start of a service depends on it.

    Attributes:
        settings: The resolved settings.
        llm: Which LLM is wanted.
        models: The embedding model and the chat model, with their tags.
        folder: The state folder.
        events: Told what takes long.
    """

    settings: Settings
    llm: LlmChoice
    models: tuple[str, str]
    folder: StateFolder
    events: EventSink = SILENT


class Client(Protocol):
    """Opens the light client of a service; connects nothing yet."""

    def __call__(self, url: str, *, api_key: str = "", timeout_s: float = 2.0) -> Probe:
        """Return the client.

        Args:
            url: Where the service answers.
            api_key: The service's key; empty for none.
            timeout_s: How long one connection or answer may take.
        """


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """How a service is started.

    Attributes:
        command: Program and arguments.
        url: Where it will answer.
        provenance: What is started.
        environ: Variables to set beside the process's own.
        user: User id to start it as; None for ours.
        prove: Called once it answers, and returns when it does its real work; raises NotThere or WrongService. None
            where answering is enough.
    """

    command: Sequence[str]
    url: str
    provenance: Provenance
    environ: Mapping[str, str] = field(default_factory=dict)
    user: int | None = None
    prove: Callable[[], None] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ImagePlan:
    """How a service is started from its image.

    Attributes:
        port: Where it listens inside.
        url: Where it will answer, with `{port}` for the port of this machine.
        data: The folder inside that is kept in a volume; empty where it keeps nothing.
        command: The words after the image's entry point.
        environ: Variables to set.
        files: Text by path inside, for what arguments and variables must not show.
        mounts: Paths inside by folder of this machine, read-only.
        seed: The folder of the cache where its prepared data is; None where it starts with nothing.
        seeded: The path inside that is prepared; below `data`.
        prove: Called with the address once it answers, as `Plan.prove`.
    """

    port: int
    url: str
    data: str = ""
    command: Sequence[str] = ()
    environ: Mapping[str, str] = field(default_factory=dict)
    files: Mapping[str, str] = field(default_factory=dict)
    mounts: Mapping[Path, str] = field(default_factory=dict)
    seed: Path | None = None
    seeded: str = ""
    prove: Callable[[str], None] | None = None


class Starter(Protocol):
    """How one service is found and started."""

    @property
    def advice(self) -> str:
        """What a user types who has no program to start."""

    def search(self, pins: ServicePins, ask: Callable[[Path], str] | None = None) -> Search:
        """Look for a program that satisfies the pins: on PATH, else in a wheel, else our substitute.

        Args:
            pins: What is accepted.
            ask: Tells a program's version; None takes `ask_version`.
        """

    def plan(self, order: StartOrder) -> Plan:
        """Prepare the data folder and return how to start the program that was found.

        Args:
            order: With the program, the port and the variables of the lease filled in.

        Raises:
            RagbedError: That cannot work.
        """

    def image(self, order: StartOrder) -> ImagePlan | None:
        """Return how to start its image; None where a substitute of ragbed's is wanted, which runs as a process.

        Args:
            order: What to start.

        Raises:
            RagbedError: That cannot work.
        """


@dataclass(frozen=True, slots=True, kw_only=True)
class ServiceKind:
    """One kind of service.

    Attributes:
        name: As in `stack.toml`, in reports and on the command line.
        url: The setting of its address; its variables are those that applications read.
        schemes: Of its addresses, the usual one first.
        default_url: Its address on the default port, with `{port}` for that.
        client_port: Where its clients look if an address names no port.
        scheme_ports: Where they look instead, by scheme, if the address names one.
        client: Opens its light client: who answers, and whom its marker lets in.
        starter: Returns how a private server is found and started.
        is_http: Whether its address is an HTTP server's, and may be a bare host.
        has_driver: Whether its scheme may name a client's driver, as `postgresql+psycopg`.
        has_marker: Whether it is a store, which carries ragbed's marker.
        is_llm: Whether it serves models: it must have the wanted ones, and be of the wanted provider.
        password: The setting that fixes the password of a private server; None where it has none.
        key: The setting of the key that is sent to its address; None where it takes none.
        substitute_named_by: What names a substitute that runs already; empty where there is no substitute.
        mock_url: The setting of the address where the mock LLM is wanted; None where that is `url`.
        stop_signal: What asks a private server to end.
        forget_unfinished: Removes what a killed command left of a start in the cache; None where there is nothing.
    """

    name: str
    url: Setting[str]
    schemes: tuple[str, ...]
    default_url: str
    client_port: int
    client: Client
    starter: Callable[[Wanted], Starter]
    scheme_ports: Mapping[str, int] = field(default_factory=dict)
    is_http: bool = False
    has_driver: bool = False
    has_marker: bool = True
    is_llm: bool = False
    password: Setting[str] | None = None
    key: Setting[str] | None = None
    substitute_named_by: str = ""
    mock_url: Setting[str] | None = None
    stop_signal: signal.Signals = signal.SIGTERM
    forget_unfinished: Callable[[StateFolder], None] | None = None

    @property
    def variable(self) -> str:
        """Return the variable that leads an application to it."""
        return self.url.env[0]

    def address(self, llm: LlmChoice) -> Setting[str]:
        """Return the setting of its address, where such an LLM is wanted."""
        return self.mock_url if self.mock_url and llm.provider == "mock" else self.url

    def may_run_already(self, settings: Settings, llm: LlmChoice) -> bool:
        """Tell whether one that others run is looked for, where it was announced and on the default port."""
        if settings[self.url].startswith("memory:"):  # asks for a private one
            return False
        return not (self.is_llm and llm.provider == "mock")


@dataclass(frozen=True, slots=True, kw_only=True)
class StartOrder:
    """One service to start.

    Attributes:
        kind: What is known of it.
        starter: How it is found and started.
        pins: What is pinned of it.
        folder: The state folder.
        stack: Id of the stack it belongs to.
        holder: The command that answers for it.
        run: The test run whose workers share it; empty for none.
        data: Its data folder; may hold data of an earlier start.
        keep: Whether its data outlives it.
        port: The port it must have; 0 lets the launcher allocate one, and fill it in for the starter.
        timeout_s: How long it may take until it is ready.
        password: What the settings fix for the server; empty takes that of its data, or a random one.
        events: Told of what takes long.
        pull_timeout_s: How long an image may take to be pulled.
        reuse: Whether a container stays for later runs, where its launcher can do that.
        reuse_for_s: How long it stays.
        reuse_key: Of a container that stays: later runs find it by that; empty for one that ends with its holders.
        expires_at: UTC, when it ends even while it is held; None for never.
        search: The program that the launcher found; None until it has looked, and where it starts none.
        environ: Variables for every process that is started for it: the lease's token, by which it is found again.
    """

    kind: ServiceKind
    starter: Starter
    pins: ServicePins
    folder: StateFolder
    stack: str
    holder: ProcessIdentity
    data: Path
    keep: bool
    port: int
    timeout_s: float
    password: str = ""
    run: str = ""
    events: EventSink = SILENT
    pull_timeout_s: float = 900.0
    reuse: bool = False
    reuse_for_s: float = 0.0
    reuse_key: str = ""
    expires_at: datetime | None = None
    search: Search | None = None
    environ: Mapping[str, str] = field(default_factory=dict)

    @property
    def service(self) -> str:
        """Which one."""
        return self.kind.name

    @property
    def binary(self) -> Binary | None:
        """The program that was found; None where there is none."""
        return self.search.binary if self.search else None

    @property
    def log(self) -> Path:
        """Where its output goes."""
        return self.folder.log(self.stack, self.service)
