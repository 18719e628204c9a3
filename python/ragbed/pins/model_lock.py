"""`models.lock.json`: which models, by the digests of their manifests and blobs; a wrong digest is refused."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Mapping  # noqa: TC003 - pydantic reads the annotations
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import ConfigDict, Field, TypeAdapter, ValidationError
from pydantic.dataclasses import dataclass as validated

from ragbed.errors import PinFileError, UsageError
from ragbed.pins.in_force import laid_over, our_pin_file, own_pin_file, pin_file
from ragbed.pins.model_pin import ModelPin  # noqa: TC001 - pydantic reads the annotations
from ragbed.project import project_folder

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path

    from pydantic_core import ErrorDetails

SET = r"^[a-z0-9][a-z0-9._-]*$"
_CLOSED = ConfigDict(extra="forbid")


@validated(frozen=True, slots=True, kw_only=True, config=_CLOSED)
class _LockFile:
    schema: Literal[1]
    default: str
    sets: Mapping[Annotated[str, Field(pattern=SET)], Annotated[tuple[str, ...], Field(min_length=1)]]
    models: Mapping[str, ModelPin]


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelLock:
    """The pinned models.

    Attributes:
        path: The file they were read from.
        default: The set that commands take where none is named.
        sets: Names with tags, by set.
        models: The entries by name with tag.
    """

    path: Path
    default: str
    sets: Mapping[str, tuple[str, ...]]
    models: Mapping[str, ModelPin]

    def __getitem__(self, model: str) -> ModelPin:
        """Return the entry of a model, named with or without `:latest`.

        Raises:
            UsageError: The lock has no such entry.
        """
        try:
            return self.models[with_tag(model)]
        except KeyError:
            raise UsageError(
                f"{self.path.name} has no model {model}",
                details=[f"it has: {', '.join(self.models)}"],
                hint=f"ragbed models lock {model}",
            ) from None

    def select(self, *, sets: Sequence[str] = (), models: Sequence[str] = ()) -> tuple[ModelPin, ...]:
        """Return the entries of the named sets and models; of the default set where nothing is named.

        Raises:
            UsageError: There is no such set or model.
        """
        for name in sets:
            if name not in self.sets:
                raise UsageError(f"there is no set {name!r}", hint=f"one of {', '.join(self.sets)}")
        named = [model for name in sets for model in self.sets[name]] + list(models)
        chosen = [self[model] for model in named or self.sets[self.default]]
        return tuple({pin.full_name: pin for pin in chosen}.values())

    def sets_of(self, model: str) -> tuple[str, ...]:
        """Return the sets that hold a model."""
        return tuple(name for name, members in self.sets.items() if with_tag(model) in members)

    def with_pin(self, pin: ModelPin, *, into: str | None = None) -> ModelLock:
        """Return the lock with an entry added or replaced, and put into a set.

        Raises:
            UsageError: The set's name is none.
        """
        if into and not re.fullmatch(SET, into):
            raise UsageError(
                f"{into!r} is not a set's name", hint="write it in small letters, digits, dots and dashes"
            )
        sets = dict(self.sets)
        if into and pin.full_name not in sets.get(into, ()):
            sets[into] = (*sets.get(into, ()), pin.full_name)
        return replace(self, models={**self.models, pin.full_name: pin}, sets=sets)

    def encode(self) -> str:
        """Return the text of the file."""
        value = {
            "schema": 1,
            "default": self.default,
            "sets": {name: list(members) for name, members in self.sets.items()},
            "models": {name: pin.to_json() for name, pin in self.models.items()},
        }
        return json.dumps(value, indent=2, ensure_ascii=False) + "\n"


def with_tag(model: str) -> str:
    """Return a model's name with its tag; Ollama's default tag is `latest`."""
    return model if ":" in model else f"{model}:latest"


def fetch_command(models: Iterable[str]) -> str:
    """Return what a user types who lacks these models: hints of every room say it alike."""
    return " ".join(["ragbed models fetch", *(f"--model {with_tag(model)}" for model in models)])


_NAME = "models.lock.json"


def model_lock_path() -> Path:
    """Return the lock in force: `RAGBED_MODELS_LOCK`, else the project's own, else ours."""
    return pin_file(_NAME)


def lock_to_write(path: Path | None = None) -> Path:
    """Return the lock that a change goes to: the one that was named, else the project's, which need not be there yet.

    Args:
        path: The file that was named on the command line; None for none.
    """
    if path or os.environ.get("RAGBED_MODELS_LOCK"):
        return path or model_lock_path()
    return project_folder() / _NAME


