"""What starts a service: the contract, what it is asked for and what it gives."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from pathlib import Path

    from ragbed.pins import ServicePins
    from ragbed.stack.endpoint import Endpoint, LauncherName
    from ragbed.stack.kinds import ServiceKind
    from ragbed.stack.lease import Lease
    from ragbed.stack.processes import ProcessIdentity
    from ragbed.stack.services import Starter
    from ragbed.state import StateFolder


@dataclass(frozen=True, slots=True, kw_only=True)
class StartOrder:
    """One service to start.

    Attributes:
        kind: What is known of it.
        starter: How a process of it is found and started.
        pins: What is pinned of it.
        folder: The state folder.
        stack: Id of the stack it belongs to.
        holder: The command that answers for it.
        run: The test run whose workers share it; empty for none.
        data: Its data folder.
        keep: Whether its data outlives it.
        port: The port it must have; 0 allocates one.
        timeout_s: How long it may take until it is ready.
        password: What the settings fix for the server; empty takes that of its data, or a random one.
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

    @property
    def service(self) -> str:
        """Which one."""
        return self.kind.name

    @property
    def log(self) -> Path:
        """Where its output goes."""
        return self.folder.log(self.stack, self.service)


@dataclass(frozen=True, slots=True, kw_only=True)
class Ready:
    """A service that does its work.

    Attributes:
        endpoint: Where it answers.
        lease: The claim on what was started for it; None where others run it.
        notes: What was passed over on the way, a sentence each.
        seconds: From the order until it was ready.
    """

    endpoint: Endpoint
    lease: Lease | None = None
    notes: tuple[str, ...] = ()
    seconds: float = 0.0


class Launcher(Protocol):
    """Starts services."""

    @property
    def name(self) -> LauncherName:
        """How reports call it."""

    def unavailable(self) -> str:
        """Return why it can start nothing here, in words; empty where it can."""

    def start(self, order: StartOrder) -> Ready:
        """Start a service and return once it is ready; its lease is written before anything of it starts.

        A start that fails leaves nothing behind.

        Raises:
            ServiceMissing: There is nothing to start.
            ServiceNotReady: It ended, or was not ready in time; carries the end of its log.
        """
