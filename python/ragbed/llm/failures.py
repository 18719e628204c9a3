"""What can go wrong between us and Ollama: which failure it is, whether to ask again, which error it becomes.

`failure_of` reads the exceptions of the official client and of the HTTP library below it. The decisions on a failure
are pure functions, so an async caller can use them as well.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from ragbed.errors import EmbeddingFailed, InputTooLong, RagbedError, ServiceMissing, ServiceNotReady
from ragbed.llm.library import ollama_library
from ragbed.pins import fetch_command

if TYPE_CHECKING:
    from ragbed.llm.timeouts_and_retries import ClientPolicy

Kind = Literal[
    "refused", "busy", "cut", "silent", "slow", "absent", "too_long", "crashed", "declined", "garbled"
]
_NOT_BEGUN = ("refused", "busy")
_PASSING = ("cut", "crashed")
_TOO_LONG = ("context length", "context size", "too large to process")
_RUNNER_LOST = (
    "runner process has terminated",
    "runner process no longer running",
    "do embedding request",
    "error reading embed response",
    "unexpected server status",
)
"""How Ollama 0.24 says that the process which holds a model died; the status is 400 or 500."""
_UP = "ragbed up starts the services, ragbed status shows them"
_LOG = "look whether it died: ragbed logs ollama"


@dataclass(frozen=True, slots=True, kw_only=True)
class NamedRequest:
    """A request as errors name it.

    Attributes:
        server: Address without secrets.
        model: The model asked.
        doing: What is asked for, as in `embedding 50 texts by all-minilm`.
        failed: What to raise where the model itself refuses.
        repeatable: Whether it does no harm twice; an answer that is half read is never asked for again.
        limit_s: The time-out that a silence ends.
        limit: The setting of that time-out.
    """

    server: str
    model: str
    doing: str
    failed: type[RagbedError]
    repeatable: bool
    limit_s: float
    limit: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Failure:
    """Why a request gave no answer.

    Attributes:
        kind: `refused`: nothing listens. `busy`: the queue is full. `cut`: the connection broke. `silent`:
            nothing came for the phase's time-out. `slow`: pieces came, and no end. `absent`: no such model.
            `too_long`: a text exceeds the context. `crashed`: the model's process died. `declined`: any other
            refusal. `garbled`: the answer is none.
        said: In the server's words, one line.
        begun: Whether a part of the answer had been read.
    """

    kind: Kind
    said: str
    begun: bool = False


def vendor_errors() -> tuple[type[Exception], ...]:
    """Return what the official client raises; call it where it is imported already, it is heavy."""
    import httpx  # noqa: PLC0415 - comes with the client

    ollama = ollama_library()

    # It takes answers apart without looking: what is not an answer ends in one of the last three.
    return (ollama.ResponseError, ConnectionError, httpx.RequestError, ValueError, TypeError, AttributeError)


def failure_of(error: Exception, *, begun: bool = False) -> Failure:
    """Return which failure an exception of the official client stands for.

    Args:
        error: One of `vendor_errors`.
        begun: Whether a part of the answer had been read.
    """
    import httpx  # noqa: PLC0415 - comes with the client

    ollama = ollama_library()

    said = (str(error) or type(error).__name__).split("\n", 1)[0]
    if isinstance(error, ollama.ResponseError):
        said = str(error.error).strip()  # other servers give an object
        return Failure(kind=_refusal(error.status_code, said), said=said, begun=begun)
    if isinstance(error, httpx.ConnectTimeout):  # the request's own time has not begun
        return Failure(kind="refused", said="no connection came about in time", begun=begun)
    if isinstance(error, httpx.TimeoutException):
        return Failure(kind="silent", said=said, begun=begun)
    if isinstance(error, httpx.ConnectError | ConnectionError):
        return Failure(kind="refused", said="the connection was refused", begun=begun)
    kind: Kind = "cut" if isinstance(error, httpx.TransportError) else "garbled"
    return Failure(kind=kind, said=said, begun=begun)


def _refusal(status: int, said: str) -> Kind:
    """Return what a status and the server's words mean; an error within a stream has the status -1."""
    if status == 404:
        return "absent"
    if status == 503:
        return "busy"
    if any(words in said for words in _TOO_LONG):
        return "too_long"
    return "crashed" if any(words in said for words in _RUNNER_LOST) else "declined"


def pause_before_again(
    failure: Failure, call: NamedRequest, *, repeats: int, policy: ClientPolicy
) -> float | None:
    """Return how long to wait before the request is sent again; None where it is not.

    Sent again is what has certainly not begun, and what does no harm twice; never what is half read, and never
    after a time-out: the server was given its time.

    Args:
        failure: What went wrong.
        call: What was asked.
        repeats: How often it has been sent again already.
        policy: Its pauses are the most repeats there are.
    """
    safe = failure.kind in _NOT_BEGUN or (call.repeatable and failure.kind in _PASSING)
    if failure.begun or not safe or repeats >= len(policy.pauses_s):
        return None
    return policy.pauses_s[repeats]


def error_for(failure: Failure, call: NamedRequest) -> RagbedError:
    """Return a failure as the error that callers see."""
    server = f"Ollama at {call.server}"
    if failure.kind == "absent":
        return ServiceMissing(
            f"{server} has no model {call.model}", details=[failure.said], hint=fetch_command([call.model])
        )
    if failure.kind == "refused":
        return ServiceMissing(f"{server} did not finish {call.doing}: {failure.said}", hint=_UP)
    if failure.kind == "busy":
        return ServiceNotReady(
            f"{server} is too busy for {call.doing}: {failure.said}",
            hint="let its other callers finish, or start it with a longer queue, OLLAMA_MAX_QUEUE",
        )
    if failure.kind == "cut":
        return ServiceNotReady(f"{server} broke off {call.doing}: {failure.said}", hint=_LOG)
    if failure.kind in ("silent", "slow"):
        return _overdue(failure, call, server)
    return _model_error(failure, call)


def _overdue(failure: Failure, call: NamedRequest, server: str) -> RagbedError:
    how = "said nothing" if failure.kind == "silent" else "did not come to an end"
    return ServiceNotReady(f"{server} {how} for {call.limit_s:g} s: {call.doing}", hint=f"raise {call.limit}")


def _model_error(failure: Failure, call: NamedRequest) -> RagbedError:
    """Return what a model that was reached has refused."""
    if failure.kind == "too_long" and issubclass(call.failed, EmbeddingFailed):
        return InputTooLong(f"{call.model} takes no text of this length, {call.doing}: {failure.said}")
    if failure.kind == "garbled":
        return call.failed(f"{call.model} gave no answer that can be read, {call.doing}: {failure.said}")
    if failure.kind == "crashed":
        return call.failed(f"{call.model} died, {call.doing}: {failure.said}", hint=_LOG)
    hint = "take a smaller model, ragbed models why tells their memory" if "memory" in failure.said else ""
    return call.failed(f"{call.model} refused, {call.doing}: {failure.said}", hint=hint)