def pinned_digests(path: Path | None = None) -> dict[str, str]:
    """Return the digest of each pinned model by name with tag; none where no lock was named and there is none.

    Raises:
        PinFileError: There is a lock, and it is wrong.
    """
    if not (path or os.environ.get("RAGBED_MODELS_LOCK") or model_lock_path().is_file()):
        return {}
    return {name: pin.digest for name, pin in load_model_lock(path).models.items()}


def load_model_lock(path: Path | None = None) -> ModelLock:
    """Read and validate a lock, and recompute each digest from its parts.

    Args:
        path: The file; None takes the one in force. A project's own, or one that a variable names, that lacks
            `default`, `sets` or `models` is laid over ours.

    Raises:
        PinFileError: It is missing, not JSON, or a key is missing, unknown, named twice or of a wrong value, or a
            digest is not that of its parts; names the key, what was found and what was expected.
    """
    is_own = not path and own_pin_file(_NAME) is not None
    path = path or model_lock_path()
    values = _read(path)
    if is_own and isinstance(values, dict) and not {"default", "sets", "models"} <= set(values):
        values = laid_over(_read(our_pin_file(_NAME)), values)
    try:
        parsed = TypeAdapter(_LockFile).validate_python(values)
    except ValidationError as error:
        problems = [_describe(problem) for problem in error.errors()]
        raise PinFileError(f"{path} is wrong: {problems[0]}", details=problems[1:]) from error
    if problems := [*_wrong_entries(parsed), *_wrong_sets(parsed)]:
        raise PinFileError(f"{path} is wrong: {problems[0]}", details=problems[1:])
    return ModelLock(path=path, default=parsed.default, sets=dict(parsed.sets), models=dict(parsed.models))


def _read(path: Path) -> Any:
    try:
        return json.loads(path.read_text(encoding="utf-8"), object_pairs_hook=_only_once)
    except OSError as error:
        raise PinFileError(f"cannot read the model lock {path}: {error.strerror}") from error
    except (ValueError, RecursionError) as error:
        raise PinFileError(f"{path} is not a lock in JSON: {error}") from error


def _only_once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    values = dict(pairs)
    if len(values) != len(pairs):
        twice = next(key for key, _ in pairs if [other for other, _ in pairs].count(key) > 1)
        raise ValueError(f"the key {twice!r} is there twice")
    return values


def _wrong_entries(file: _LockFile) -> list[str]:
    problems = []
    for key, pin in file.models.items():
        if key != pin.full_name:
            problems.append(f"models.{key}: found {pin.full_name!r} in name and tag, expected {key!r}")
        if pin.digest != pin.manifest.digest:
            problems.append(
                f"models.{key}.digest: found {pin.digest}, expected {pin.manifest.digest}, which its manifest's"
                " parts give"
            )
        problems += _sizes_that_differ(key, pin)
    return problems


def _sizes_that_differ(key: str, pin: ModelPin) -> list[str]:
    """Return a line per part that gives a blob another size than the part before."""
    sizes: dict[str, int] = {}
    return [
        f"models.{key}.manifest: found size {part.size_bytes} of {part.digest},"
        f" expected {sizes[part.digest]} as above"
        for part in (pin.manifest.config, *pin.manifest.layers)
        if sizes.setdefault(part.digest, part.size_bytes) != part.size_bytes
    ]


def _wrong_sets(file: _LockFile) -> list[str]:
    known = ", ".join(file.models)
    problems = [
        f"sets.{name}: found {model!r}, expected one of {known}"
        for name, members in file.sets.items()
        for model in members
        if model not in file.models
    ]
    if file.default not in file.sets:
        problems.append(f"default: found {file.default!r}, expected one of {', '.join(file.sets)}")
    return problems


def _describe(problem: ErrorDetails) -> str:
    """Return one line: key, what was found, what was expected."""
    where = ".".join(str(part) for part in problem["loc"]) or "the whole"
    if problem["type"] == "missing":
        return f"{where}: found nothing, expected a value"
    if problem["type"] in {"unexpected_keyword_argument", "extra_forbidden"}:
        return f"{where}: found an unknown key, expected none of that name"
    expected = problem["msg"].removeprefix("Input should be ").removeprefix("String should ")
    if "sha256" in str(problem.get("ctx", {}).get("pattern", "")):
        expected = "a digest, sha256: and 64 hexadecimal digits"
    if problem["type"] == "dataclass_type":
        expected = "an object"
    value = repr(problem["input"])
    return f"{where}: found {value if len(value) <= 80 else value[:77] + '...'}, expected {expected}"
