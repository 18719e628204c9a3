"""One record per call of a language model: journal, costs, request log and run record are made from it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, NewType

from ragbed.costs.money import to_usd

if TYPE_CHECKING:
    from datetime import datetime

    from ragbed.costs.money import MicroUsd

CallId = NewType("CallId", str)
CanonicalKey = NewType("CanonicalKey", str)
"""SHA-256 in hexadecimal of a request in its canonical form: the same request has the same key."""

CallStatus = Literal["ok", "refused", "faulted", "failed", "cancelled"]
"""How a call ended: answered; refused before the first byte; broken by an injected fault; broken by itself; left by
the client."""

SCHEMA = "ragbed.llm-call/1"


@dataclass(frozen=True, slots=True, kw_only=True)
class LlmCall:
    """One call of a language model, as it ended.

    Attributes:
        id: Unique.
        run: Id of the run that it belongs to; None outside of a run.
        test: Id of the test; None outside of a test.
        at: When the request was read, UTC.
        wire: Protocol that the client spoke: `ollama`, `openai`.
        operation: `chat`, `generate` or `embed`.
        model: With its tag, as the engine names it; as the client named it where the engine does not know it.
        model_digest: SHA-256 in hexadecimal; None where the engine does not tell.
        engine: What answered: `mock`; empty where the request reached no engine.
        rule: Pattern of the scripted rule that answered; None where no rule did.
        key: Of the request.
        input_tokens: Tokens read; None where unknown, never 0 in its place.
        output_tokens: Tokens written; None where unknown, 0 for an embedding.
        spent: What a paid call cost.
        simulated: What a free call would have cost at list price; None where its tokens are unknown.
        first_token_s: Seconds to the first byte of the answer; None where there was none.
        seconds: Seconds to its end.
        status: How it ended.
        fault: Id of the injected fault that met it.
        verdict: What the guard said of it; None where no guard looked.
    """

    id: CallId
    run: str | None
    test: str | None
    at: datetime
    wire: str
    operation: str
    model: str
    model_digest: str | None
    engine: str
    rule: str | None
    key: CanonicalKey
    input_tokens: int | None
    output_tokens: int | None
    spent: MicroUsd
    simulated: MicroUsd | None
    first_token_s: float | None
    seconds: float
    status: CallStatus
    fault: str | None = None
    verdict: str | None = None

    def to_json(self) -> dict[str, Any]:
        """Return it as `docs/llm-call.schema.json` describes it."""
        return {
            "schema": SCHEMA,
            "id": self.id,
            "run": self.run,
            "test": self.test,
            "at": self.at.isoformat(),
            "wire": self.wire,
            "operation": self.operation,
            "model": self.model,
            "model_digest": self.model_digest,
            "engine": self.engine,
            "rule": self.rule,
            "key": self.key,
            "input_tokens": self.input_tokens,
            "output_tokens": self.output_tokens,
            "spent_usd": to_usd(self.spent),
            "simulated_usd": None if self.simulated is None else to_usd(self.simulated),
            "first_token_s": self.first_token_s,
            "seconds": self.seconds,
            "status": self.status,
            "fault": self.fault,
            "verdict": self.verdict,
        }
