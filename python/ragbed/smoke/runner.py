"""Run the stages in order, and make a report of whatever happens."""

from __future__ import annotations

import secrets
import time
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from ragbed.costs import simulated_cost, to_usd
from ragbed.errors import RagbedError
from ragbed.guard import scrubber
from ragbed.smoke import documents, questions, services
from ragbed.smoke.ingest_process import ingest_process
from ragbed.smoke.plan import SmokeOptions, SmokePlan
from ragbed.smoke.preloading import READING, preload_beside
from ragbed.smoke.report import CorpusFigures, RetrievalResult, SmokeReport
from ragbed.smoke.retention import is_up, keep_report
from ragbed.smoke.stage_runner import Ended, StageRunner
from ragbed.targets import ReferenceTarget, Tokens

if TYPE_CHECKING:
    from collections.abc import Callable

    from ragbed.settings import Settings
    from ragbed.smoke.report import StageResult
    from ragbed.stack import Stack
    from ragbed.state import StateFolder


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
        tokens = self.tokens or Tokens()
        return to_usd(
            simulated_cost(
                prompt_tokens=tokens.prompt,
                answer_tokens=tokens.answer,
                embedding_tokens=self.embedding_tokens,
            )
        )


def run_smoke(
    settings: Settings,
    folder: StateFolder,
    options: SmokeOptions,
    *,
    on_stage: Callable[[StageResult], None] | None = None,
    on_progress: Callable[[str], None] | None = None,
) -> SmokeReport:
    """Prove that the reference pipeline works end to end; a failure is in the report, not raised.

    Args:
        settings: The resolved settings.
        folder: The state folder.
        options: What is asked for.
        on_stage: Called with each stage that has ended.
        on_progress: Called with lines on the way of long stages.

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
            id=f"{datetime.now(UTC):%Y%m%d-%H%M%S}-{secrets.token_hex(3)}",
            settings=settings,
            folder=folder,
            options=options,
            cleanup=cleanup,
            say=lambda line: on_progress(scrub(line)) if on_progress else None,
        )
        runner = StageRunner(plan, stack=lambda: found.stack, scrub=scrub, on_stage=on_stage)
        try:
            _prove(runner, plan, found)
        except Ended:
            runner.skip_the_rest()
        left_over = _clean_up(cleanup)
    stack = found.stack
    report = SmokeReport(
        run_id=plan.id,
        tier=settings.tier.name,
        llm=stack.llm if stack else "",
        seconds=time.monotonic() - began,
        exit_code=runner.exit_code,
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
    return keep_report(folder, report)


def _prove(runner: StageRunner, plan: SmokePlan, found: _Findings) -> None:
    """Run the stages; each takes what earlier ones gave."""
    run = runner.run
    asked = run("guard", services.guard, plan)
    preload_beside(READING)
    writer = plan.cleanup.enter_context(ingest_process())
    stack = found.stack = run("stack", services.stack, plan)
    run("parity", services.parity, stack)
    run("fingerprint", services.fingerprint, plan, stack)
    pipeline = run("migrate", services.migrate, plan, stack)
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
    run("gaps", questions.gaps, target, corpus.documents, pipeline.config.gaps_dir)


def _clean_up(cleanup: ExitStack) -> tuple[str, ...]:
    """Close what the run opened; what goes wrong then is a note, since it must not cost the report."""
    try:
        cleanup.close()
    except (RagbedError, OSError) as error:
        return (f"not everything of the run could be removed: {error}",)
    return ()
