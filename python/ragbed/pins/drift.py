"""Whether a server that answers is what the pins say: one judgement for smoke, doctor and status."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from ragbed.pins.provenance import RAGBED, Provenance
from ragbed.pins.versions import satisfies

if TYPE_CHECKING:
    from ragbed.pins.stack_file import ServicePins, WheelChannel


class Server(Protocol):
    """What is judged: a server that answers, or a program that would be started."""

    @property
    def product(self) -> str:
        """What it is, as in the pins."""

    @property
    def version(self) -> str:
        """As it says itself."""

    @property
    def provenance(self) -> Provenance:
        """What it is, and who started it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Drift:
    """How a server differs from the pins.

    Attributes:
        expected: The accepted range, or the one version that the package is pinned at.
        package: The pinned package or image that it was started from; empty where it is outside the range.
    """

    expected: str
    package: str = ""

    def __str__(self) -> str:
        """Return it in words that follow the server's name and version."""
        if self.package:
            return f"was started, {self.package} is pinned at {self.expected}"
        return f"is outside {self.expected}"


def drift(pins: ServicePins, server: Server) -> Drift | None:
    """Return how a server differs from the pins; None where it does not.

    Outside the range is drift for every server. One that ragbed started from the pinned package must be of that
    package's version, and one from an image of the pinned digest too. A program of Nix may be another nixpkgs' and only
    has to be in range.

    Args:
        pins: Of its service.
        server: What answers, or would be started.
    """
    if not pins.accepts(server.product, server.version):
        return Drift(expected=pins.describe_range())
    wheel = wheel_of(pins, server.provenance)
    if wheel and not satisfies(server.version, f"=={wheel.version}"):
        return Drift(package=wheel.package, expected=wheel.version)
    return _drift_of_image(pins, server) if _is_our_container(server.provenance) else None


def _is_our_container(provenance: Provenance) -> bool:
    return provenance.channel == "image" and provenance.started_by == RAGBED


def _drift_of_image(pins: ServicePins, server: Server) -> Drift | None:
    image = pins.channels.image
    if server.provenance.digest != image.digest:
        return Drift(package=image.reference, expected=image.digest)
    if not satisfies(server.version, f"=={image.version}"):
        return Drift(package=image.reference, expected=image.version)
    return None


def wheel_of(pins: ServicePins, provenance: Provenance) -> WheelChannel | None:
    """Return the pinned wheel, where ragbed starts a server, or the engine of a substitute, from it; else None."""
    wheel = pins.channels.wheel
    ours = wheel and provenance.started_by == RAGBED and provenance.package == wheel.package
    return wheel if ours else None


def is_exact(pins: ServicePins, server: Server) -> bool:
    """Tell whether a server is of the very version that its channel pins."""
    if server.provenance.channel == "nix":
        return satisfies(server.version, f"=={pins.channels.nix.version}")
    if _is_our_container(server.provenance):
        return _drift_of_image(pins, server) is None
    wheel = wheel_of(pins, server.provenance)
    return wheel is not None and satisfies(server.version, f"=={wheel.version}")
