"""Golden questions: JSON Lines, one question with the documents that answer it."""

from __future__ import annotations

import json
import posixpath
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Any

from ragbed.errors import ConfigurationError

if TYPE_CHECKING:
    from pathlib import Path

_FIELDS = {"id", "question", "relevant", "kind", "held_out"}
_KINDS = ("near", "far")
_EXAMPLE = '{"id": "q1", "question": "…?", "relevant": ["page.md"]}'


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """One golden question.

    Attributes:
        id: Unique in its file.
        question: As a user would ask it.
        relevant: Paths of the documents that answer it, relative to the corpus; empty when unanswerable.
        kind: How far an unanswerable question is from the topic: `near`, `far` or empty.
        held_out: Whether it is kept from tuning.
    """

    id: str
    question: str
    relevant: tuple[str, ...]
    kind: str = ""
    held_out: bool = False


def load_questions(path: Path) -> list[Question]:
    """Read a questions file.

    Raises:
        ConfigurationError: It cannot be read or holds no question, or a line is wrong; names the line and what was
            expected.
    """
    try:
        text = path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        reason = (error.strerror if isinstance(error, OSError) else "") or error
        raise ConfigurationError(
            f"cannot read the questions file {path}: {reason}",
            hint="name a file with a line each: " + _EXAMPLE,
        ) from error
    questions: dict[str, Question] = {}
    # Lines end with a newline only: JSON text may hold other separators, such as U+2028.
    for number, line in enumerate(text.split("\n"), 1):
        if not line.strip():
            continue
        question = _parse(path, number, line)
        if question.id in questions:
            raise _wrong(path, number, f"has the id {question.id!r} of an earlier line; ids are unique")
        questions[question.id] = question
    if not questions:
        raise ConfigurationError(
            f"the questions file {path} holds no question",
            hint="a line each: " + _EXAMPLE,
        )
    return list(questions.values())


def _parse(path: Path, number: int, line: str) -> Question:
    try:
        value = json.loads(line)
    except ValueError as error:
        raise _wrong(path, number, f"is not JSON ({error})") from None
    if not isinstance(value, dict):
        raise _wrong(path, number, "is not a JSON object")
    if unknown := sorted(set(value) - _FIELDS):
        raise _wrong(path, number, f"has the unknown field {unknown[0]!r}")
    relevant = value.get("relevant")
    if not isinstance(relevant, list) or not all(isinstance(one, str) for one in relevant):
        raise _wrong(path, number, f"has relevant {relevant!r}, expected a list of paths")
    if any(PurePosixPath(one).is_absolute() for one in relevant):
        raise _wrong(path, number, "has an absolute path; relevant is relative to the corpus")
    return Question(
        id=_text(path, number, value, "id"),
        question=_text(path, number, value, "question"),
        relevant=tuple(posixpath.normpath(one) for one in relevant),  # ./page.md is page.md
        kind=_kind(path, number, value),
        held_out=_flag(path, number, value),
    )


def _text(path: Path, number: int, value: dict[str, Any], name: str) -> str:
    text = value.get(name)
    if not isinstance(text, str) or not text.strip():
        raise _wrong(path, number, f"has {name} {text!r}, expected some text")
    return text


def _kind(path: Path, number: int, value: dict[str, Any]) -> str:
    kind = value.get("kind") or ""
    if kind and kind not in _KINDS:
        raise _wrong(path, number, f"has kind {kind!r}, expected near or far")
    return str(kind)


def _flag(path: Path, number: int, value: dict[str, Any]) -> bool:
    flag = value.get("held_out", False)
    if not isinstance(flag, bool):
        raise _wrong(path, number, f"has held_out {flag!r}, expected true or false")
    return flag


def _wrong(path: Path, number: int, what: str) -> ConfigurationError:
    return ConfigurationError(
        f"{path}, line {number} {what}",
        hint=_EXAMPLE,
    )
