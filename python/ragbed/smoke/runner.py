"""Run the stages in order, and make a report of whatever happens."""

from __future__ import annotations

import time
from contextlib import ExitStack
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

from ragbed.costs import from_usd, simulated_cost, to_usd
from ragbed.errors import ExitCode, RagbedError
from ragbed.guard import scrubber
from ragbed.runs import Outcome
from ragbed.runs.outcome import status_of
from ragbed.smoke import services
from ragbed.smoke.ingest_process import IngestProcess
from ragbed.smoke.plan import SmokeOptions, SmokePlan
from ragbed.smoke.preloading import READING, preload_beside
from ragbed.smoke.report import CorpusFigures, RetrievalResult, SmokeReport
from ragbed.smoke.retention import is_up, keep_report
from ragbed.smoke.stage_runner import Ended, StageRunner

if TYPE_CHECKING:
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

    def simulated_usd(self) -> float:
        """Return what the run's calls would have cost at list price."""
        return to_usd(
            simulated_cost(
                prompt_tokens=self.tokens.prompt if self.tokens else 0,
                answer_tokens=self.tokens.answer if self.tokens else 0,
                embedding_tokens=self.embedding_tokens,
            )
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

    Raises:
        KeyboardInterrupt: Ctrl-C; the stack of the run has been stopped.
    """
    began = time.monotonic()
    found = _Findings()

    def scrub(text: str) -> str:  # made anew each time: the stack's own passwords are known once it is up
        endpoints = found.stack.endpoints.values() if found.stack else ()
        return scrubber(settings, [one.url for one in endpoints])(text)

    with ExitStack() as cleanup:
        plan = SmokePlan(
            id=run.id,
            settings=settings,
            folder=folder,
            options=options,
            cleanup=cleanup,
            events=run.sink,
        )
        runner = StageRunner(plan, stack=lambda: found.stack, scrub=scrub, events=run.sink)
        try:
            _prove(runner, plan, found, run)
        except Ended:
            runner.skip_the_rest()
        left_over = _clean_up(cleanup)
    stack = found.stack
    report = SmokeReport(
        run_id=plan.id,
        tier=settings.tier.name,
        llm=stack.llm if stack else "",
        seconds=time.monotonic() - began,
        exit_code=runner.error.exit_code if runner.error else ExitCode.FINE,
        services=stack.endpoints if stack else {},
        notes=tuple(scrub(note) for note in (*(stack.notes if stack else ()), *left_over)),
        stages=tuple(runner.results),
        corpus=found.corpus,
        retrieval=found.retrieval,
        spent_usd=0.0,  # every provider that can be reached is free
        simulated_usd=found.simulated_usd(),
        failure=runner.failure,
        left_up=options.keep and is_up(folder, stack),
    )
    run.outcome(_outcome(report, runner.error))
    return keep_report(folder, report, run)


def _outcome(report: SmokeReport, error: RagbedError | None) -> Outcome:
    return Outcome(
        subject="smoke",
        status=status_of(report.exit_code),
        seconds=report.seconds,
        simulated=from_usd(report.simulated_usd),
        failure=error.to_json() if error else None,
        facts={"stage": report.failure.stage if report.failure else None, **asdict(report.corpus)},
    )


def _prove(runner: StageRunner, plan: SmokePlan, found: _Findings, recorder: RunRecorder) -> None:
    """Run the stages; each takes what earlier ones gave."""
    run = runner.run
    asked = run("guard", services.guard, plan)
    writer = plan.cleanup.enter_context(IngestProcess())
    if runner.reaches("migrate"):
        preload_beside(READING)
    if runner.reaches("index"):
        writer.start()
    stack = found.stack = run("stack", services.stack, plan)
    recorder.uses(stack.endpoints.values())
    run("parity", services.parity, stack)
    run("fingerprint", services.fingerprint, plan, stack)
    pipeline = run("migrate", services.migrate, plan, stack)
    # Here, since no service waits for them any longer.
    from ragbed.smoke import documents, questions  # noqa: PLC0415 - 0.1 s to import
    from ragbed.targets import ReferenceTarget  # noqa: PLC0415 - as above

    target = ReferenceTarget(pipeline)
    found.tokens = target.tokens
    corpus = run("corpus", documents.corpus, plan, asked)
    found.corpus = CorpusFigures(documents=len(corpus.documents), unreadable=len(corpus.unreadable))
    run("embed", documents.embed, plan, stack, target)
    found.embedding_tokens = documents.embedding_tokens(corpus.documents)
    found.corpus = run("index", documents.index, plan, pipeline.config, target, corpus, writer)
    found.retrieval = run("retrieve", questions.retrieve, plan, target, corpus.documents, asked)
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
