"""`ragbed models list`, `show`, `lock`, `why`: what is pinned."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from ragbed.cli.model_options import (
    FOLDER,
    fetched_blobs,
    file_option,
    here,
    json_option,
    live_server,
    lock_in_force,
    only_one,
    settings_in_force,
)
from ragbed.cli.output import note, show_json, show_table

if TYPE_CHECKING:
    from pathlib import Path

    from ragbed.models import BlobFolder
    from ragbed.pins import ModelPin


@click.command(
    "list",
    epilog="Example: ragbed models list --json | jq '.models[].digest'",
    short_help="List the pinned models, and which are fetched.",
)
@json_option
@file_option
def list_models(*, as_json: bool, file: Path | None) -> None:
    """List the pinned models: what for, in which sets, how big, and whether they are fetched."""
    from ragbed.stack.sizes import shown_bytes

    lock, blobs = lock_in_force(file), fetched_blobs()
    if as_json:
        entries = [
            {**_summary(pin), "sets": lock.sets_of(pin.full_name), "state": _state(pin, blobs)}
            for pin in lock.models.values()
        ]
        show_json({"file": str(lock.path), "default": lock.default, "models": entries})
        return
    rows = [
        (
            pin.full_name,
            pin.purpose,
            " ".join(lock.sets_of(pin.full_name)),
            shown_bytes(pin.size_bytes),
            pin.license or "not stated",
            pin.digest.removeprefix("sha256:")[:12],
            _state(pin, blobs),
        )
        for pin in lock.models.values()
    ]
    show_table(["model", "for", "sets", "size", "licence", "digest", "here"], rows, right=["size"])
    click.echo(f"from {lock.path}; the default set is {lock.default}")


@click.command(epilog="Example: ragbed models show all-minilm")
@click.argument("model")
@json_option
@file_option
def show(*, model: str, as_json: bool, file: Path | None) -> None:
    """Show one entry of the lock with every blob."""
    from ragbed.stack.sizes import shown_bytes

    lock, blobs = lock_in_force(file), fetched_blobs()
    pin = lock[model]
    if as_json:
        show_json({**pin.to_json(), "size": pin.size_bytes, "sets": lock.sets_of(pin.full_name)})
        return
    for key, value in _summary(pin).items():
        click.echo(f"{key:<13} {'not stated' if value is None else value}")
    rows = [
        (part.kind, str(part.size_bytes), shown_bytes(part.size_bytes), part.digest, here(blobs.has(part)))
        for part in pin.manifest.blobs
    ]
    show_table(["blob", "bytes", "size", "digest", "here"], rows, right=["bytes", "size"])


@click.command(
    epilog="Example: ragbed models lock smollm2:135m --set tiny",
    short_help="Add or update an entry of the lock; asks first.",
)
@click.argument("model")
@click.option("--registry", metavar="URL", help="A registry or mirror to read it from; file:// too.")
@click.option("--from", "folder", type=FOLDER, metavar="DIR", help="An Ollama's models folder to read.")
@click.option("--url", help="A live Ollama on this machine to read it from.")
@click.option("--set", "into", metavar="NAME", help="Put it into this set too.")
@click.option("--purpose", type=click.Choice(["embedding", "chat"]), help="What it is for.")
@click.option("--yes", is_flag=True, help="Do not ask.")
@file_option
def lock(
    *,
    model: str,
    registry: str | None,
    folder: Path | None,
    url: str | None,
    into: str | None,
    purpose: Any,
    yes: bool,
    file: Path | None,
) -> None:
    """Add or update an entry of the lock; shows the change and asks before it writes."""
    from dataclasses import replace

    from ragbed.models import change, open_folder, open_source, read_entry, read_entry_of, updated, write_lock
    from ragbed.pins import OLLAMA_REGISTRY, lock_to_write, with_tag

    now = lock_in_force(file)
    old = now.models.get(with_tag(model))
    host = old.registry if old else OLLAMA_REGISTRY
    only_one({"--registry": registry, "--from": folder, "--url": url})
    if url:
        pin = read_entry_of(model, live_server(url, settings_in_force()), registry=host, purpose=purpose)
    else:
        source = open_folder(folder) if folder else open_source(registry or f"https://{host}")
        pin = read_entry(model, source, registry=host, purpose=purpose or (old.purpose if old else None))
    new = replace(updated(now, pin, into=into), path=lock_to_write(file))
    diff = change(now, new)
    if not diff:
        click.echo(f"{pin.full_name} is locked as it is: {pin.digest}")
        return
    click.echo(diff, nl=False)
    if not yes:
        click.confirm(f"Write {new.path}?", abort=True, err=True)
    write_lock(new)
    note(f"ragbed: {new.path} is written")


@click.command(epilog="Example: ragbed models why llama3.1:8b")
@click.argument("model")
@json_option
@file_option
def why(*, model: str, as_json: bool, file: Path | None) -> None:
    """Say who wants a model, and what it costs in disk and memory."""
    from dataclasses import asdict

    from ragbed.models import reasons_for
    from ragbed.stack.sizes import shown_bytes

    reasons = reasons_for(model, lock_in_force(file), settings_in_force(), fetched_blobs())
    if as_json:
        show_json(asdict(reasons))
        return
    click.echo(f"{reasons.model} is wanted by: {', '.join(reasons.wanted_by) or 'no setting and no set'}")
    shared = reasons.disk_bytes - reasons.own_bytes
    also = f", {shown_bytes(shared)} of it shared with other models" if shared else ""
    click.echo(
        f"disk: {shown_bytes(reasons.disk_bytes)}{also}; {shown_bytes(reasons.here_bytes)} of it are here"
    )
    click.echo(f"memory: {shown_bytes(reasons.memory_bytes)} of weights at least; its context comes on top")


def _summary(pin: ModelPin) -> dict[str, Any]:
    keys = ("registry", "purpose", "digest", "license", "parameters", "quantization", "dimensions", "context")
    return {
        "model": pin.full_name,
        **{key: getattr(pin, key) for key in keys},
        "size_bytes": pin.size_bytes,
    }


def _state(pin: ModelPin, blobs: BlobFolder) -> str:
    parts = pin.manifest.blobs
    count = sum(blobs.has(part) for part in parts)
    return here(count == len(parts)) if count in {0, len(parts)} else f"{count} of {len(parts)} blobs"
