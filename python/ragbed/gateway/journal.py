"""The journal: the first step of every chain. It writes each call down as it ends, refused ones too."""

from __future__ import annotations

import asyncio
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
from ragbed.gateway.threads import IN_A_THREAD_FROM, beside
from ragbed.headers import RUN_HEADER, TEST_HEADER
from ragbed.run_headers import told_in

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Mapping

    from ragbed.costs import CallStatus
    from ragbed.gateway.exchange import Asks, Exchange, LlmRequest, Operation, RawRequest, RawResponse

KEPT_CALLS = 256
"""Answered calls kept with their prompts, and refused ones likewise; a large ingest must not fill the memory."""

KEPT_CHARACTERS = 100_000
"""Characters kept of each text of a call."""

KEPT_DEPTH = 50
"""Lists and objects inside each other that are kept of an argument."""

_BATCH = 16
"""Calls whose records are made together: each by itself takes four times as long, since it is not in the processor's
caches any more. Large calls do not wait, so that their bodies are not kept."""

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
        # A random id for each call would cost more than the rest of its record.
        self._begins = uuid4().hex
        self._number = count(1)
        self._ended: deque[_Pen] = deque()
        self._answered: deque[JournalEntry] = deque(maxlen=KEPT_CALLS)
        self._others: deque[JournalEntry] = deque(maxlen=KEPT_CALLS)
        self._per_model: Counter[str] = Counter()
        self._metrics = LlmMetrics()

    @property
    def metrics(self) -> LlmMetrics:
        """Counters of all calls."""
        self._catch_up()
        return self._metrics

    async def around(self, raw: RawRequest, request: LlmRequest | None, proceed: Exchange) -> RawResponse:
        """Return the answer of the rest of the chain; it is written down at its end."""
        pen = _Pen(raw, request)
        if pen.is_large:
            pen.key = await beside(len(raw.body), canonical_key, raw)
        try:
            response = await proceed.answer(raw, request)
        except BaseException as error:
            self._end(pen, "failed" if isinstance(error, Exception) else "cancelled", AnswerFacts())
            raise
        if isinstance(response.body, bytes):
            pen.begin()
            self._end(pen, _status_of(response), response.facts)
            return response
        return replace(response, body=self._written_at_the_end(response.body, pen, response.facts))

    def entries(self) -> list[JournalEntry]:
        """Return the entries kept, the oldest call first."""
        self._catch_up()
        return sorted([*self._answered, *self._others], key=lambda entry: entry.call.at)

    def calls_of(self, run: str, *, test: str = "", after: str = "") -> list[LlmCall]:
        """Return the calls of a run among the entries kept, in the order in which they ended.

        Args:
            run: Id of the run.
            test: Only those of a test; empty takes all.
            after: Id of a call: only those that ended after it. One of another journal leaves none out.
        """
        begins, _, number = after.rpartition("-")
        last = int(number) if begins == self._begins and number.isdecimal() else 0
        calls = [entry.call for entry in self.entries() if entry.call.run == run]
        ended = sorted((_number(call), call) for call in calls if test in {"", call.test})
        return [call for place, call in ended if place > last]

    def answered(self) -> list[JournalEntry]:
        """Return the answered calls kept, in the order in which they ended."""
        self._catch_up()
        return list(self._answered)

    def answered_per_model(self) -> dict[str, int]:
        """Return how many calls each model answered since the journal began or was cleared."""
        self._catch_up()
        return dict(sorted(self._per_model.items()))

    def clear(self) -> None:
        """Forget entries and counts; the metrics stay, since counters never fall."""
        self._catch_up()
        for kept in (self._answered, self._others, self._per_model):
            kept.clear()

    async def _written_at_the_end(
        self, chunks: AsyncGenerator[bytes, None], pen: _Pen, facts: AnswerFacts
    ) -> AsyncGenerator[bytes, None]:
        status: CallStatus = "cancelled"
        try:
            async with aclosing(chunks):
                async for chunk in chunks:
                    pen.begin()
                    yield chunk
            status = "ok"
        except Exception:
            status = "faulted" if facts.fault else "failed"
            raise
        finally:
            self._end(pen, status, facts)

    def _end(self, pen: _Pen, status: CallStatus, facts: AnswerFacts) -> None:
        """Note how a call ended. Its record is made behind an answer, which would wait for it otherwise."""
        pen.end(status, facts)
        self._ended.append(pen)
        if len(self._ended) >= _BATCH or pen.is_large:
            asyncio.get_running_loop().call_soon(self._catch_up)

    def _catch_up(self) -> None:
        """Make the records of the calls that have ended; each reader does so first."""
        while self._ended:
            entry = self._ended.popleft().entry(CallId(f"{self._begins}-{next(self._number)}"))
            self._metrics.add(entry.call)
            (self._answered if entry.answered else self._others).append(entry)
            if entry.answered:
                self._per_model[entry.call.model] += 1


