"""Run the stages in order, and make a report of whatever happens."""

from __future__ import annotations

import time
from contextlib import ExitStack
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ragbed.costs import simulated_cost
from ragbed.errors import ExitCode, RagbedError
from ragbed.events import Event
from ragbed.runs import Outcome
from ragbed.runs.outcome import status_of
from ragbed.smoke import stack_stages
from ragbed.smoke.ingest_process import IngestProcess
from ragbed.smoke.plan import SmokeOptions, SmokePlan
from ragbed.smoke.preloading import READING, preload_beside
from ragbed.smoke.report import CorpusFigures, ReportFacts, RetrievalResult, SmokeReport, facts_of
from ragbed.smoke.retention import is_up, keep_report
from ragbed.smoke.stage_runner import Ended, StageRunner

if TYPE_CHECKING:
    from ragbed.costs import MicroUsd
    from ragbed.runs import RunRecorder
    from ragbed.settings import Settings
    from ragbed.stack import Stack
    from ragbed.state import StateFolder
    from ragbed.targets import Tokens


@dataclass(slots=True, kw_only=True)
class _Findings:
    """What the stages found so far, for the report."""

    stack: Stack | None = None
    corpus: CorpusFigures = CorpusFigures()  # noqa: RUF009 - frozen
    retrieval: RetrievalResult | None = None
    tokens: Tokens | None = None
    embedding_tokens: int = 0

    def simulated(self) -> MicroUsd:
        """Return what the run's calls would have cost at list price."""
        return simulated_cost(
            prompt_tokens=self.tokens.prompt if self.tokens else 0,
            answer_tokens=self.tokens.answer if self.tokens else 0,
            embedding_tokens=self.embedding_tokens,
        )


def run_smoke(
    settings: Settings,
    folder: StateFolder,
    options: SmokeOptions,
    run: RunRecorder,
) -> SmokeReport:
    """Prove that the reference pipeline works end to end; a failure is in the report, not raised.

    Args:
        settings: The resolved settings.
        folder: The state folder.
        options: What is asked for.
        run: Takes the run's events, report and outcome.

    Returns:
        The report as a view of the run; where the run could not be recorded, a note in it says so.

    Raises:
        KeyboardInterrupt: Ctrl-C; the stack of the run has been stopped.
    """
    began = time.monotonic()
    findings, events = _Findings(), list[Event]()
    run.sink.listen(events.append)
    with ExitStack() as cleanup:
        plan = SmokePlan(
            id=run.id, settings=settings, folder=folder, options=options, cleanup=cleanup, events=run.sink
        )
        runner = StageRunner(plan, stack=lambda: findings.stack, events=run.sink)
        try:
            _prove(runner, plan, findings, run)
        except Ended:
            runner.skip_the_rest()
        left_over = _clean_up(cleanup)
    stack = findings.stack
    facts = ReportFacts(
        stage=runner.stage if runner.error else None,
        corpus=findings.corpus,
        retrieval=findings.retrieval,
        llm=stack.llm if stack else "",
        notes=(*(stack.notes if stack else ()), *left_over),
        left_up=options.keep and is_up(folder, stack),
    )
    outcome = _outcome(runner.error, facts, findings.simulated(), seconds=time.monotonic() - began)
    report = SmokeReport.of(run.manifest.to_json(), events, run.outcome(outcome))
    return keep_report(folder, report, run)


def _outcome(
    error: RagbedError | None, facts: ReportFacts, simulated: MicroUsd, *, seconds: float
) -> Outcome:
    return Outcome(
        subject="smoke",
        status=status_of(error.exit_code if error else ExitCode.FINE),
        seconds=seconds,
        simulated=simulated,  # every provider that can be reached is free
        failure=error.to_json() if error else None,
        facts=facts_of(facts),
    )


def _prove(runner: StageRunner, plan: SmokePlan, findings: _Findings, recorder: RunRecorder) -> None:
    """Run the stages; each takes what earlier ones gave."""
    run = runner.run
    asked = run("guard", stack_stages.guard, plan)
    writer = plan.cleanup.enter_context(IngestProcess())
    if runner.reaches("migrate"):
        preload_beside(READING)
    if runner.reaches("index"):
        writer.start()
    stack = findings.stack = run("stack", stack_stages.stack, plan)
    recorder.uses(stack.endpoints.values())
    run("parity", stack_stages.parity, stack)
    run("fingerprint", stack_stages.fingerprint, plan, stack)
    pipeline = run("migrate", stack_stages.migrate, plan, stack)
    # Here, since no service waits for them any longer.
    from ragbed.smoke import documents, questions  # noqa: PLC0415 - 0.1 s to import
    from ragbed.targets import ReferenceTarget  # noqa: PLC0415 - as above

    target = ReferenceTarget(pipeline)
    findings.tokens = target.tokens
    corpus = run("corpus", documents.corpus, plan, asked)
    findings.corpus = CorpusFigures(documents=len(corpus.documents), unreadable=len(corpus.unreadable))
    run("embed", documents.embed, plan, stack, target)
    findings.embedding_tokens = documents.embedding_tokens(corpus.documents)
    findings.corpus = run("index", documents.index, plan, pipeline.config, target, corpus, writer)
    findings.retrieval = run("retrieve", questions.retrieve, plan, target, corpus.documents, asked)
    run("cache", questions.cache, plan, target)
    run("answer", questions.answer, stack, target, corpus.documents, asked)
    run("gaps", questions.gaps, target, corpus.documents, pipeline.config.stores.gaps_dir)


def _clean_up(cleanup: ExitStack) -> tuple[str, ...]:
    """Close what the run opened; what goes wrong then is a note, since it must not cost the report."""
    try:
        cleanup.close()
    except (RagbedError, OSError) as error:
        return (f"not everything of the run could be removed: {error}",)
    return ()
