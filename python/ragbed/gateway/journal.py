"""The journal: the first step of every chain. It writes each call down as it ends, refused ones too."""

from __future__ import annotations

import time
from collections import Counter, deque
from contextlib import aclosing
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from hashlib import sha256
from itertools import count
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import orjson

from ragbed.costs import CallId, CanonicalKey, LlmCall, MicroUsd, simulated_cost
from ragbed.gateway.engine import CompletionRequest
from ragbed.gateway.exchange import AnswerFacts
from ragbed.gateway.metrics import LlmMetrics
from ragbed.gateway.threads import beside
from ragbed.headers import RUN_HEADER, TEST_HEADER

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Iterator, Mapping

    from ragbed.costs import CallStatus
    from ragbed.gateway.exchange import Asks, Exchange, LlmRequest, Operation, RawRequest, RawResponse

KEPT_CALLS = 256
"""Answered calls kept with their prompts, and refused ones likewise; a large ingest must not fill the memory."""

KEPT_CHARACTERS = 100_000
"""Characters kept of each text of a call."""

KEPT_DEPTH = 50
"""Lists and objects inside each other that are kept of an argument."""

_FIRST_ERROR = 400


@dataclass(frozen=True, slots=True, kw_only=True)
class JournalEntry:
    """A call, and what it said.

    Attributes:
        call: The record.
        prompts: The user's last message, or the texts to embed; the first `KEPT_CHARACTERS` of each.
        arguments: What else the client sent, shortened likewise.
        loads: Whether it only loaded or unloaded a model.
    """

    call: LlmCall
    prompts: tuple[str, ...]
    arguments: Mapping[str, Any]
    loads: bool

    @property
    def answered(self) -> bool:
        """Whether the model answered, to the end or until the client left."""
        return self.call.status in {"ok", "cancelled"} and not self.loads


class Journal:
    """The last calls, in the order in which they ended, and how many were answered per model."""

    def __init__(self) -> None:
        self._begins = (
            uuid4().hex
        )  # of ids; a random one for each call would cost more than the rest of its record
        self._number = count(1)
        self._answered: deque[JournalEntry] = deque(maxlen=KEPT_CALLS)
        self._others: deque[JournalEntry] = deque(maxlen=KEPT_CALLS)
        self.answered_per_model: Counter[str] = Counter()
        self.metrics = LlmMetrics()

    async def around(self, raw: RawRequest, request: LlmRequest | None, proceed: Exchange) -> RawResponse:
        """Return the answer of the rest of the chain; it is written down at its end."""
        pen = _Pen(self, raw, request, key=await beside(len(raw.body), canonical_key, raw))
        try:
            response = await proceed.answer(raw, request)
        except BaseException as error:
            pen.end("failed" if isinstance(error, Exception) else "cancelled", AnswerFacts())
            raise
        if isinstance(response.body, bytes):
            pen.begin()
            pen.end("ok" if response.status < _FIRST_ERROR else "refused", response.facts)
            return response
        return replace(response, body=_written_at_the_end(response.body, pen, response.facts))

    def next_id(self) -> CallId:
        """Return an id that no other call has, of any gateway."""
        return CallId(f"{self._begins}-{next(self._number)}")

    def add(self, entry: JournalEntry) -> None:
        """Append an entry, dropping the oldest of its sort past `KEPT_CALLS`."""
        self.metrics.add(entry.call)
        (self._answered if entry.answered else self._others).append(entry)
        if entry.answered:
            self.answered_per_model[entry.call.model] += 1

    def entries(self) -> list[JournalEntry]:
        """Return the entries kept, the oldest call first."""
        return sorted([*self._answered, *self._others], key=lambda entry: entry.call.at)

    def answered(self) -> Iterator[JournalEntry]:
        """Return the answered calls kept, in the order in which they ended."""
        return iter(self._answered)

    def clear(self) -> None:
        """Forget entries and counts; the metrics stay, since counters never fall."""
        self._answered.clear()
        self._others.clear()
        self.answered_per_model.clear()


