"""`ragbed models fetch`, `store`, `prune`: the blobs on this machine."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from ragbed.cli.model_options import (
    FOLDER,
    choice_options,
    fetched_blobs,
    file_option,
    json_option,
    lock_in_force,
    only_one,
    store_folder,
)
from ragbed.cli.output import note, show_json, show_table

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from ragbed.models import BlobSource, FetchPlan
    from ragbed.pins import ModelPin


@click.command(epilog="Example: ragbed models fetch --set small --from ~/.ollama/models")
@choice_options
@click.option("--registry", metavar="URL", help="A mirror instead of the pinned registry; file:// too.")
@click.option("--from", "folder", type=FOLDER, metavar="DIR", help="An Ollama's models folder.")
@click.option("--redirect-to", "redirects", multiple=True, metavar="HOST", help="May be redirected to.")
@click.option("--jobs", default=4, show_default=True, type=click.IntRange(1, 32), help="Blobs at once.")
@click.option("--dry-run", is_flag=True, help="Show what would come, with sizes.")
@click.option("--rehash", is_flag=True, help="Hash what is here, and fetch anew what is corrupted.")
@click.option("--anyway", is_flag=True, help="Fetch models that this machine's memory cannot hold.")
@json_option
@file_option
def fetch(
    *,
    sets: Sequence[str],
    models: Sequence[str],
    registry: str | None,
    folder: Path | None,
    redirects: Sequence[str],
    jobs: int,
    dry_run: bool,
    rehash: bool,
    anyway: bool,
    as_json: bool,
    file: Path | None,
) -> None:
    """Fetch the blobs of models by digest. What was interrupted goes on where it stopped.

    They come from the registry that the lock names; no other host is contacted. --redirect-to names a host that the
    registry may send us to; one that begins with a dot stands for all hosts below it.
    """
    import time

    from ragbed.cli.progress import progress_line
    from ragbed.models import drop_corrupted, plan_fetch
    from ragbed.models import fetch as fetch_blobs

    only_one({"--dry-run": dry_run, "--rehash": rehash})
    pins, blobs = lock_in_force(file).select(sets=sets, models=models), fetched_blobs(made=not dry_run)
    for part in drop_corrupted(pins, blobs) if rehash else ():
        note(f"ragbed: {part.kind} {part.digest} was corrupted and is fetched anew")
    plan = plan_fetch(pins, blobs)
    if dry_run:
        _show_plan(plan, as_json=as_json)
        return
    for line in plan.check(anyway=anyway):
        note(f"ragbed: {line}")
    begun = time.monotonic()
    if plan.wanted:
        sources = _sources(pins, registry, folder, redirects)
        with progress_line() as events:
            fetch_blobs(plan, sources, blobs, jobs=jobs, events=events)
    if as_json:
        took = round(time.monotonic() - begun, 3)
        show_json({"folder": str(blobs.root), "seconds": took, **_plan_values(plan)})
        return
    from ragbed.stack.sizes import shown_bytes

    names = ", ".join(pin.full_name for pin in pins)
    click.echo(
        f"{names}: {shown_bytes(plan.left_bytes)} fetched of {shown_bytes(plan.total_bytes)}, in {blobs.root}"
    )


@click.command(
    epilog="Example: OLLAMA_MODELS=$(ragbed models store --set small) ollama serve",
    short_help="Lay out a read-only models folder for a real Ollama.",
)
@click.argument("folder", required=False, type=FOLDER, metavar="[DIR]")
@choice_options
@json_option
@file_option
def store(
    *, folder: Path | None, sets: Sequence[str], models: Sequence[str], as_json: bool, file: Path | None
) -> None:
    """Lay out a read-only models folder that a real Ollama serves, and print its path.

    Every blob is hashed first. Blobs are hard links, so it takes no space; without DIR it is below the state folder.
    """
    from ragbed.models import export_store

    lock, blobs = lock_in_force(file), fetched_blobs(made=True)
    pins = lock.select(sets=sets, models=models)
    target = folder.absolute() if folder else store_folder(lock, sets, models)
    done = export_store(pins, blobs, target)
    if done.copied:
        note(f"ragbed: {done.copied} blobs were copied: {done.folder} is on another disk than {blobs.root}")
    if as_json:
        names = {pin.full_name: pin.digest for pin in pins}
        show_json({"folder": str(done.folder), "linked": done.linked, "copied": done.copied, "models": names})
        return
    click.echo(str(done.folder))


@click.command(epilog="Example: ragbed models prune --dry-run")
@click.option("--dry-run", is_flag=True, help="Show what would go.")
@click.option("--yes", is_flag=True, help="Do not ask.")
@json_option
@file_option
def prune(*, dry_run: bool, yes: bool, as_json: bool, file: Path | None) -> None:
    """Remove fetched blobs that no entry of the lock wants."""
    from dataclasses import asdict

    from ragbed.errors import UsageError
    from ragbed.models import orphaned_blobs
    from ragbed.models import prune as remove
    from ragbed.stack.sizes import shown_bytes

    if as_json and not (dry_run or yes):
        raise UsageError("--json needs --yes or --dry-run: a question is not JSON")
    blobs = fetched_blobs()
    orphans = orphaned_blobs(lock_in_force(file), blobs)
    size = sum(one.size_bytes for one in orphans)
    if not as_json:
        rows = [(one.digest, shown_bytes(one.size_bytes), "yes" if one.shared else "") for one in orphans]
        if rows:
            show_table(["blob", "size", "also in a laid-out folder"], rows, right=["size"])
        click.echo(f"{len(orphans) or 'no'} blobs that no entry wants, {shown_bytes(size)}, in {blobs.root}")
    if orphans and not (dry_run or yes):
        click.confirm("Remove them?", abort=True, err=True)
    freed = 0 if dry_run else remove(orphans, blobs)
    if as_json:
        show_json(
            {"folder": str(blobs.root), "blobs": [asdict(one) for one in orphans], "removed_bytes": freed}
        )


def _sources(
    pins: Sequence[ModelPin], registry: str | None, folder: Path | None, redirects: Sequence[str]
) -> Mapping[str, BlobSource]:
    """Return where blobs come from, by the registry that an entry names."""
    from ragbed.models import open_folder, open_source

    only_one({"--registry": registry, "--from": folder})
    hosts = {pin.registry for pin in pins}
    if folder:
        return dict.fromkeys(hosts, open_folder(folder.expanduser()))
    return {host: open_source(registry or f"https://{host}", redirects=redirects) for host in hosts}


def _plan_values(plan: FetchPlan) -> dict[str, Any]:
    return {
        "models": [pin.full_name for pin in plan.pins],
        "total_bytes": plan.total_bytes,
        "fetched_bytes": plan.left_bytes,
        "blobs": [
            {
                "model": one.pin.full_name,
                "kind": one.part.kind,
                "digest": one.part.digest,
                "bytes": one.left_bytes,
            }
            for one in plan.wanted
        ],
    }


def _show_plan(plan: FetchPlan, *, as_json: bool) -> None:
    from ragbed.stack.sizes import shown_bytes

    if as_json:
        show_json({"dry_run": True, **_plan_values(plan), "free_bytes": plan.free_bytes})
        return
    rows = [
        (
            one.pin.full_name,
            one.part.kind,
            shown_bytes(one.part.size_bytes),
            shown_bytes(one.left_bytes),
            one.part.digest,
        )
        for one in plan.wanted
    ]
    if rows:
        show_table(["model", "blob", "size", "to come", "digest"], rows, right=["size", "to come"])
    memory = shown_bytes(plan.heaviest.weights_bytes)
    click.echo(
        f"{shown_bytes(plan.left_bytes)} of {shown_bytes(plan.total_bytes)} to come; {shown_bytes(plan.free_bytes)} of"
        f" disk are free; {plan.heaviest.full_name} loads {memory} of weights,"
        f" {shown_bytes(plan.available_memory_bytes)} of memory are free"
    )
