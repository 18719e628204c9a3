"""`ragbed models fingerprint`: what the models of a live Ollama give, against what was recorded."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from ragbed.cli.model_options import (
    choice_options,
    file_option,
    json_option,
    live_address,
    live_server,
    lock_in_force,
    settings_in_force,
)
from ragbed.cli.output import note, show_json

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from ragbed.events import EventSink
    from ragbed.models.fingerprint import FingerprintFile, Verdict
    from ragbed.settings import Settings


@click.command(
    epilog="Example: ragbed models fingerprint --url http://127.0.0.1:11434 --set small",
    short_help="Compare what live models give with what was recorded.",
)
@choice_options
@click.option(
    "--url", help="The live Ollama; default: OLLAMA_HOST, the stack of `ragbed up`, the default port."
)
@click.option("--update", is_flag=True, help="Record what the models give now.")
@json_option
@file_option
def fingerprint(
    *,
    sets: Sequence[str],
    models: Sequence[str],
    url: str | None,
    update: bool,
    as_json: bool,
    file: Path | None,
) -> None:
    """Compare what models make of a few texts with what was recorded. Exit code 11 on drift.

    An embedding model must give the recorded vectors; a chat model should give the recorded greedy answers, which
    fails nothing. The record lies beside the lock; --update adds to it, for this model, runtime and backend.
    """
    from dataclasses import replace

    from ragbed.errors import ExitCode
    from ragbed.models.fingerprint import check_fingerprint, fingerprints_path, load_fingerprints
    from ragbed.pins import lock_to_write

    lock = lock_in_force(file)
    names = [pin.full_name for pin in lock.select(sets=sets, models=models)]
    own = fingerprints_path(lock_to_write(file))
    known = replace(load_fingerprints(own if own.is_file() else fingerprints_path(lock.path)), path=own)
    settings = settings_in_force()
    address = live_server(url or _address(settings), settings).url
    events = _events()
    if update:
        verdicts = _record(address, names, known, settings, events)
    else:
        verdicts = [
            check_fingerprint(address, name, known=known, settings=settings, events=events) for name in names
        ]
    if as_json:
        drift = any(verdict.fails for verdict in verdicts) and not update
        values = [verdict.to_json() for verdict in verdicts]
        show_json({"file": str(known.path), "updated": update, "drift": drift, "models": values})
    else:
        _show(verdicts, updated=update)
    if not update and any(verdict.fails for verdict in verdicts):
        raise SystemExit(ExitCode.DRIFT)


def _record(
    address: str, names: Sequence[str], known: FingerprintFile, settings: Settings, events: EventSink
) -> list[Verdict]:
    """Record every model, or none where one of them fails; return what the old record said of each."""
    from ragbed.models.fingerprint import record_fingerprint

    now, verdicts = known, []
    for name in names:
        now, verdict = record_fingerprint(address, name, known=now, settings=settings, events=events)
        verdicts.append(verdict)
    if now == known:
        note(f"ragbed: {known.path} has all of it already")
    else:
        now.write()
        note(f"ragbed: {known.path} is written")
    return verdicts


def _address(settings: Settings) -> str:
    """Return where an Ollama is to be asked.

    Raises:
        ServiceMissing: None was named, and the default port is not to be looked at.
    """
    from ragbed.errors import ServiceMissing

    if address := live_address(settings):
        return address
    raise ServiceMissing("no Ollama is named, and no stack is up", hint="give --url, or set OLLAMA_HOST")


def _show(verdicts: Sequence[Verdict], *, updated: bool) -> None:
    """Print a line per model, and below it what changed and how far each canary is."""
    for verdict in verdicts:
        click.echo(
            f"{'recorded' if updated else verdict.kind:<9}{verdict.model if updated else verdict.line}"
        )
        before = [f"before: {verdict.kind}, {verdict.line}"] if updated else []
        for line in (*before, *verdict.details) if verdict.kind != "same" else ():
            click.echo(f"         {line}")
        if verdict.hint and not updated:
            note(f"try: {verdict.hint}")


def _events() -> EventSink:
    from ragbed.cli.events import EventLines
    from ragbed.events import EventStream

    return EventStream(EventLines())
