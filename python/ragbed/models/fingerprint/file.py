"""`models.fingerprints.json`, beside the lock: every fingerprint that was recorded, as text to review."""

from __future__ import annotations

import json
from collections.abc import Mapping  # noqa: TC003 - pydantic reads the annotations
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import ConfigDict, Field, TypeAdapter, ValidationError
from pydantic.dataclasses import dataclass as validated

from ragbed.errors import PinFileError
from ragbed.models.fingerprint.canaries import Purpose  # noqa: TC001 - pydantic reads the annotations
from ragbed.models.fingerprint.record import Fingerprint
from ragbed.models.writing import write_text
from ragbed.pins import model_lock_path
from ragbed.pins.versions import parse_version

if TYPE_CHECKING:
    from pathlib import Path

    from pydantic_core import ErrorDetails

_CLOSED = ConfigDict(extra="forbid")
_Named = Annotated[str, Field(min_length=1)]


@validated(frozen=True, slots=True, kw_only=True, config=_CLOSED)
class _Entry:
    model: _Named
    digest: Annotated[str, Field(pattern=r"^sha256:[0-9a-f]{64}$")]
    runtime: _Named
    backend: _Named
    purpose: Purpose
    canaries: _Named
    checksum: _Named
    vectors: Mapping[str, str] | None = None
    answers: Mapping[str, str] | None = None


@validated(frozen=True, slots=True, kw_only=True, config=_CLOSED)
class _File:
    schema: Literal[1]
    fingerprints: tuple[_Entry, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class FingerprintFile:
    """What was recorded.

    Attributes:
        path: Where it is, or will be.
        fingerprints: In the order of the file.
    """

    path: Path
    fingerprints: tuple[Fingerprint, ...] = ()

    def exact(self, seen: Fingerprint) -> Fingerprint | None:
        """Return what was recorded for the same bytes, runtime and backend by the same canaries; None for nothing."""
        return next((one for one in self._comparable(seen) if seen.setup.is_like(one.setup)), None)

    def nearest(self, seen: Fingerprint) -> Fingerprint | None:
        """Return the recorded fingerprint of the same bytes, else of the same name, that has most in common.

        Among equals the newest runtime wins. None where neither bytes nor name are known.
        """
        return max(self._comparable(seen), key=lambda one: _likeness(seen, one), default=None)

    def recorded(self, fingerprint: Fingerprint) -> FingerprintFile:
        """Return the file with a fingerprint in place of the one of the same name, runtime and backend.

        One of other bytes under that name goes too: the lock has one digest per name.
        """
        others = [one for one in self.fingerprints if _place(one) != _place(fingerprint)]
        return replace(self, fingerprints=tuple(sorted([*others, fingerprint], key=_order)))

    def encode(self) -> str:
        """Return the text of the file: a line per vector."""
        value = {"schema": 1, "fingerprints": [one.to_json() for one in self.fingerprints]}
        return json.dumps(value, indent=2, ensure_ascii=False) + "\n"

    def write(self) -> None:
        """Write it; a reader sees the old one or the new one."""
        write_text(self.path, self.encode())

    def _comparable(self, seen: Fingerprint) -> list[Fingerprint]:
        return [
            one
            for one in self.fingerprints
            if (one.purpose, one.canaries) == (seen.purpose, seen.canaries)
            and (one.setup.digest == seen.setup.digest or one.setup.model == seen.setup.model)
        ]


def fingerprints_path(lock: Path | None = None) -> Path:
    """Return the file that belongs to a lock: `models.lock.json` has `models.fingerprints.json` beside it.

    Args:
        lock: The lock's path; None takes the one in force.
    """
    lock = lock or model_lock_path()
    return lock.with_name(f"{lock.name.removesuffix('.json').removesuffix('.lock')}.fingerprints.json")


def load_fingerprints(path: Path | None = None) -> FingerprintFile:
    """Read and check the recorded fingerprints; none where there is no file.

    Args:
        path: The file; None takes the one beside the lock in force.

    Raises:
        PinFileError: It cannot be read, or was changed by other means than the command; names the key.
    """
    path = path or fingerprints_path()
    try:
        values = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return FingerprintFile(path=path)
    except OSError as error:
        raise PinFileError(f"cannot read the fingerprints {path}: {error.strerror}") from error
    except ValueError as error:
        raise _wrong(path, f"it is not JSON: {error}") from error
    try:
        TypeAdapter(_File).validate_python(values)
    except ValidationError as error:
        raise _wrong(path, _describe(error.errors()[0])) from error
    return FingerprintFile(path=path, fingerprints=tuple(_entries(path, values["fingerprints"])))


def _entries(path: Path, values: list[dict[str, Any]]) -> list[Fingerprint]:
    fingerprints = []
    for number, value in enumerate(values):
        try:
            fingerprints.append(Fingerprint.from_json(value))
        except ValueError as error:
            raise _wrong(path, f"fingerprints.{number} ({value['model']}): {error}") from error
    return fingerprints


def _wrong(path: Path, problem: str) -> PinFileError:
    return PinFileError(
        f"{path} is wrong: {problem}",
        hint="restore it from git; or delete it and record again: ragbed models fingerprint --update",
    )


def _describe(problem: ErrorDetails) -> str:
    where = ".".join(str(part) for part in problem["loc"]) or "the whole"
    return f"{where}: {problem['msg'][0].lower()}{problem['msg'][1:]}"


def _likeness(seen: Fingerprint, recorded: Fingerprint) -> tuple[bool, bool, bool, bool, object]:
    now, then = seen.setup, recorded.setup
    return (
        now.digest == then.digest,
        now.model == then.model,
        now.backend == then.backend,
        now.runtime == then.runtime,
        _version(then.runtime),
    )


def _place(fingerprint: Fingerprint) -> tuple[str, str, str]:
    setup = fingerprint.setup
    return (setup.model, setup.backend, setup.runtime)


def _order(fingerprint: Fingerprint) -> tuple[object, ...]:
    model, backend, runtime = _place(fingerprint)
    return (model, backend, _version(runtime), runtime)


def _version(runtime: str) -> tuple[int, ...]:
    """Return the runtime's version as numbers; none where it has none."""
    try:
        return parse_version(runtime.rpartition(" ")[2]).release
    except ValueError:
        return ()
