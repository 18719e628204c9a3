"""What a lease is a claim on: a process, or a container."""

from __future__ import annotations

import re
import signal
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar, Literal

from ragbed.stack.processes import ProcessIdentity

_STOP_SIGNALS = {int(one): one for one in (signal.SIGTERM, signal.SIGINT)}
_ID = re.compile(r"[0-9a-f]{12,64}")
_NAME = re.compile(r"[a-z0-9][a-z0-9_.-]{0,127}")
_DAEMON = re.compile(r"(unix:///|tcp://|http://|https://|ssh://|npipe://)[!-~]{1,1000}")


@dataclass(frozen=True, slots=True, kw_only=True)
class ProcessResource:
    """A process, and what belongs to it.

    Attributes:
        process: The process; None between writing the lease and starting it.
        outside: Where its data goes instead when it has to run as another user; None where that cannot be.
        stop_signal: What asks it to end.
    """

    kind: ClassVar[Literal["process"]] = "process"
    process: ProcessIdentity | None = None
    outside: Path | None = None
    stop_signal: signal.Signals = signal.SIGTERM

    def to_json(self) -> dict[str, Any]:
        """Return the fields as JSON values."""
        return {
            "kind": self.kind,
            "process": self.process.to_json() if self.process else None,
            "outside": str(self.outside) if self.outside else None,
            "stop_signal": int(self.stop_signal),
        }

    @classmethod
    def from_json(cls, value: dict[str, Any]) -> ProcessResource:
        """Return the resource that `to_json` described.

        Raises:
            AttributeError, KeyError, TypeError, ValueError: It describes none.
        """
        return cls(
            process=ProcessIdentity.from_json(value["process"]),
            outside=Path(value["outside"]) if value["outside"] else None,
            stop_signal=_STOP_SIGNALS[value["stop_signal"]],
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class ContainerResource:
    """A container, and what belongs to it; all carry the lease's token as a label.

    Attributes:
        daemon: Address of the daemon that runs it.
        container: Its id; empty between writing the lease and making it.
        network: Name of the network that it shares with its stack.
        volume: Name of the volume with its data; empty where it has none.
    """

    kind: ClassVar[Literal["container"]] = "container"
    daemon: str
    network: str
    container: str = ""
    volume: str = ""

    def to_json(self) -> dict[str, Any]:
        """Return the fields as JSON values."""
        return {
            "kind": self.kind,
            "daemon": self.daemon,
            "container": self.container,
            "network": self.network,
            "volume": self.volume,
        }

    @classmethod
    def from_json(cls, value: dict[str, Any]) -> ContainerResource:
        """Return the resource that `to_json` described.

        Raises:
            KeyError, TypeError, ValueError: It describes none.
        """
        container, volume = value["container"], value["volume"]
        if not (_DAEMON.fullmatch(value["daemon"]) and _NAME.fullmatch(value["network"])):
            raise ValueError(f"{value['network']!r} is not a network of {value['daemon']!r}")
        if (container != "" and not _ID.fullmatch(container)) or (
            volume != "" and not _NAME.fullmatch(volume)
        ):
            raise ValueError(f"{container!r} is not a container with the volume {volume!r}")
        return cls(daemon=value["daemon"], container=container, network=value["network"], volume=volume)


Resource = ProcessResource | ContainerResource


def resource_from_json(value: dict[str, Any]) -> Resource:
    """Return the resource that its own `to_json` described.

    Raises:
        AttributeError, KeyError, TypeError, ValueError: It describes none.
    """
    kinds: dict[str, type[ProcessResource | ContainerResource]] = {
        "process": ProcessResource,
        "container": ContainerResource,
    }
    return kinds[value["kind"]].from_json(value)