def canonical_key(raw: RawRequest) -> CanonicalKey:
    """Return the key of a call: the same for bodies that differ in white space and in the order of their fields."""
    try:
        body = orjson.dumps(orjson.loads(raw.body), option=orjson.OPT_SORT_KEYS)
    except orjson.JSONDecodeError:
        body = raw.body
    return CanonicalKey(sha256(b"\n".join([raw.method.encode(), raw.path.encode(), body])).hexdigest())


class _Pen:
    """Writes one call down.

    Args:
        journal: Where to.
        raw: The call as it came.
        request: What its wire read in it.
        key: Of the call.
    """

    def __init__(
        self, journal: Journal, raw: RawRequest, request: LlmRequest | None, *, key: CanonicalKey
    ) -> None:
        self._journal = journal
        self._raw = raw
        self._request = request
        self._key = key
        self._at = datetime.now(UTC)
        self._started = time.monotonic()
        self._first_token_s: float | None = None

    def begin(self) -> None:
        """Note that a piece of the answer is there."""
        if self._first_token_s is None:
            self._first_token_s = time.monotonic() - self._started

    def end(self, status: CallStatus, facts: AnswerFacts) -> None:
        """Write the call down as it ended."""
        asks = self._request.asks if self._request else None
        loads = isinstance(asks, CompletionRequest) and not asks.messages
        arguments = _shortened(asks.arguments) if asks else {}
        call = self._call(status, facts, asks)
        self._journal.add(JournalEntry(call=call, prompts=_prompts(asks), arguments=arguments, loads=loads))

    def _call(self, status: CallStatus, facts: AnswerFacts, asks: Asks | None) -> LlmCall:
        return LlmCall(
            id=self._journal.next_id(),
            run=self._raw.headers.get(RUN_HEADER),
            test=self._raw.headers.get(TEST_HEADER),
            at=self._at,
            wire=self._raw.wire,
            operation=self._raw.operation,
            model=facts.model.name if facts.model else asks.model if asks else "",
            model_digest=facts.model.digest if facts.model else None,
            engine=facts.engine,
            rule=facts.rule,
            key=self._key,
            input_tokens=facts.input_tokens,
            output_tokens=facts.output_tokens,
            spent=MicroUsd(0),  # every engine that there is answers for nothing
            simulated=_simulated(self._raw.operation, facts),
            first_token_s=None if status == "refused" else self._first_token_s,
            seconds=time.monotonic() - self._started,
            status=status,
        )


async def _written_at_the_end(
    chunks: AsyncGenerator[bytes, None], pen: _Pen, facts: AnswerFacts
) -> AsyncGenerator[bytes, None]:
    status: CallStatus = "cancelled"
    try:
        async with aclosing(chunks):
            async for chunk in chunks:
                pen.begin()
                yield chunk
        status = "ok"
    except Exception:
        status = "failed"
        raise
    finally:
        pen.end(status, facts)


def _simulated(operation: Operation, facts: AnswerFacts) -> MicroUsd | None:
    if facts.input_tokens is None or facts.output_tokens is None:
        return None
    if operation == "embed":
        return simulated_cost(prompt_tokens=0, answer_tokens=0, embedding_tokens=facts.input_tokens)
    return simulated_cost(
        prompt_tokens=facts.input_tokens, answer_tokens=facts.output_tokens, embedding_tokens=0
    )


def _prompts(asks: Asks | None) -> tuple[str, ...]:
    if asks is None:
        return ()
    texts = (asks.prompt,) if isinstance(asks, CompletionRequest) else asks.texts
    return tuple(text[:KEPT_CHARACTERS] for text in texts)


def _shortened(value: Any, depth: int = 0) -> Any:
    """Return an argument without what would fill the memory: long texts, and lists inside lists without end."""
    if isinstance(value, str):
        return value[:KEPT_CHARACTERS]
    if depth == KEPT_DEPTH:
        return "…"
    if isinstance(value, dict):
        return {name: _shortened(member, depth + 1) for name, member in value.items()}
    return [_shortened(item, depth + 1) for item in value] if isinstance(value, list) else value
