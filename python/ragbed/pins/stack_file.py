"""`stack.toml`: typed, validated, refused with the line or key at fault."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping  # noqa: TC003 - pydantic reads the annotations
from dataclasses import dataclass
from pathlib import Path  # noqa: TC003 - pydantic reads the annotations
from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import AfterValidator, ConfigDict, Field, TypeAdapter, ValidationError
from pydantic.dataclasses import dataclass as validated

from ragbed.errors import PinFileError
from ragbed.pins.in_force import laid_over, our_pin_file, own_pin_file, pin_file
from ragbed.pins.versions import parse_exact, parse_range, satisfies

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pydantic_core import ErrorDetails

PRODUCTS = ("postgres", "redis", "valkey", "qdrant", "embedded-qdrant", "ollama", "mock-llm")
"""What may answer where a service is expected, by the name it is told by on the wire."""

_CLOSED = ConfigDict(extra="forbid")
_HEADER = re.compile(r"\s*\[\[?([^\[\]]+)\]")
_SETTING = re.compile(r"\s*([^#=\[\]]+?)\s*=")
_PATTERNS = {
    "digest": "a digest, sha256: and 64 hexadecimal digits",
    "sum": "a sum as in a go.sum, h1: and 44 signs of base64",
}


def _is_range(text: str) -> str:
    parse_range(text)
    return text


def _is_version(text: str) -> str:
    parse_exact(text)
    return text


def _is_product(text: str) -> str:
    if text not in PRODUCTS:
        raise ValueError(f"one of {', '.join(PRODUCTS)}")
    return text


Product = Annotated[str, AfterValidator(_is_product)]
Range = Annotated[str, AfterValidator(_is_range)]
ExactVersion = Annotated[str, AfterValidator(_is_version)]
Digest = Annotated[str, Field(pattern=r"^sha256:[0-9a-f]{64}$")]
GoSum = Annotated[str, Field(pattern=r"^h1:[A-Za-z0-9+/]{43}=$")]
Port = Annotated[int, Field(strict=True, ge=1, le=65535)]


@validated(frozen=True, slots=True, kw_only=True, config=_CLOSED)
class NixChannel:
    """The service as nixpkgs packages it."""

    attribute: str
    version: ExactVersion


@validated(frozen=True, slots=True, kw_only=True, config=_CLOSED)
class WheelChannel:
    """The service inside a Python wheel; `version` is what the server says, not the wheel."""

    package: str
    package_version: str
    version: ExactVersion


@validated(frozen=True, slots=True, kw_only=True, config=_CLOSED)
class ImageChannel:
    """The service as a container image; the digest is that of the multi-platform index."""

    reference: str
    version: ExactVersion
    digest: Digest


@validated(frozen=True, slots=True, kw_only=True, config=_CLOSED)
class GoChannel:
    """The service as the Go toolchain builds it; sums as in a `go.sum`, of the module's files and of its `go.mod`."""

    module: str
    version: ExactVersion
    sum: GoSum
    go_mod_sum: GoSum


@validated(frozen=True, slots=True, kw_only=True, config=_CLOSED)
class Channels:
    """The exact version per way to get the service; None where there is no such way."""

    nix: NixChannel
    wheel: WheelChannel | None = None
    image: ImageChannel
    go: GoChannel | None = None


@validated(frozen=True, slots=True, kw_only=True, config=_CLOSED)
class Limits:
    """What a started service may use.

    Attributes:
        connections: Clients at once.
        memory_mb: Memory in MiB, where the service or its container can be told.
    """

    connections: Annotated[int, Field(strict=True, ge=1)]
    memory_mb: Annotated[int, Field(strict=True, ge=16)]


@validated(frozen=True, slots=True, kw_only=True, config=_CLOSED)
class ServicePins:
    """What is pinned of one service.

    Attributes:
        port: The port where a service that already runs is looked for.
        ready: How readiness is asked, in words.
        ready_timeout_s: How long a start may take.
        limits: What a started service may use.
        accept: Accepted range per product, for example Redis and Valkey.
        channels: The exact version per way to get the service.
    """

    port: Port
    ready: str
    ready_timeout_s: Annotated[float, Field(strict=True, gt=0, allow_inf_nan=False)]
    limits: Limits
    accept: Annotated[Mapping[Product, Range], Field(min_length=1)]
    channels: Channels

    def accepts(self, product: str, version: str) -> bool:
        """Tell whether a product that answers with this version is in range."""
        accepted = self.accept.get(product)
        return accepted is not None and satisfies(version, accepted)

    def describe_range(self) -> str:
        """Return the accepted products and ranges as a report shows them."""
        return " or ".join(f"{product} {accepted}" for product, accepted in self.accept.items())


@validated(frozen=True, slots=True, kw_only=True, config=_CLOSED)
class Services:
    """The four services of the stack."""

    postgres: ServicePins
    redis: ServicePins
    qdrant: ServicePins
    ollama: ServicePins


@validated(frozen=True, slots=True, kw_only=True, config=_CLOSED)
class App:
    """The application under test.

    Attributes:
        port: Where the RAG API answers.
    """

    port: Port


