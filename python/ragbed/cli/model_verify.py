"""`ragbed models verify`: the lock against what is there."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from ragbed.cli.model_options import (
    FOLDER,
    choice_options,
    fetched_blobs,
    file_option,
    json_option,
    live_address,
    live_server,
    lock_in_force,
    settings_in_force,
    store_folder,
)
from ragbed.cli.output import note, show_json

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from ragbed.models import ModelDifference
    from ragbed.pins import ModelLock, ModelPin


@click.command(
    epilog="Example: ragbed models verify --url http://127.0.0.1:11434 --set small",
    short_help="Compare the lock with blobs, folders and a live Ollama.",
)
@choice_options
@click.option("--url", help="A live Ollama to compare; without --store, only that.")
@click.option("--store", "folder", type=FOLDER, metavar="DIR", help="A models folder; only that.")
@json_option
@file_option
def verify(
    *,
    sets: Sequence[str],
    models: Sequence[str],
    url: str | None,
    folder: Path | None,
    as_json: bool,
    file: Path | None,
) -> None:
    """Compare the lock with the fetched blobs, the laid-out folder and a live Ollama. Exit code 11 on drift.

    Every byte is hashed. Without --url and --store it looks at the fetched blobs, at the folder that `store` laid
    out, and at a live Ollama: of OLLAMA_HOST, of the stack of `ragbed up`, or on the default port.
    """
    from ragbed.errors import ExitCode, UsageError

    lock = lock_in_force(file)
    pins = lock.select(sets=sets, models=models)
    if folder and not folder.expanduser().is_dir():
        raise UsageError(f"there is no folder {folder}")
    compared, differences = _compare(lock, pins, url, folder, store_folder(lock, sets, models))
    drifted = [difference for difference in differences if difference.drift]
    if as_json:
        _show_comparison(compared, differences)
    else:
        for difference in differences:
            click.echo(difference.describe() if difference.drift else f"{difference.describe()} (no drift)")
        names = ", ".join(pin.full_name for pin in pins)
        places = "; ".join(compared) or "nothing: there was nothing to compare"
        click.echo(f"{names}: {len(drifted) or 'no'} differences from {lock.path.name} in {places}")
    kinds = {drift.kind for drift in drifted if drift.where == "blobs"}
    if wrong := kinds & {"missing", "size", "corrupted blob"}:
        again = "--rehash " if "corrupted blob" in wrong else ""
        note(f"try: ragbed models fetch {again}{' '.join(f'--model {pin.full_name}' for pin in pins)}")
    if drifted:
        raise SystemExit(ExitCode.DRIFT)


def _compare(
    lock: ModelLock, pins: Sequence[ModelPin], url: str | None, folder: Path | None, laid_out: Path
) -> tuple[list[str], list[ModelDifference]]:
    """Return what was compared, in words, and every difference."""
    from ragbed.models import verify_blobs, verify_store

    everything = not (url or folder)
    compared: list[str] = []
    differences: list[ModelDifference] = []
    if everything:
        compared.append(f"the blobs in {fetched_blobs().root}")
        differences += verify_blobs(pins, lock, fetched_blobs())
        folder = laid_out if laid_out.is_dir() else None
    if folder:
        compared.append(str(folder))
        differences += verify_store(pins, folder.expanduser())
    if url or everything:
        models, more = _compare_server(pins, url)
        compared += models
        differences += more
    return compared, differences


def _compare_server(pins: Sequence[ModelPin], url: str | None) -> tuple[list[str], list[ModelDifference]]:
    """Compare the Ollama of that URL, else the one that is named, up or on the default port, if one answers."""
    from ragbed.errors import ServiceMissing
    from ragbed.models import verify_server
    from ragbed.settings import definitions as known

    settings = settings_in_force()
    given = url or settings[known.OLLAMA_URL]
    address = url or live_address(settings)
    if not address:
        return [], []
    server = live_server(address, settings)
    try:
        product = server.product()
    except ServiceMissing as error:
        if given:
            raise
        note(f"ragbed: {server.shown} is not compared: {error.message}")
        return [], []
    if product != "ollama":
        note(f"ragbed: {server.shown} is not compared: {product} has digests of its own")
        return [], []
    return [server.shown], verify_server(pins, server)


def _show_comparison(compared: Sequence[str], differences: Sequence[ModelDifference]) -> None:
    from dataclasses import asdict

    drifted = any(difference.drift for difference in differences)
    values = [asdict(difference) for difference in differences]
    show_json({"compared": list(compared), "drift": drifted, "differences": values})
