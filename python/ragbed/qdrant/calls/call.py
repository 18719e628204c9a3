"""What an endpoint's function is given, and how it is announced."""

from __future__ import annotations

from dataclasses import dataclass, field
from threading import Event
from typing import TYPE_CHECKING, Any, Literal

import orjson

from ragbed.qdrant.errors import TOO_DEEP, FormatError, InvalidValue, QueryStringError
from ragbed.qdrant.request_stats import RequestStats
from ragbed.qdrant.translate.nesting import MAX_LEVELS, within

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from ragbed.qdrant.collections import Collections
    from ragbed.qdrant.shard import Shard

PARSER_TOO_DEEP = "depth limit exceeded"
"""What our JSON parser says of a body nested deeper than it reads, which is deeper than any is taken."""

Turn = Literal["none", "collection", "all", "apart"]
"""What a call waits for: nothing, earlier writes to its collection, earlier changes of the set of collections, or calls
that take long as it does, apart from all others."""

NEVER = Event()
"""Of the calls that go on without their client."""

MAX_NAME = 255
BOOLEANS = {"true": True, "false": False}
PARAMETERS: dict[str, tuple[str, ...]] = {
    "wait": ("true", "false"),
    "ordering": ("weak", "medium", "strong"),
    "timeout": (),
    "consistency": (),
}
"""Parameters that any call may carry, each with the words it may hold; empty: any."""

CONSISTENCIES = ("majority", "quorum", "all")
"""Words for how many replicas must agree on a read; on one server all are the same."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Raw:
    """An answer that is not JSON.

    Attributes:
        content: The body, or the file that holds it.
        kind: Its media type.
        name: Name under which a client would save it; empty where it would not.
    """

    content: bytes | Path
    kind: bytes = b"text/plain; charset=utf-8"
    name: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """One request.

    Attributes:
        collections: The store.
        path: Names in the URL.
        query: Parameters behind the `?`.
        content: The body's bytes, not yet parsed.
        stats: The answers so far.
        gone: Set once the client has gone, for a call of the turn `apart`.
    """

    collections: Collections
    path: Mapping[str, str]
    query: Mapping[str, str]
    content: bytes
    stats: RequestStats = field(default_factory=RequestStats)
    gone: Event = NEVER

    @property
    def name(self) -> str:
        """The collection named in the URL; it may be an alias. Raises InvalidValue for a name too long."""
        name = self.path["name"]
        if len(name) > MAX_NAME:
            reason = f'value "{name}" invalid, must be from 1 to {MAX_NAME} characters'
            raise InvalidValue("collection_name", reason, where="path parameters")
        return name

    @property
    def body(self) -> Any:
        """The body as JSON; raises FormatError when it is none, or nested too deep."""
        return within(self.points, MAX_LEVELS)

    @property
    def points(self) -> Any:
        """The same for those that look at each payload and filter themselves: most of a body are numbers."""
        try:
            return orjson.loads(self.content)
        except orjson.JSONDecodeError as error:
            told = str(error)
            raise FormatError(told.replace(PARSER_TOO_DEEP, TOO_DEEP)) from None

    @property
    def shard(self) -> Shard:
        """The collection itself; raises NotFound when it is not there, InvalidValue for a name too long."""
        return self.collections.find(self.name)

    @property
    def wait(self) -> bool:
        """Whether the client wants to hear when the write is done, not only that it was taken."""
        return BOOLEANS[self.query.get("wait", "false")]

    def check_query(self, more: tuple[str, ...] = ()) -> None:
        """Refuse unknown parameters and values, `more` excepted; raise QueryStringError."""
        for name, value in self.query.items():
            if name in more:
                continue
            if name not in PARAMETERS:
                raise QueryStringError(f"unknown field `{name}`, expected one of {', '.join(PARAMETERS)}")
            if PARAMETERS[name] and value not in PARAMETERS[name]:
                raise QueryStringError(
                    f"`{name}` is `{value}`, expected one of {', '.join(PARAMETERS[name])}"
                )
        _check_timeout(self.query.get("timeout", "1"))
        _check_consistency(self.query.get("consistency", "1"))


def _check_consistency(value: str) -> None:
    if value not in CONSISTENCIES and not (value.isascii() and value.isdigit() and int(value)):
        raise QueryStringError(
            f"`consistency` is `{value}`, expected a number of replicas or one of {', '.join(CONSISTENCIES)}"
        )


def _check_timeout(value: str) -> None:
    if not value.isascii() or not value.isdigit():
        raise QueryStringError(f"`timeout` is `{value}`, expected a number of seconds")
    if int(value) < 1:
        raise QueryStringError(f"invalid value: integer `{value}`, expected a nonzero u64")


@dataclass(frozen=True, slots=True, kw_only=True)
class ApiRoute:
    """One method on one path.

    Attributes:
        method: HTTP method.
        path: Path with names in braces.
        answer: Returns the JSON result; runs off the event loop.
        turn: What it waits for first.
        parameters: What may stand behind the `?`, apart from what any call takes.
        may_leave: Whether `wait=false` is answered 202 without a result, whatever came of it.
    """

    method: str
    path: str
    answer: Callable[[Call], Any]
    turn: Turn = "none"
    parameters: tuple[str, ...] = ()
    may_leave: bool = False

    @property
    def writes(self) -> bool:
        """Whether it may change something: then it waits for its turn."""
        return self.turn != "none"
