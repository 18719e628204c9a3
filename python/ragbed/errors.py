"""The one tree of exceptions, each with its exit code.

RagbedError                  1   a check failed
├── CheckFailed              1   a smoke stage or gate said no
├── UsageError               2   wrong flags or arguments
├── ConfigurationError       2   a setting or file is wrong
│   └── PinFileError         2   stack.toml is wrong
├── DocumentError            1   a document cannot be read
├── PipelineError            1   a step of the RAG pipeline failed
│   ├── EmbeddingFailed      1
│   │   └── InputTooLong     1   a text exceeds the model's context
│   ├── IndexFailed          1
│   └── AnswerFailed         1
├── ServiceMissing          10   a needed service is not there
│   └── ServiceNotReady     10   it was started or found, and does not answer as it should
├── DriftError              11   found versions or digests differ from the pins
├── BudgetExceeded          12   a paid call would pass the cap
└── GuardRefused            13   production, or a store without ragbed's marker
"""

from __future__ import annotations

from enum import IntEnum
from typing import TYPE_CHECKING, ClassVar, TypedDict

if TYPE_CHECKING:
    from collections.abc import Iterable


class ExitCode(IntEnum):
    """What a ragbed command tells the shell. From 10 up clear of pytest's own codes."""

    FINE = 0
    CHECK_FAILED = 1
    USAGE = 2
    SERVICE_MISSING = 10
    DRIFT = 11
    BUDGET = 12
    REFUSED = 13
    NOT_REPRODUCED = 20
    DIFFERENT_FAILURE = 21
    INTERRUPTED = 130


class ErrorJson(TypedDict):
    """An error on a wire between processes, over HTTP, in a report.

    Attributes:
        kind: The class's name.
        message: What happened, one line.
        details: Evidence, a line each.
        hint: What to do next; empty when there is nothing to add.
        exit_code: Of the command.
    """

    kind: str
    message: str
    details: list[str]
    hint: str
    exit_code: int


class RagbedError(Exception):
    """Root of every error a user may see.

    Args:
        message: One line: what happened, to what.
        details: Evidence, a line each; shown indented below the message.
        hint: What to do next, one line; empty when there is nothing to add.
    """

    exit_code: ClassVar[ExitCode] = ExitCode.CHECK_FAILED

    def __init__(self, message: str, *, details: Iterable[str] = (), hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.details = tuple(details)
        self.hint = hint

    def __reduce__(self) -> tuple[object, ...]:
        """Survive pickling, so that test workers can send errors home."""
        return (_rebuild, (type(self), self.message, self.details, self.hint))

    def to_json(self) -> ErrorJson:
        """Return the error as JSON values."""
        return {
            "kind": type(self).__name__,
            "message": self.message,
            "details": list(self.details),
            "hint": self.hint,
            "exit_code": int(self.exit_code),
        }

    @staticmethod
    def from_json(value: ErrorJson) -> RagbedError:
        """Return the error that `to_json` described; one of an unknown kind becomes a failed check."""
        kind = globals().get(value["kind"], CheckFailed)
        known = isinstance(kind, type) and issubclass(kind, RagbedError)
        return (kind if known else CheckFailed)(
            value["message"], details=value["details"], hint=value["hint"]
        )

    def shortened(self) -> RagbedError:
        """Return the error with the last of its details alone, which names the log where there is one."""
        return type(self)(self.message, details=self.details[-1:], hint=self.hint)

    def render(self) -> str:
        """Return message, details and hint as the terminal shows them."""
        lines = [self.message, *(f"  {line}" for line in self.details)]
        if self.hint:
            lines.append(f"try: {self.hint}")
        # A line break within one, of a file's name for example, would forge a line of ours.
        return "\n".join(line.replace("\n", r"\n") for line in lines)


def _rebuild(kind: type[RagbedError], message: str, details: tuple[str, ...], hint: str) -> RagbedError:
    return kind(message, details=details, hint=hint)


class CheckFailed(RagbedError):
    """A smoke stage or a gate said no."""


class UsageError(RagbedError):
    """Wrong flags or arguments."""

    exit_code = ExitCode.USAGE


class ConfigurationError(RagbedError):
    """A setting or a file is wrong."""

    exit_code = ExitCode.USAGE


class PinFileError(ConfigurationError):
    """A pin file is wrong; names the line or key, what was found, what was expected."""


class DocumentError(RagbedError):
    """A document cannot be read."""


class PipelineError(RagbedError):
    """A step of the RAG pipeline failed."""


class EmbeddingFailed(PipelineError):
    """The embedding provider refused, or gave vectors of a wrong shape."""


class InputTooLong(EmbeddingFailed):
    """A text exceeds the model's context; split it and go on."""


class IndexFailed(PipelineError):
    """The vector store refused a write or a query."""


class AnswerFailed(PipelineError):
    """The chat provider refused or broke off."""


class ServiceMissing(RagbedError):
    """A needed service is not there."""

    exit_code = ExitCode.SERVICE_MISSING


class ServiceNotReady(ServiceMissing):
    """A service was started or found, and does not answer as it should."""


class DriftError(RagbedError):
    """Found versions or digests differ from the pins."""

    exit_code = ExitCode.DRIFT


class BudgetExceeded(RagbedError):
    """A paid call would pass the cap."""

    exit_code = ExitCode.BUDGET


class GuardRefused(RagbedError):
    """Production, or a store without ragbed's marker."""

    exit_code = ExitCode.REFUSED
