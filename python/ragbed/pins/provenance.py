"""What a server or its program is, and who started it: typed; the words for a person are made from it."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, Literal, get_args

if TYPE_CHECKING:
    from collections.abc import Mapping

Channel = Literal["nix", "wheel", "path", "image", "go", "substitute", "external"]
RAGBED, DEVENV = "ragbed", "devenv"
"""Who starts servers, as far as they say so: ragbed itself, and devenv's set-up task."""


_SHOWN_OF_DIGEST = len("sha256:") + 12


@dataclass(frozen=True, slots=True, kw_only=True)
class Provenance:
    """What a server is, and who started it.

    Attributes:
        channel: The way it was had; `substitute` for ours, `external` for a server that others run, by unknown means.
        package: The wheel or the image that it comes from; empty where none is known.
        path: The program on PATH, before links are followed; empty where it was not started from PATH.
        digest: Of its image; None where it is not a container.
        container: Id of its container; None where it is not one.
        started_by: `ragbed`, `devenv`, or the name that announced it; empty where that is not known.
        named_by: The variable or key that names its address; empty where none does.
        port: The port on which it was found, where no address was named; else None.
        models: The folder whose models an Ollama serves; empty for other services.
    """

    channel: Channel
    package: str = ""
    path: str = ""
    digest: str | None = None
    container: str | None = None
    started_by: str = ""
    named_by: str = ""
    port: int | None = None
    models: str = ""

    def __str__(self) -> str:
        """Return in words what was started, or where it was found."""
        where = f", models in {self.models}" if self.models else ""
        return f"{self._what()}{where}"

    def _what(self) -> str:
        if self.named_by:
            return f"found by {self.named_by}"
        if self.port:
            return f"found on port {self.port}"
        if self.channel == "substitute":
            wheel = f"embedded: wheel {self.package} behind ragbed's server"
            return wheel if self.package else "mock: ragbed's deterministic LLM"
        if self.channel == "image":
            return f"image {self.package} {(self.digest or '')[:_SHOWN_OF_DIGEST]}".rstrip()
        if self.channel == "wheel":
            return f"wheel {self.package}"
        return f"{self.path} on PATH" if self.path else self.channel

    def to_json(self) -> dict[str, Any]:
        """Return the fields as JSON values."""
        return asdict(self)

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> Provenance:
        """Return the provenance that `to_json` described.

        Raises:
            TypeError, ValueError: It describes none.
        """
        provenance = cls(**values)
        texts = (
            provenance.package, provenance.path, provenance.digest or "", provenance.container or "",
            provenance.started_by, provenance.named_by, provenance.models,
        )  # fmt: skip
        if not all(isinstance(text, str) for text in texts):
            raise TypeError("a field is of another type")
        if provenance.port is not None and type(provenance.port) is not int:
            raise TypeError(f"the port {provenance.port!r} is not a number")
        if provenance.channel not in get_args(Channel):
            raise ValueError(f"{provenance.channel!r} is not a channel")
        return provenance
