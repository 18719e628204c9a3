"""Faults of an LLM server, on request: refusals with their headers, delays, answers that break off."""

from __future__ import annotations

import asyncio
from contextlib import aclosing
from dataclasses import asdict, dataclass, field, replace
from typing import TYPE_CHECKING, Any

from ragbed.gateway.engine import CompletionRequest
from ragbed.gateway.exchange import AnswerFacts
from ragbed.gateway.mock.rules import is_found, require_pattern
from ragbed.gateway.sending import CutShort
from ragbed.gateway.wires.json_http import WireError

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Mapping, Sequence

    from ragbed.gateway.exchange import Exchange, LlmRequest, Operation, RawRequest, RawResponse, Wire

_LONGEST_DELAY_S = 600.0


@dataclass(frozen=True, slots=True, kw_only=True)
class CallFault:
    """What goes wrong with calls, and with which.

    Attributes:
        id: In the records of the calls that it met; empty names it by its place in the list.
        pattern: Searched in the user's last message, or in a text to embed; empty takes every call.
        operation: Only these calls: chat, generate or embed; empty takes all.
        times: How many calls it meets; 0 all of them.
        delay_s: Seconds before anything else.
        status: HTTP status of a refusal, in the wire's own shape; 0 lets the call through.
        headers: Of the refusal, such as Retry-After.
        message: Of the refusal.
        cut_after: Chunks of the answer after which the connection breaks; 0 is before the first, -1 never.
    """

    id: str = ""
    pattern: str = ""
    operation: str = ""
    times: int = 1
    delay_s: float = 0.0
    status: int = 0
    headers: Mapping[str, str] = field(default_factory=dict)
    message: str = "a fault that a test asked for"
    cut_after: int = -1


_KINDS: Mapping[str, tuple[type, ...]] = {
    **dict.fromkeys(("id", "pattern", "operation", "message"), (str,)),
    **dict.fromkeys(("times", "status", "cut_after"), (int,)),
    "delay_s": (int, float),
    "headers": (dict,),
}


@dataclass(slots=True, kw_only=True)
class _Armed:
    """A fault and how often it has met a call."""

    fault: CallFault
    met: int = 0

    def is_left(self) -> bool:
        return self.fault.times == 0 or self.met < self.fault.times


class Faults:
    """The step that injects faults; it stands behind the journal, which writes them down.

    Args:
        wires: Each refuses in its own shape.
    """

    def __init__(self, wires: Sequence[Wire]) -> None:
        self._wires = {wire.name: wire for wire in wires}
        self._armed: list[_Armed] = []

    def set(self, values: Any) -> None:
        """Replace the faults.

        Raises:
            WireError: One is not a fault; says what is wrong with it.
        """
        if not isinstance(values, list):
            raise WireError('faults must be a list of {"status": 429, "times": 2, …}')
        self._armed = [_Armed(fault=_read(value, number)) for number, value in enumerate(values, 1)]

    def to_json(self) -> list[dict[str, Any]]:
        """Return the faults, and how many calls each has met."""
        return [{**asdict(armed.fault), "met": armed.met} for armed in self._armed]

    async def around(self, raw: RawRequest, request: LlmRequest | None, proceed: Exchange) -> RawResponse:
        """Return the answer of the rest of the chain, unless a fault meets the call first."""
        fault = await self._meeting(raw.operation, request) if self._armed and request else None
        if fault is None:
            return await proceed.answer(raw, request)
        await asyncio.sleep(fault.delay_s)
        if fault.status:
            refusal = self._wires[raw.wire].refuse(WireError(fault.message, status=fault.status), raw.path)
            headers = {**refusal.headers, **fault.headers}
            return replace(refusal, headers=headers, facts=AnswerFacts(fault=fault.id))
        response = await proceed.answer(raw, request)
        response.facts.fault = fault.id
        if fault.cut_after < 0:
            return response
        return replace(response, body=_cut(response.body, fault.cut_after))

    async def _meeting(self, operation: Operation, request: LlmRequest) -> CallFault | None:
        """Return the first fault that is left for a call, and count it."""
        texts = _texts(request)
        for armed in self._armed:
            fault = armed.fault
            if not armed.is_left() or fault.operation not in {"", operation}:
                continue
            armed.met += (
                1  # before waiting for the search: calls that come together do not share the last one
            )
            if not fault.pattern or await is_found(fault.pattern, texts):
                return fault
            armed.met -= 1
        return None


def _read(value: Any, number: int) -> CallFault:
    given = value if isinstance(value, dict) else {"it": value}
    for name, one in given.items():
        if name not in _KINDS or type(one) not in _KINDS[name]:
            known = ", ".join(_KINDS)
            raise WireError(f"fault {number} is wrong at {name}: {one!r}; it has {known}, each of its type")
    fault = CallFault(**given)
    if problem := _problem(fault):
        raise WireError(f"fault {number} {problem}")
    require_pattern(fault.pattern)
    return fault if fault.id else replace(fault, id=f"fault-{number}")


def _problem(fault: CallFault) -> str:
    """Return what is wrong with a fault, to follow its number; empty where nothing is."""
    if fault.operation not in {"", "chat", "generate", "embed"}:
        return f"has the operation {fault.operation!r}, which is not chat, generate or embed"
    if fault.status and not 400 <= fault.status <= 599:
        return f"has the status {fault.status}, which is not a refusal"
    if not 0 <= fault.delay_s <= _LONGEST_DELAY_S or fault.times < 0:
        return f"has a number out of range: delay_s is 0 to {_LONGEST_DELAY_S:g}, times is not negative"
    if not all(isinstance(text, str) for pair in fault.headers.items() for text in pair):
        return "has a header that is not a text"
    if not (fault.status or fault.delay_s or fault.cut_after >= 0):
        return "does nothing: give it a status, a delay_s or a cut_after"
    return ""


def _texts(request: LlmRequest) -> Sequence[str]:
    asks = request.asks
    return (asks.prompt,) if isinstance(asks, CompletionRequest) else asks.texts


async def _cut(body: bytes | AsyncGenerator[bytes, None], chunks: int) -> AsyncGenerator[bytes, None]:
    """Yield so many chunks of an answer, then break off; a whole answer is cut in its middle."""
    if isinstance(body, bytes):
        if chunks:
            yield body[: len(body) // 2]
        raise CutShort
    async with aclosing(body):
        left = chunks
        async for chunk in body:
            if left == 0:
                break
            left -= 1
            yield chunk
    raise CutShort
