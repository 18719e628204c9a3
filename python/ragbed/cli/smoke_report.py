"""How a smoke run's report looks on the terminal: `ragbed smoke` and `ragbed runs show` print the same."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from ragbed.cli.output import show_table, used

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ragbed.smoke.report import SmokeReport


def show_report(report: SmokeReport) -> None:
    """Print stages, services, notes, and the line that sums them up."""
    rows = [(stage.name, stage.status, f"{stage.seconds:.2f} s", stage.detail) for stage in report.stages]
    show_table(["stage", "result", "time", "what was seen"], rows, right=["time"])
    services = [
        (name, used(endpoint), f"{endpoint.product} {endpoint.version}", endpoint.origin)
        for name, endpoint in report.services.items()
    ]
    if services:
        show_table(["service", "used", "version", "from"], services)
        click.echo(f"LLM: {report.llm}")
    for line in report.notes:
        click.echo(f"note: {line}")
    held_out = report.retrieval.held_out if report.retrieval else None
    if held_out:
        click.echo(
            f"held-out questions: {held_out.questions}, hit@5 {held_out.hit_at_5:.2f},"
            f" MRR@10 {held_out.mrr_at_10:.2f}, {held_out.false_gaps} false gaps,"
            f" missed {dict(held_out.missed_by_kind) or 'none'}"
        )
    verdict = "PASSED" if report.ok else "FAILED"
    click.echo(
        f"{verdict} in {report.seconds:.2f} s, run {report.run_id}: {report.corpus.documents} documents,"
        f" {report.corpus.chunks} chunks, spent_usd {report.spent_usd:.2f},"
        f" simulated_usd {report.simulated_usd:.4f}"
    )


def failure_lines(report: SmokeReport) -> Iterator[str]:
    """Yield why the run failed, with the evidence and what to try; nothing of one that passed."""
    if report.failure is None:
        return
    yield f"\nragbed smoke: {report.failure.stage} failed: {report.failure.message}"
    for line in report.failure.details:
        yield f"  {line}"
    yield f"try: {report.failure.hint}"
