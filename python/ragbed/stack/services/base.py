"""What every service's starter gets and gives."""

from __future__ import annotations

import socket
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

    from ragbed.pins import Provenance, ServicePins
    from ragbed.stack.binaries import Search
    from ragbed.state import StateFolder


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """What a starter is asked for.

    Attributes:
        folder: The state folder.
        data: Where the service's data goes; may hold data of an earlier start.
        port: The port to listen on.
        pins: The service's pins.
        search: The program that was found.
        password: What the settings fix for the server; empty takes that of its data, or a random one.
        environ: Variables for every process that is started for it: the lease's token, by which it is found again.
    """

    folder: StateFolder
    data: Path
    port: int
    pins: ServicePins
    search: Search
    password: str = ""
    environ: Mapping[str, str] = field(default_factory=dict)


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

    def plan(self, request: Request) -> Plan:
        """Prepare the data folder and return how to start; raises RagbedError when that cannot work."""


def free_port() -> int:
    """Return a loopback port that nothing listens on at this moment."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port: int = listener.getsockname()[1]
        return port


def tells_of_full_disk(line: str) -> bool:
    """Tell whether a service's line says that the disk is full.

    In the system's words, or in Postgres's for a write that was cut short: then the system names no error.
    """
    return "No space left on device" in line or ": wrote only " in line
