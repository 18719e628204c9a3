"""`ragbed doctor`: what is here, what equals the pins, what to type."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from ragbed.cli.model_options import only_one
from ragbed.cli.output import show_json, show_table

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ragbed.doctor import Difference, Finding, Report

_FILE = click.Path(path_type=Path, dir_okay=False)


@click.command(epilog="Example: ragbed doctor --json | jq '.findings[] | select(.state != \"ok\")'")
@click.option("--json", "as_json", is_flag=True, help="Print the report as JSON and nothing else on stdout.")
@click.option(
    "--against", type=_FILE, metavar="FILE", help="Name what differs from another machine's --json."
)
@click.option("--fingerprint", is_flag=True, help="Load the embedding model of a live Ollama to compare it.")
@click.option("--symptoms", is_flag=True, help="Show what users complain of, and what answers it.")
def doctor(*, as_json: bool, against: Path | None, fingerprint: bool, symptoms: bool) -> None:
    """Show what this machine has, what equals the pins, and what to type.

    Only reads, in every tier. Ends with 0 when all is well, 2 when a setting or a pin file is wrong, 10 when something
    needed is missing, 11 on drift from the pins. What is optional is said and does not fail.
    """
    only_one({"--symptoms": symptoms, "--json": as_json})
    only_one({"--symptoms": symptoms, "--against": against})
    if symptoms:
        _show_symptoms()
        return
    from ragbed.doctor import differences, examine, read_values

    there = read_values(against) if against else None
    report = examine(fingerprints=fingerprint)
    differing = None if there is None else differences(report, there)
    if as_json:
        show_json(report.to_json() | ({} if differing is None else {"differences": _described(differing)}))
    else:
        _show(report)
        if differing is not None and against:
            _show_differing(differing, against)
    raise SystemExit(report.exit_code)


def _show(report: Report) -> None:
    from ragbed.doctor import fitting

    show_table(
        ["what", "is", "what was seen"], [(one.topic, _mark(one), _told(one)) for one in report.findings]
    )
    for line in _hints(report):
        click.echo(line)
    for symptom in fitting(report):
        first = symptom.remedies[0]
        click.echo(f'"{symptom.said}"? {first.type} {first.does}')
    click.echo(_verdict(report))


def _mark(finding: Finding) -> str:
    """Return the state; what fails stands out without colours."""
    return finding.state.upper() if finding.fails else finding.state


def _told(finding: Finding) -> str:
    return "; ".join([finding.seen, *finding.details])


def _hints(report: Report) -> list[str]:
    """Return what to type, what is needed first; a hint that several topics share stands once."""
    topics: dict[tuple[bool, str], list[str]] = {}
    for one in report.findings:
        if one.hint:
            topics.setdefault((one.fails, one.hint), []).append(one.topic)
    ordered = sorted(topics.items(), key=lambda item: not item[0][0])
    return [
        f"{'try' if fails else 'optional'}: {', '.join(names)}: {hint}" for (fails, hint), names in ordered
    ]


def _verdict(report: Report) -> str:
    counts = dict.fromkeys(("wrong", "missing", "drift", "note"), 0)
    for finding in report.findings:
        if finding.state in counts:
            counts[finding.state] += 1
    words = ", ".join(f"{count} {state}" for state, count in counts.items() if count)
    lines, code = len(report.findings), int(report.exit_code)
    return f"{lines} lines in {report.seconds:.2f} s: {words or 'all ok'}; exit code {code}"


def _described(differing: Sequence[Difference]) -> list[dict[str, str]]:
    return [{"topic": one.topic, "here": one.here, "there": one.there} for one in differing]


def _show_differing(differing: Sequence[Difference], against: Path) -> None:
    if not differing:
        click.echo(f"nothing differs from {against}")
        return
    rows = [(one.topic, one.here or "-", one.there or "-") for one in differing]
    show_table(["differs", "here", f"in {against.name}"], rows)


def _show_symptoms() -> None:
    from ragbed.doctor import SYMPTOMS

    for symptom in SYMPTOMS:
        click.echo(f"{symptom.said}: {symptom.why}")
        for remedy in symptom.remedies:
            click.echo(f"  {remedy.type}: {remedy.does}")