@validated(frozen=True, slots=True, kw_only=True, config=_CLOSED)
class Python:
    """The interpreter: pinned where Nix brings it, elsewhere any that the project accepts."""

    nix: NixChannel


@validated(frozen=True, slots=True, kw_only=True, config=_CLOSED)
class _StackFile:
    schema: Literal[1]
    app: App
    python: Python
    services: Services


@dataclass(frozen=True, slots=True, kw_only=True)
class StackPins:
    """The pins of every service, the application's, the interpreter's, and the file they were read from."""

    path: Path
    app: App
    python: Python
    services: Mapping[str, ServicePins]

    def __getitem__(self, service: str) -> ServicePins:
        """Return the pins of one service."""
        return self.services[service]


_NAME = "stack.toml"


def stack_file_path() -> Path:
    """Return the pin file in force: the project's own, else ours."""
    return pin_file(_NAME)


def load_stack_pins(path: Path | None = None) -> StackPins:
    """Read and validate a pin file.

    Args:
        path: The file; None takes the one in force. A project's own may give a part: the rest is ours.

    Raises:
        PinFileError: It is missing, not TOML, or a key is missing, unknown or of a wrong value; names the line
            or key, what was found and what was expected.
    """
    own = None if path else own_pin_file(_NAME)
    path = path or stack_file_path()
    text, values = _read(path)
    if own:
        values = laid_over(_read(our_pin_file(_NAME))[1], values)
    try:
        parsed = TypeAdapter(_StackFile).validate_python(values)
    except ValidationError as error:
        problems = [_describe(problem, text) for problem in error.errors()]
        raise PinFileError(f"{path} is wrong: {problems[0]}", details=problems[1:]) from error
    services = {name: getattr(parsed.services, name) for name in parsed.services.__slots__}
    if outside := [_describe_outside(*pin, text) for pin in _outside_their_range(services)]:
        raise PinFileError(f"{path} is wrong: {outside[0]}", details=outside[1:])
    return StackPins(path=path, app=parsed.app, python=parsed.python, services=services)


def _read(path: Path) -> tuple[str, dict[str, Any]]:
    try:
        text = path.read_text(encoding="utf-8")
        return text, tomllib.loads(text)
    except OSError as error:
        raise PinFileError(f"cannot read the pin file {path}: {error.strerror}") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise PinFileError(f"{path} is not TOML: {error}") from error


def _outside_their_range(services: Mapping[str, ServicePins]) -> Iterator[tuple[list[str], str, str]]:
    """Yield key, version and accepted ranges of each pinned version that its own service would refuse."""
    for name, service in services.items():
        for channel in ("nix", "wheel", "image", "go"):
            pinned = getattr(service.channels, channel)
            if pinned and not any(
                satisfies(pinned.version, accepted) for accepted in service.accept.values()
            ):
                key = ["services", name, "channels", channel, "version"]
                yield key, pinned.version, service.describe_range()


def _describe_outside(keys: list[str], version: str, accepted: str, text: str) -> str:
    return f"{_where(keys, text)}: found {version!r}, expected a version in {accepted}"


def _describe(problem: ErrorDetails, text: str) -> str:
    """Return one line: key, line, what was found, what was expected."""
    where = _where([str(part) for part in problem["loc"] if part != "[key]"], text)
    if problem["type"] == "missing":
        return f"{where}: found nothing, expected a value"
    if problem["type"] == "unexpected_keyword_argument":
        return f"{where}: found an unknown key, expected none of that name"
    expected = problem["msg"].removeprefix("Input should be ").removeprefix("String should ")
    if problem["type"] == "string_pattern_mismatch":
        expected = _PATTERNS["digest" if problem["loc"][-1] == "digest" else "sum"]
    if problem["type"] == "too_short":
        expected = "at least one product and its range"
    if problem["type"] == "value_error":
        expected = expected.removeprefix("Value error, ")
    return f"{where}: found {_short(problem['input'])}, expected {expected}"


def _short(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 60 else text[:57] + "..."


def _where(keys: list[str], text: str) -> str:
    """Return the key, with its line where one can be told."""
    line = line_of(text, keys)
    return f"{'.'.join(keys)} (line {line})" if line else ".".join(keys)


def line_of(text: str, keys: list[str]) -> int | None:
    """Return the line that sets the key, or opens the table it belongs in; None when nothing names it."""
    table: list[str] = []
    best: tuple[int, int | None] = (0, None)
    for number, line in enumerate(text.splitlines(), start=1):
        if header := _HEADER.match(line):
            path = table = _split_key(header[1])
        elif setting := _SETTING.match(line):
            path = [*table, *_split_key(setting[1])]
        else:
            continue
        if keys[: len(path)] == path:
            best = max(best, (len(path), number), key=lambda place: place[0])
    return best[1]


def _split_key(dotted: str) -> list[str]:
    """Return the parts of a TOML key; ours have no dot inside quotes."""
    return [part.strip().strip("\"'") for part in dotted.split(".")]
