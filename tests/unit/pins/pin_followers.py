"""What repeats a pin of `stack.toml`, and what must not: the texts of a checkout judged against its pin file."""

from __future__ import annotations

import re
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from ragbed.pins import load_stack_pins

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from ragbed.pins import StackPins

CHECKOUT = Path(__file__).resolve().parents[3]
_VERSION = r"(\d+(?:\.\d+)+(?:\.post\d+)?)"

# Documents of a corpus say what was seen with which version, and tests bring values of their own; the lock files are
# compared with the pins elsewhere, as are compose.yaml and the recipes for CI, and the change log tells of the past.
_NOT_SEARCHED = re.compile(
    r"^(stack\.toml|compose\.yaml|docs/ci\.md|CHANGELOG\.md|docs/(lessons|golden)/.*|docs/performance\.md|tests/.*|.*\.lock|.*/wheels\.json"
    r"|python/ragbed/models/fingerprint/.*)$"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Mention:
    """A form of words in which a pin is repeated.

    Attributes:
        form: Finds it; its one group is the value.
        right: The values that are right, given the pins.
        files: Where it is looked for, as a pattern of the whole path.
    """

    form: re.Pattern[str]
    right: Callable[[StackPins], set[str]]
    files: re.Pattern[str] = re.compile(r".*")


def _mention(form: str, right: Callable[[StackPins], set[str]], files: str = r".*") -> Mention:
    return Mention(form=re.compile(form, re.MULTILINE), right=right, files=re.compile(files))


def _versions(service: str) -> Callable[[StackPins], set[str]]:
    """Return the versions of a service in all its channels."""

    def right(pins: StackPins) -> set[str]:
        channels = pins[service].channels
        every = (channels.nix, channels.wheel, channels.image, channels.go)
        return {channel.version for channel in every if channel}

    return right


def _wheel(service: str, field: str) -> Callable[[StackPins], set[str]]:
    return lambda pins: {str(getattr(pins[service].channels.wheel, field))}


def _ports(pins: StackPins) -> set[str]:
    return {", ".join(str(service.port) for service in pins.services.values())}


MENTIONS = (
    _mention(rf"\bpostgres {_VERSION}", _versions("postgres"), r"(README|docs/stack|docs/doctor)\.md"),
    _mention(rf"the server is {_VERSION}", _versions("postgres"), r"docs/when-things-break\.md"),
    _mention(rf"\bvalkey {_VERSION}", _wheel("redis", "version"), r"(README|docs/stack|docs/doctor)\.md"),
    _mention(
        rf"\bembedded-qdrant {_VERSION}", _wheel("qdrant", "version"), r"(README|docs/stack|docs/doctor)\.md"
    ),
    _mention(rf"{_VERSION} is the newest release", _versions("ollama"), r"docs/real-ollama\.md"),
    _mention(rf"\bmock-llm {_VERSION}", _versions("ollama"), r"(README|docs/stack|docs/doctor)\.md"),
    _mention(rf'"version": "{_VERSION}", "ragbed"', _versions("ollama"), r"docs/mock-llm\.md"),
    _mention(rf'^WIRE_VERSION = "{_VERSION}"', _versions("ollama"), r"python/ragbed/gateway/.*"),
    _mention(rf'^OLLAMA = "{_VERSION}"', _versions("ollama"), r"python/ragbed/contracts/llm/case\.py"),
    _mention(rf'^WIRE_VERSION = "{_VERSION}"', _wheel("qdrant", "version"), r"python/ragbed/qdrant/.*"),
    _mention(rf'"version": ?"{_VERSION}"[,}}]\n', _wheel("qdrant", "version"), r"docs/embedded-qdrant\.md"),
    _mention(rf'Qdrant","version":"{_VERSION}"', _wheel("qdrant", "version"), r"python/ragbed/qdrant/.*"),
    _mention(
        rf"\bqdrant-edge-py(?:==| ){_VERSION}",
        _wheel("qdrant", "package_version"),
        r"(?!docs/lessons|.*\.json).*",
    ),
    _mention(rf"\bembedded-postgres=={_VERSION}", _wheel("postgres", "package_version")),
    _mention(rf"\bvalkeylite=={_VERSION}", _wheel("redis", "package_version")),
    _mention(r"the RAG API on port (\d+)", lambda pins: {str(pins.app.port)}, r"README\.md"),
    _mention(r"default port \(([\d, ]+)\)", _ports, r"docs/stack\.md"),
)
# A client's version, what a measurement was made on, and examples of the forms of versions are not pins.
_NO_PINS = re.compile(
    rf"qdrant-client {_VERSION}|Ollama {_VERSION}"
    rf"|such as '{_VERSION}'|For example `{_VERSION}`, `v{_VERSION}`|\({_VERSION} \(Debian"
)


def repeated(root: Path, files: dict[str, str]) -> Iterator[str]:
    """Yield each repeated pin that is not what the pin file of a checkout says: file, words, what is right."""
    pins = load_stack_pins(root / "stack.toml")
    for name, text in files.items():
        for mention in MENTIONS:
            if not mention.files.fullmatch(name):
                continue
            right = mention.right(pins)
            for found in mention.form.finditer(text):
                if found[1] not in right:
                    yield f"{name}: {found[0].strip()}, pinned {' or '.join(sorted(right))}"


def loose(root: Path, files: dict[str, str]) -> Iterator[str]:
    """Yield each pinned version or digest that stands where no comparison reaches it."""
    values = re.compile("|".join(rf"(?<![\w.])v?{re.escape(one)}(?![\w]|\.\d)" for one in _pinned(root)))
    for name, text in files.items():
        if _NOT_SEARCHED.match(name):
            continue
        for mention in MENTIONS:
            if mention.files.fullmatch(name):
                text = mention.form.sub("", text)  # noqa: PLW2901 - what is compared is taken out
        for line in _NO_PINS.sub("", text).splitlines():
            yield from (f"{name}: {found[0]} in {line.strip()[:80]!r}" for found in values.finditer(line))


def _pinned(root: Path) -> set[str]:
    pins = load_stack_pins(root / "stack.toml")
    found = {pins.python.nix.version}
    for service in pins.services.values():
        channels = service.channels
        for channel in (channels.nix, channels.wheel, channels.image, channels.go):
            if channel:
                found.add(channel.version)
        found |= {channels.image.digest, channels.image.reference}
        if channels.wheel:
            found.add(channels.wheel.package_version)
    return found


def texts(root: Path = CHECKOUT) -> dict[str, str]:
    """Return every text of a checkout that Git knows, by path."""
    listed = subprocess.run(
        ["git", "ls-files", "-z"], cwd=root, capture_output=True, text=True, check=True
    ).stdout
    found = {}
    for name in filter(None, listed.split("\0")):
        path = root / name
        try:
            found[name] = path.read_text(encoding="utf-8")
        except (UnicodeDecodeError, FileNotFoundError, IsADirectoryError):
            continue
    return found
