"""Run the stages in order, and make a report of whatever happens."""

from __future__ import annotations

import secrets
import time
import traceback
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from ragbed.errors import CheckFailed, ExitCode, RagbedError
from ragbed.guard import scrubber
from ragbed.smoke import documents, questions, services
from ragbed.smoke.keeping import is_up, keep_report
from ragbed.smoke.report import Failure, SmokeReport, StageResult
from ragbed.smoke.run import Run, SmokeOptions
from ragbed.stack.full_disk import full_disk_hint, log_tail

if TYPE_CHECKING:
    from ragbed.settings import Settings
    from ragbed.state import StateFolder

Stage = Callable[[Run], str]
STAGES: dict[str, Stage] = {
    "guard": services.guard,
    "stack": services.stack,
    "parity": services.parity,
    "fingerprint": services.fingerprint,
    "migrate": services.migrate,
    "corpus": documents.corpus,
    "embed": documents.embed,
    "index": documents.index,
    "retrieve": questions.retrieve,
    "cache": questions.cache,
    "answer": questions.answer,
    "gaps": questions.gaps,
}
"""Every stage by name, in order."""

_EVIDENCE = {
    "fingerprint": ("ollama",),
    "migrate": ("postgres",),
    "embed": ("ollama", "redis"),
    "index": ("qdrant", "postgres"),
    "retrieve": ("qdrant",),
    "cache": ("redis",),
    "answer": ("ollama",),
    "gaps": ("postgres",),
}
"""Whose log tells most when a stage fails."""

Listener = Callable[[str], None]


def run_smoke(
    settings: Settings,
    folder: StateFolder,
    options: SmokeOptions,
    *,
    on_stage: Callable[[StageResult], None] | None = None,
    on_progress: Listener | None = None,
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

    def scrub(text: str) -> str:  # made anew each time: the stack's own passwords are known once it is up
        endpoints = run.stack.endpoints.values() if run.stack else ()
        return scrubber(settings, [one.url for one in endpoints])(text)

    with ExitStack() as cleanup:
        run = Run(
            id=f"{datetime.now(UTC):%Y%m%d-%H%M%S}-{secrets.token_hex(3)}",
            settings=settings,
            folder=folder,
            options=options,
            cleanup=cleanup,
            say=lambda line: on_progress(scrub(line)) if on_progress else None,
        )
        results, failure, exit_code = _run_stages(run, on_stage, scrub)
        left_over = _clean_up(cleanup)
    report = SmokeReport(
        run_id=run.id,
        tier=settings.tier.name,
        llm=run.stack.llm if run.stack else "",
        seconds=time.monotonic() - began,
        exit_code=exit_code,
        services=run.stack.endpoints if run.stack else {},
        notes=tuple(scrub(note) for note in (*(run.stack.notes if run.stack else ()), *left_over)),
        stages=tuple(results),
        corpus=run.corpus,
        retrieval=run.retrieval,
        held_out=run.held_out,
        spent_usd=0.0,  # every provider that can be reached is free
        simulated_usd=run.simulated_usd(),
        failure=failure,
        left_up=run.options.keep and is_up(folder, run.stack),
    )
    return keep_report(folder, report)


def _run_stages(
    run: Run, on_stage: Callable[[StageResult], None] | None, scrub: Callable[[str], str]
) -> tuple[list[StageResult], Failure | None, ExitCode]:
    """Run every stage up to the last one asked for, or the first that fails; the rest is skipped."""
    results: list[StageResult] = []
    failure, exit_code, skipping = None, ExitCode.FINE, ""
    for name, stage in STAGES.items():
        if skipping:
            results.append(StageResult(name=name, status="skipped", detail=skipping))
            continue
        result, error = _run_stage(name, stage, run)
        result = replace(result, detail=scrub(result.detail))
        results.append(result)
        if on_stage:
            on_stage(result)
        if error:
            failure, exit_code, skipping = (
                _failure(name, error, run).mapped(scrub),
                error.exit_code,
                f"after the failure of {name}",
            )
        elif name == run.options.last_stage:
            skipping = "not asked for"
    return results, failure, exit_code


def _run_stage(name: str, stage: Stage, run: Run) -> tuple[StageResult, RagbedError | None]:
    began = time.monotonic()
    try:
        detail = stage(run)
    except RagbedError as error:
        seconds = time.monotonic() - began
        error = _with_endings(error, run)
        return StageResult(name=name, status="failed", seconds=seconds, detail=error.message), error
    except Exception as error:
        seconds = time.monotonic() - began
        frames = traceback.format_exception(error)[-3:]
        wrapped = CheckFailed(
            f"{type(error).__name__}: {error}",
            details=[line for frame in frames for line in frame.rstrip().splitlines()],
            hint="this is not an error that ragbed knows: please report it with the lines above",
        )
        return StageResult(name=name, status="failed", seconds=seconds, detail=wrapped.message), wrapped
    return StageResult(name=name, status="passed", seconds=time.monotonic() - began, detail=detail), None


def _with_endings(error: RagbedError, run: Run) -> RagbedError:
    """Return an error that says first which service of the run has ended: what a stage met is only how it noticed."""
    ended = run.stack.ended() if run.stack else {}
    if not (run.stack and ended):
        return error
    logs = {name: run.folder.log(run.stack.id, name) for name in ended}
    told = " and ".join(f"{name} of this run ended ({how})" for name, how in ended.items())
    return type(error)(
        f"{told}: {error.message}",
        details=[*error.details, *(f"log of {name}: {log}" for name, log in logs.items())],
        hint=full_disk_hint(run.folder, [line for log in logs.values() for line in log_tail(log)])
        or f"read the log, {next(iter(logs.values()))}",
    )


def _failure(stage: str, error: RagbedError, run: Run) -> Failure:
    """Return the failure with the last words of the services that the stage used."""
    logs = []
    for service in _EVIDENCE.get(stage, ()) if run.stack else ():
        lines = log_tail(run.folder.log(run.stack.id, service), 3) if run.stack else []
        logs += [f"{service} log: {line}" for line in lines]
    # A wrong file or setting is not in any log; the doctor shows them all.
    look = (
        "ragbed doctor"
        if error.exit_code == ExitCode.USAGE
        else f"ragbed smoke --stage {stage} --keep, then ragbed logs"
    )
    hint = error.hint or look
    return Failure(stage=stage, message=error.message, details=(*error.details, *logs), hint=hint)


def _clean_up(cleanup: ExitStack) -> tuple[str, ...]:
    """Close what the run opened; what goes wrong then is a note, since it must not cost the report."""
    try:
        cleanup.close()
    except (RagbedError, OSError) as error:
        return (f"not everything of the run could be removed: {error}",)
    return ()
