"""What a smoke run found; its JSON form is published as `docs/smoke-report.schema.json`."""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING, Any, Literal

from ragbed.guard import redacted

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from ragbed.evaluation import RetrievalFigures
    from ragbed.stack import Endpoint

Status = Literal["passed", "failed", "skipped"]


@dataclass(frozen=True, slots=True, kw_only=True)
class StageResult:
    """How one stage ended.

    Attributes:
        name: Which one.
        status: `passed`, `failed`, or `skipped` after a failure or beyond `--stage`.
        seconds: Duration.
        detail: What was seen, one line.
    """

    name: str
    status: Status
    seconds: float = 0.0
    detail: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Failure:
    """Why a run failed.

    Attributes:
        stage: Where.
        message: What happened, one line.
        details: Evidence: log lines, requests, answers.
        hint: What to try.
    """

    stage: str
    message: str
    details: tuple[str, ...] = ()
    hint: str = ""

    def mapped(self, change: Callable[[str], str]) -> Failure:
        """Return the failure with each of its texts changed."""
        return replace(
            self,
            message=change(self.message),
            details=tuple(change(line) for line in self.details),
            hint=change(self.hint),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class CorpusFigures:
    """What the corpus came to.

    Attributes:
        documents: Documents in the index.
        unreadable: Files that could not be read.
        chunks: Chunks in the index.
        unchanged: Documents that a second ingest left alone; all of them, where nothing is wrong.
    """

    documents: int = 0
    unreadable: int = 0
    chunks: int = 0
    unchanged: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class RetrievalResult:
    """Figures of the golden questions.

    Attributes:
        all: Of all questions.
        held_out: Of those that are kept from tuning; None when there are none.
    """

    all: RetrievalFigures
    held_out: RetrievalFigures | None


@dataclass(frozen=True, slots=True, kw_only=True)
class SmokeReport:
    """A whole run.

    Attributes:
        run_id: Unique; names of stores and files carry it.
        tier: The tier in force.
        llm: Which LLM answered, and why.
        seconds: Duration.
        exit_code: Of the command.
        services: Where the services answered.
        notes: What was passed over, a sentence each.
        stages: Every stage, in order.
        corpus: What the corpus came to.
        retrieval: Figures of the golden questions; None when none were asked.
        spent_usd: What paid calls cost.
        simulated_usd: What the calls would have cost at list price.
        failure: Why it failed; None when it did not.
        left_up: Whether the stack and the run's data were left for a look, as `--keep` asks.
    """

    run_id: str
    tier: str
    llm: str
    seconds: float
    exit_code: int
    services: Mapping[str, Endpoint]
    notes: tuple[str, ...]
    stages: tuple[StageResult, ...]
    corpus: CorpusFigures
    retrieval: RetrievalResult | None
    spent_usd: float
    simulated_usd: float
    failure: Failure | None = None
    left_up: bool = False

    @property
    def ok(self) -> bool:
        """Tell whether no stage failed."""
        return self.failure is None

    def to_json(self) -> dict[str, Any]:
        """Return the report in its published form; passwords are hidden."""
        return {
            "schema": "ragbed.smoke/1",
            "run_id": self.run_id,
            "ok": self.ok,
            "exit_code": self.exit_code,
            "seconds": round(self.seconds, 3),
            "tier": self.tier,
            "llm": self.llm,
            "services": [_service(endpoint) for endpoint in self.services.values()],
            "notes": list(self.notes),
            "stages": [{**asdict(stage), "seconds": round(stage.seconds, 3)} for stage in self.stages],
            "corpus": asdict(self.corpus),
            "retrieval": self._retrieval(),
            "spent_usd": self.spent_usd,
            "simulated_usd": self.simulated_usd,
            "failure": asdict(self.failure) if self.failure else None,
        }

    def _retrieval(self) -> dict[str, Any] | None:
        if self.retrieval is None:
            return None
        held_out = self.retrieval.held_out
        return {**self.retrieval.all.to_json(), **({"held_out": held_out.to_json()} if held_out else {})}


def _service(endpoint: Endpoint) -> dict[str, Any]:
    return {
        "name": endpoint.service,
        "launcher": endpoint.launcher,
        "real": endpoint.real,
        "product": endpoint.product,
        "version": endpoint.version,
        "url": redacted(endpoint.url),
        "origin": endpoint.origin,
        "started_by": endpoint.started_by,
        "provenance": endpoint.provenance.to_json(),
    }
