"""What a smoke run found: a view of the run's manifest, events and outcome, which hold all of it.

Its JSON form is published as `docs/smoke-report.schema.json`; `cli.smoke_report` prints it. Its notes say which
services were skipped, and why.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, Literal

from ragbed.evaluation import RetrievalFigures
from ragbed.guard import redacted
from ragbed.stack import Endpoint

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from ragbed.events import Event, Json

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
class StageFailure:
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

    def to_json(self) -> dict[str, Any]:
        """Return the figures of all questions, with those of the held-out ones among them."""
        held_out = {"held_out": self.held_out.to_json()} if self.held_out else {}
        return {**self.all.to_json(), **held_out}

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> RetrievalResult:
        """Return the result that `to_json` described."""
        figures = {name: figure for name, figure in value.items() if name != "held_out"}
        held_out = value.get("held_out")
        return cls(
            all=RetrievalFigures(**figures), held_out=RetrievalFigures(**held_out) if held_out else None
        )


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
    failure: StageFailure | None = None
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
            "retrieval": self.retrieval.to_json() if self.retrieval else None,
            "spent_usd": self.spent_usd,
            "simulated_usd": self.simulated_usd,
            "failure": asdict(self.failure) if self.failure else None,
        }

    @classmethod
    def of(
        cls, manifest: Mapping[str, Any], events: Iterable[Event], outcome: Mapping[str, Any]
    ) -> SmokeReport:
        """Return the report of a run, from what its folder holds.

        Args:
            manifest: As `docs/run-manifest.schema.json` describes it.
            events: Of the run, in order.
            outcome: As `docs/run-outcome.schema.json` describes it; one that `has_report`.
        """
        facts, failure = outcome["facts"], outcome["failure"]
        return cls(
            run_id=manifest["id"],
            tier=manifest["tier"],
            llm=facts["llm"],
            seconds=outcome["seconds"],
            exit_code=failure["exit_code"] if failure else 0,
            services={one["service"]: Endpoint.from_json(one) for one in manifest["endpoints"]},
            notes=tuple(facts["notes"]),
            stages=tuple(map(_stage, (event for event in events if event.kind == "stage.ended"))),
            corpus=CorpusFigures(**{name: facts[name] for name in asdict(CorpusFigures())}),
            retrieval=RetrievalResult.from_json(facts["retrieval"]) if facts["retrieval"] else None,
            spent_usd=outcome["spent_usd"],
            simulated_usd=outcome["simulated_usd"],
            failure=_failure(facts["stage"], failure) if failure else None,
            left_up=facts["left_up"],
        )


def has_report(outcome: Mapping[str, Any]) -> bool:
    """Tell whether a run came to a report: it is a smoke run, and was neither killed nor interrupted."""
    return set(facts_of(ReportFacts())) <= set(outcome["facts"])


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportFacts:
    """What a report tells and neither manifest nor events do: the facts of the run's outcome.

    Attributes:
        stage: The stage that failed; None where none did.
        corpus: What the corpus came to.
        retrieval: Figures of the golden questions; None when none were asked.
        llm: Which LLM answered, and why.
        notes: What was passed over, a sentence each.
        left_up: Whether the stack and the run's data were left for a look.
    """

    stage: str | None = None
    corpus: CorpusFigures = CorpusFigures()
    retrieval: RetrievalResult | None = None
    llm: str = ""
    notes: tuple[str, ...] = ()
    left_up: bool = False


def facts_of(facts: ReportFacts) -> dict[str, Json]:
    """Return the facts as the outcome of a smoke run has them."""
    return {
        "stage": facts.stage,
        **asdict(facts.corpus),
        "retrieval": facts.retrieval.to_json() if facts.retrieval else None,
        "llm": facts.llm,
        "notes": list(facts.notes),
        "left_up": facts.left_up,
    }


def _stage(event: Event) -> StageResult:
    data: Mapping[str, Any] = event.data
    return StageResult(
        name=event.subject, status=data["status"], seconds=event.seconds or 0.0, detail=data["detail"]
    )


def _failure(stage: str, error: Mapping[str, Any]) -> StageFailure:
    return StageFailure(
        stage=stage, message=error["message"], details=tuple(error["details"]), hint=error["hint"]
    )


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
