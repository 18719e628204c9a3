"""Where a service answers, and who put it there."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any, Literal, get_args

from ragbed.guard import redacted
from ragbed.pins import RAGBED, Provenance
from ragbed.stack.registry import is_known

LauncherName = Literal["attach", "process", "container"]
SERVICES = ("postgres", "redis", "qdrant", "ollama")
"""The four services of the stack, in the order that reports show them."""
_MADE_FOR_READERS = frozenset({"origin", "started_by"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Endpoint:
    """Where a service answers, and who put it there.

    Attributes:
        service: One of `SERVICES`.
        url: Loopback URL with scheme and port; carries a password only where the user gave one.
        launcher: How we got it.
        product: What answered: `postgres`, `valkey`, `redis`, `qdrant`, `ollama`, or one of our substitutes,
            `embedded-qdrant` and `mock-llm`.
        version: As the service itself says on the wire.
        real: False for our substitutes.
        provenance: What it is, and who started it.
        pid: Process id; None when we did not start it.
        started_at: UTC; None when the service ran before we came.
        given: Whether a user named its address, so that it is never replaced.
    """

    service: str
    url: str
    launcher: LauncherName
    product: str
    version: str
    real: bool
    provenance: Provenance
    pid: int | None = None
    started_at: datetime | None = None
    given: bool = False

    @property
    def origin(self) -> str:
        """Return in words what was started, or where an attached service was found."""
        return str(self.provenance)

    @property
    def started_by(self) -> str:
        """Return who started an attached service, as far as they said so; empty where they did not."""
        return "" if self.provenance.started_by == RAGBED else self.provenance.started_by

    def to_json(self) -> dict[str, Any]:
        """Return the fields as JSON values, the time in ISO form, and what is made of them for a reader."""
        started_at = self.started_at.isoformat() if self.started_at else None
        return {
            **asdict(self),
            "started_at": started_at,
            "origin": self.origin,
            "started_by": self.started_by,
        }

    def to_shown_json(self) -> dict[str, Any]:
        """Return the fields as JSON values, with the password of the address hidden."""
        return {**self.to_json(), "url": redacted(self.url)}

    @classmethod
    def from_json(cls, values: dict[str, Any]) -> Endpoint:
        """Return the endpoint that `to_json` described; what it made for a reader is not read back.

        Raises:
            KeyError, TypeError, ValueError: It describes none.
        """
        texts = [values[name] for name in ("url", "product", "version")]
        switches = [values["real"], values.get("given", False)]
        if not all(isinstance(text, str) for text in texts) or {type(one) for one in switches} != {bool}:
            raise TypeError("a field is of another type")
        if not is_known(values["service"]) or values["launcher"] not in get_args(LauncherName):
            raise ValueError(
                f"{values['service']!r} is not a service, or {values['launcher']!r} not a launcher"
            )
        if values["pid"] is not None and type(values["pid"]) is not int:
            raise TypeError(f"the pid {values['pid']!r} is not a number")
        started_at = values["started_at"]
        fields = {name: value for name, value in values.items() if name not in _MADE_FOR_READERS}
        fields["started_at"] = datetime.fromisoformat(started_at) if started_at else None
        fields["provenance"] = Provenance.from_json(values["provenance"])
        return cls(**fields)
