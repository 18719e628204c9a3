"""A fingerprint: what the canaries came to, for one model's bytes, on one runtime, by one kind of processor."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field
from hashlib import sha256
from typing import TYPE_CHECKING, Any

from ragbed.models.fingerprint.canaries import Purpose  # noqa: TC001 - pydantic reads the annotations
from ragbed.models.fingerprint.stored_vector import StoredVector

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(frozen=True, slots=True, kw_only=True)
class Setup:
    """Which bytes are turned into numbers, and by what.

    Attributes:
        model: Name with tag.
        digest: Of its manifest.
        runtime: Product and version of the server.
        backend: Kind of processor, system and architecture: `cpu linux-x86_64`.
    """

    model: str
    digest: str
    runtime: str
    backend: str

    def is_like(self, other: Setup) -> bool:
        """Tell whether the same bytes are run by the same things; the model's name says nothing."""
        return not self.changes(other)

    def changes(self, recorded: Setup) -> tuple[str, ...]:
        """Return what is another than it was when it was recorded, a phrase each."""
        pairs = {
            "digest": (short(self.digest), short(recorded.digest)),
            "runtime": (self.runtime, recorded.runtime),
            "backend": (self.backend, recorded.backend),
        }
        return tuple(f"{what} {now}, recorded {then}" for what, (now, then) in pairs.items() if now != then)


@dataclass(frozen=True, slots=True, kw_only=True)
class Fingerprint:
    """What the canaries came to.

    Attributes:
        setup: Of which bytes, by what.
        purpose: Whether texts were embedded or prompts answered.
        canaries: Which canaries, as `Canaries.key` names them.
        marks: The vectors of an embedding model, by the text's name.
        answers: The answers of a chat model, by the prompt's name.
    """

    setup: Setup
    purpose: Purpose
    canaries: str
    marks: Mapping[str, StoredVector] = field(default_factory=dict)
    answers: Mapping[str, str] = field(default_factory=dict)

    def to_json(self) -> dict[str, Any]:
        """Return it as the file holds it, with a checksum over the rest."""
        value: dict[str, Any] = {**asdict(self.setup), "purpose": self.purpose, "canaries": self.canaries}
        if self.purpose == "embedding":
            value["vectors"] = {name: mark.encode() for name, mark in self.marks.items()}
        else:
            value["answers"] = dict(self.answers)
        return {**value, "checksum": _checksum(value)}

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> Fingerprint:
        """Return the fingerprint that `to_json` wrote.

        Args:
            value: Of the right form; what is checked here is what was written.

        Raises:
            ValueError: Names the key and what was expected.
        """
        marks = {}
        for name, line in (value.get("vectors") or {}).items():
            try:
                marks[name] = StoredVector.decode(line)
            except ValueError as error:
                raise ValueError(f"vectors.{name}: expected {error}") from None
        fingerprint = cls(
            setup=Setup(**{key: value[key] for key in ("model", "digest", "runtime", "backend")}),
            purpose=value["purpose"],
            canaries=value["canaries"],
            marks=marks,
            answers=value.get("answers") or {},
        )
        if (written := fingerprint.to_json()) != value:
            raise ValueError(
                f"checksum: found {value['checksum']}, expected {written['checksum']}, which the rest gives"
            )
        return fingerprint


def short(digest: str) -> str:
    """Return a digest as Ollama shows it: twelve digits."""
    return digest.removeprefix("sha256:")[:12]


def _checksum(value: Mapping[str, Any]) -> str:
    """Return a checksum: these lines are written by the command and merged by git, never edited."""
    return sha256(json.dumps(value, sort_keys=True).encode()).hexdigest()[:16]