def _number(call: LlmCall) -> int:
    """Return the place of a call among all that ended; ids do not sort by it."""
    return int(call.id.rpartition("-")[2])


def canonical_key(raw: RawRequest) -> CanonicalKey:
    """Return the key of a call: the same for bodies that differ in white space and in the order of their fields."""
    try:
        body = orjson.dumps(orjson.loads(raw.body), option=orjson.OPT_SORT_KEYS)
    except orjson.JSONDecodeError:
        body = raw.body
    return CanonicalKey(sha256(b"\n".join([raw.method.encode(), raw.path.encode(), body])).hexdigest())


class _Pen:
    """Takes down what becomes of one call.

    Args:
        raw: The call as it came.
        request: What its wire read in it.

    Attributes:
        is_large: Whether its body is hashed in a thread, and its record made at once.
        key: Of a large call.
    """

    def __init__(self, raw: RawRequest, request: LlmRequest | None) -> None:
        self._raw = raw
        self._request = request
        self._at = datetime.now(UTC)
        self._started = time.monotonic()
        self._first_token_s: float | None = None
        self.is_large = len(raw.body) >= IN_A_THREAD_FROM
        self.key: CanonicalKey | None = None

    def begin(self) -> None:
        """Note that a piece of the answer is there."""
        if self._first_token_s is None:
            self._first_token_s = time.monotonic() - self._started

    def end(self, status: CallStatus, facts: AnswerFacts) -> None:
        """Note how the call ended."""
        self._seconds = time.monotonic() - self._started
        self._status = status
        self._facts = facts

    def entry(self, call: CallId) -> JournalEntry:
        """Return the entry of the call, under an id."""
        asks = self._request.asks if self._request else None
        loads = isinstance(asks, CompletionRequest) and not asks.messages
        arguments = _shortened(asks.arguments) if asks else {}
        return JournalEntry(
            call=self._call(call, asks), prompts=_prompts(asks), arguments=arguments, loads=loads
        )

    def _call(self, call: CallId, asks: Asks | None) -> LlmCall:
        raw, facts, model = self._raw, self._facts, self._facts.model
        return LlmCall(
            id=call,
            run=told_in(raw.headers, RUN_HEADER),
            test=told_in(raw.headers, TEST_HEADER),
            at=self._at,
            wire=raw.wire,
            operation=raw.operation,
            model=model.name if model else asks.model if asks else "",
            model_digest=model.digest if model else None,
            engine=facts.engine,
            rule=facts.rule,
            key=self.key or canonical_key(raw),
            input_tokens=facts.input_tokens,
            output_tokens=facts.output_tokens,
            spent=MicroUsd(0),  # every engine that there is answers for nothing
            simulated=_simulated(raw.operation, facts),
            first_token_s=None if self._status == "refused" else self._first_token_s,
            seconds=self._seconds,
            status=self._status,
            fault=facts.fault,
        )


def _status_of(response: RawResponse) -> CallStatus:
    """Return how a call ended whose answer is whole."""
    if response.status < _FIRST_ERROR:
        return "ok"
    return "faulted" if response.facts.fault else "refused"


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
