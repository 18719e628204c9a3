"""Where a service answers, and who put it there."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any, Literal, get_args

LauncherName = Literal["attach", "process", "container"]
SERVICES = ("postgres", "redis", "qdrant", "ollama")
"""The four services of the stack, in the order that reports show them."""


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
        origin: In words for a report: the binary started, or where an attached service was found.
        pid: Process id; None when we did not start it.
        started_at: UTC; None when the service ran before we came.
        started_by: Who started an attached service, as far as they said so; empty when nobody did.
        given: Whether a user named its address, so that it is never replaced.
    """

    service: str
    url: str
    launcher: LauncherName
    product: str
    version: str
    real: bool
    origin: str
    pid: int | None = None
    started_at: datetime | None = None
    started_by: str = ""
    given: bool = False

    def to_json(self) -> dict[str, Any]:
        """Return the fields as JSON values, the time in ISO form."""
        values = asdict(self)
        values["started_at"] = self.started_at.isoformat() if self.started_at else None
        return values

    @classmethod
    def from_json(cls, values: dict[str, Any]) -> Endpoint:
        """Return the endpoint that `to_json` described.

        Raises:
            KeyError, TypeError, ValueError: It describes none.
        """
        texts = [values[name] for name in ("url", "product", "version", "origin", "started_by")]
        switches = [values["real"], values.get("given", False)]
        if not all(isinstance(text, str) for text in texts) or {type(one) for one in switches} != {bool}:
            raise TypeError("a field is of another type")
        if values["service"] not in SERVICES or values["launcher"] not in get_args(LauncherName):
            raise ValueError("no such service or launcher")
        if values["pid"] is not None and type(values["pid"]) is not int:
            raise TypeError("the pid is not a number")
        started_at = values["started_at"]
        return cls(**{**values, "started_at": datetime.fromisoformat(started_at) if started_at else None})
