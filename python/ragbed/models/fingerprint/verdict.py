"""What a comparison with the recorded fingerprints comes to."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ragbed.models.fingerprint.record import Fingerprint

Kind = Literal["same", "drift", "unknown"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """Whether a model still gives what was recorded.

    Attributes:
        kind: `same` as recorded for this setup; `drift`, other than recorded for this or the nearest setup; `unknown`,
            where nothing was recorded for this setup and nothing speaks against it.
        model: Name with tag.
        line: The verdict in one line.
        changes: What is another than in the setup that it was compared with, a phrase each.
        details: How far each canary is, a line each.
        seen: What the server gives now; None where it was not asked.
        recorded: What it was compared with; None where there was nothing.
        distances: Cosine distance of each canary of an embedding model; None where the dimensions differ.
        advisory: True for chat models: another answer is worth a look, and fails nothing.
    """

    kind: Kind
    model: str
    line: str
    changes: tuple[str, ...] = ()
    details: tuple[str, ...] = ()
    seen: Fingerprint | None = None
    recorded: Fingerprint | None = None
    distances: Mapping[str, float | None] = field(default_factory=dict)
    advisory: bool = False

    @property
    def fails(self) -> bool:
        """Tell whether it is drift that ends a command with exit code 11."""
        return self.kind == "drift" and not self.advisory

    @property
    def hint(self) -> str:
        """What to type to record what is seen; empty where there is nothing to record."""
        if self.kind == "same" or self.seen is None:
            return ""
        return f"ragbed models fingerprint --update --model {self.model}"

    def to_json(self) -> dict[str, Any]:
        """Return it as JSON values; what was compared is named, not repeated."""
        return {
            "model": self.model,
            "kind": self.kind,
            "advisory": self.advisory,
            "line": self.line,
            "changes": list(self.changes),
            "details": list(self.details),
            "seen": _named(self.seen),
            "recorded": _named(self.recorded),
            "distances": dict(self.distances),
        }


def _named(fingerprint: Fingerprint | None) -> dict[str, Any] | None:
    """Return of which setup a fingerprint is."""
    if fingerprint is None:
        return None
    value = fingerprint.to_json()
    return {key: value[key] for key in ("model", "digest", "runtime", "backend", "purpose", "checksum")}
