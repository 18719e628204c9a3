"""What starts services and ends them: the contract, and what it gives."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from ragbed.stack.kinds import StartOrder
from ragbed.state.files import is_file

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from ragbed.stack.endpoint import Endpoint, LauncherName
    from ragbed.stack.lease import Lease
    from ragbed.state import StateFolder

__all__ = ["Launcher", "Ready", "Running", "StartOrder"]


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


@dataclass(frozen=True, slots=True, kw_only=True)
class Running:
    """Something that runs and says that ragbed started it, whatever a file claims.

    Attributes:
        token: Of its lease.
        state: The state folder it names; empty where it names none.
        stack: The stack it names.
        service: The service it names.
        end: Ends it; asks first where it is told to, else kills at once.
        pid: Its process id; None for a container.
        container: The short id of its container; empty for a process.
    """

    token: str
    state: str
    stack: str
    service: str
    end: Callable[[bool], None]
    pid: int | None = None
    container: str = ""

    def is_of(self, folder: StateFolder) -> bool:
        """Tell whether it says that it was started for this state folder."""
        try:
            return Path(self.state).is_absolute() and Path(self.state).samefile(folder.root)
        except (OSError, ValueError):
            return False

    def is_of_another(self, folder: StateFolder) -> bool:
        """Tell whether it belongs to another state folder, which holds its lease: this one is a copy of that one."""
        state = Path(self.state)
        lease = state / "leases" / f"{self.token}.json"
        return state.is_absolute() and is_file(lease) and not self.is_of(folder)


class Launcher(Protocol):
    """Starts services, and does with what it started all that is done to it."""

    @property
    def name(self) -> LauncherName:
        """As in flag, setting, report and lease."""

    def unavailable(self) -> str:
        """Return why it can start nothing here, in words; empty where it can."""

    def start(self, order: StartOrder) -> Ready:
        """Start a service and return once it is ready; its lease is written before anything of it starts.

        A start that fails leaves nothing behind.

        Raises:
            ServiceMissing: There is nothing to start.
            ServiceNotReady: It ended, or was not ready in time; carries the end of its log.
        """

    def is_alive(self, lease: Lease) -> bool:
        """Tell whether what was started for a lease runs, and proves that it is this lease's."""

    def when_ended(self, lease: Lease, call: Callable[[], None]) -> None:
        """Call a function, on a thread, once what was started for a lease has ended.

        A child of this process may be left out: SIGCHLD tells of it.
        """

    def endings(self, leases: Mapping[str, Lease]) -> dict[str, str]:
        """Return how services have ended by themselves, in words, by name; those that go on are left out."""

    def logs(self, lease: Lease, *, lines: int) -> list[str]:
        """Return the last lines that a service wrote; none where it wrote none."""

    def follow(self, lease: Lease, *, lines: int, ended: Callable[[], bool]) -> Iterator[Sequence[str]]:
        """Yield the last lines that a service wrote, then new ones as they come, whole lines only.

        Args:
            lease: Of the service.
            lines: How many of those that are there.
            ended: Asked at least every quarter of a second: true ends it.
        """

    def stop(self, lease: Lease, *, keep_data: bool, grace_s: float = 5.0) -> None:
        """End what was started for a lease; the lease stays. Doing it twice is harmless.

        Args:
            lease: The lease.
            keep_data: Leave its data.
            grace_s: How long it may take to end after being asked; 0 kills it at once.
        """

    def move_data(self, data: Path, kept: Path) -> None:
        """Have what lies elsewhere of a data folder follow it: called before the folder is moved.

        Args:
            data: The folder, of a service that has been stopped.
            kept: Where it goes.
        """

    def forget_data(self, data: Path) -> None:
        """Remove what lies elsewhere of a data folder that no lease is of: called before the folder is removed."""

    def resume(self, lease: Lease) -> None:
        """Let what was stopped for a while run on."""

    def running(self) -> Iterator[Running]:
        """Yield what runs of this user's, by what it says itself."""
