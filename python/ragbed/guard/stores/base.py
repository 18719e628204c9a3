"""What the light clients share: the contract, what an answer tells, and what can go wrong."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ragbed.guard.stores.marker import Marker, Project


class _StoreError(Exception):
    """What is wrong with a store, or with what answers in its place.

    Args:
        seen: A clause about the server, which it calls `it`: `it needs a password`.
        hint: What to do; `{named}` in it stands for the variable that holds the address. Empty where the caller
            knows better.
    """

    def __init__(self, seen: str, *, hint: str = "") -> None:
        super().__init__(seen)
        self.hint = hint

    def hint_for(self, named: str) -> str:
        """Return what to do, for an address that a variable holds."""
        return self.hint.replace("{named}", named)


class NotThere(_StoreError):
    """Nothing answers at the address, or not yet; the text says what was seen."""


class WrongService(_StoreError):
    """Something answers that is not what it should be, or refuses us; the text says what was seen."""


class Unusable(WrongService):
    """The right service answers, and is of no use as it is: it refuses us, or our writes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Identity:
    """Who answers.

    Attributes:
        product: `postgres`, `redis`, `valkey`, `qdrant`, `embedded-qdrant`, `ollama` or `mock-llm`.
        version: As it says itself.
        models: What an Ollama has, name with tag; empty for the others.
        digests: Of those models' manifests, as far as it tells them.
    """

    product: str
    version: str
    models: tuple[str, ...] = ()
    digests: Mapping[str, str] = field(default_factory=dict)

    @property
    def real(self) -> bool:
        """False for our own substitutes, which name themselves on the wire."""
        return self.product not in {"embedded-qdrant", "mock-llm"}


class Probe(Protocol):
    """One service, asked by a light client. Every method raises `NotThere` or `WrongService`."""

    def pulse(self) -> None:
        """Return if the service answers on its wire at all; the cheapest proof there is."""

    def identify(self) -> Identity:
        """Return who answers, proven by the protocol's own handshake."""

    def marker(self) -> Marker | None:
        """Return which projects may write here; None where there is no marker."""

    def let_in(self, project: Project) -> None:
        """Add a project to the marker, and write that where there is none; doing it twice is harmless."""

    def leave(self, project: Project) -> None:
        """Take a project off the marker; the marker itself stays while it names others."""

    def require_writable(self) -> None:
        """Return if a write would be taken. Nothing is written to find out.

        Raises:
            Unusable: It would be refused; the text says why.
        """

    def contents(self) -> list[str]:
        """Return what is there, a line each, for a user who decides whether to adopt it."""
