"""What can go wrong with a request: a class per HTTP status, in Qdrant's words.

ApiError                 500  base; an engine failure that no other class fits
├── DiskFull               500  the disk is too full
├── FormatError          400  the JSON is not what the call takes
├── QueryStringError     400  a parameter behind the `?` is not what the call takes
├── BadRequest           400  the request asks for nothing
├── WrongInput           400  well formed, and wrong for this collection
├── Forbidden            403  the key does not go so far
├── NotFound             404  no such collection, alias or point
├── AlreadyExists        409  the name is taken
├── TooLarge             413  the body is over the limit
├── InvalidValue         422  a value is outside its range
├── TooBusy              429  too many requests are waiting
├── Unavailable          503  the machine lacks something now
└── Unsupported          501  a real Qdrant can do this, the embedded one cannot
"""

from __future__ import annotations

from typing import ClassVar

from ragbed.qdrant.machine_errors import DISK_FULL, lack

CANCELLED = "Operation cancelled"
"""Beginning of what the engine says of a formula that fails on a point: it stops, and its reason is lost."""

FORMULA_FAILED = (
    "the formula has no finite number for one of the points: a payload value that it reads is missing or of another"
    " kind, which `defaults` can stand in for, or one of `div`, `ln`, `log10`, `sqrt`, `pow`"
    " and `exp` went beyond numbers"
)
TOO_DEEP = "recursion limit exceeded"
"""What a real server's JSON parser says of a body nested too deep."""

REAL_SERVER = "put a `qdrant` binary on PATH or set QDRANT_URL to use a real server"


class ApiError(Exception):
    """A request failed; the message is what the client reads."""

    status: ClassVar[int] = 500
    prefix: ClassVar[str] = "Service internal error: "

    def __str__(self) -> str:
        return self.prefix + super().__str__()


class DiskFull(ApiError):
    """The disk is too full for what was asked; nothing is wrong with the collection."""


class FormatError(ApiError):
    """The JSON is not what the call takes: a field missing, unknown or of another type."""

    status = 400
    prefix = "Format error in JSON body: "


class QueryStringError(ApiError):
    """A parameter behind the `?` is unknown or not of its type."""

    status = 400
    prefix = "Deserialize error in query parameters: "


class BadRequest(ApiError):
    """The request asks for nothing."""

    status = 400
    prefix = "Bad request: "


class WrongInput(ApiError):
    """The request is well formed, and wrong for this collection."""

    status = 400
    prefix = "Wrong input: "


class Forbidden(ApiError):
    """The key does not go so far."""

    status = 403
    prefix = "Forbidden: "


class NotFound(ApiError):
    """No such collection, alias or point."""

    status = 404
    prefix = "Not found: "


class AlreadyExists(ApiError):
    """The name is taken."""

    status = 409
    prefix = "Wrong input: "


class TooLarge(ApiError):
    """The body is over the limit."""

    status = 413
    prefix = "Payload error: "


class TooBusy(ApiError):
    """Too many requests are waiting, or too many bytes of them; the client may try again."""

    status = 429
    prefix = "Too many requests: "


class InvalidValue(ApiError):
    """A value is outside its range."""

    status = 422
    prefix = "Validation error in "

    def __init__(self, field: str, reason: str, *, where: str = "JSON body") -> None:
        super().__init__(f"{where}: [{field}: {reason}]")


class Unavailable(ApiError):
    """The machine lacks something now; nothing is wrong with the collection, and the client may try again."""

    status = 503
    prefix = "Shard temporarily unavailable: "


class Unsupported(ApiError):
    """A real Qdrant can do this, the embedded one cannot."""

    status = 501
    prefix = "Not supported by the embedded Qdrant: "

    def __init__(self, what: str) -> None:
        super().__init__(f"{what}; {REAL_SERVER}")


def collection_missing(name: str) -> NotFound:
    """Return the error for a collection that is not there."""
    return NotFound(f"Collection `{name}` doesn't exist!")


def from_engine(error: BaseException) -> ApiError:
    """Return what to tell the client about an engine's error.

    Args:
        error: What the engine raised. It raises bare `Exception`s, so the class is read off the message.
    """
    message = first_line(error)
    if message.startswith("No point with id"):
        return NotFound(f"{message} found")
    if is_panic(error) or message.startswith(("Service runtime error", "Out of", "Inconsistent storage")):
        return not_served(error, message)
    return WrongInput(FORMULA_FAILED if message.startswith(CANCELLED) else message)


def not_served(error: BaseException, message: str) -> ApiError:
    """Return what to tell the client where the server could not do its work.

    Args:
        error: What was in the way.
        message: What it says.

    Returns:
        A full disk is 500, as in a real server; another want of the machine is 503; all else is 500.
    """
    wanting = lack(error)
    if wanting is None:
        return ApiError(message)
    return DiskFull(message) if wanting in DISK_FULL else Unavailable(f"want of {wanting}: {message}")


def is_panic(error: BaseException) -> bool:
    """Say whether the engine broke off inside itself; such errors are not `Exception`s."""
    return type(error).__name__ == "PanicException"


def first_line(error: BaseException) -> str:
    """Return an error's message without its details."""
    return str(error).partition("\n")[0]
