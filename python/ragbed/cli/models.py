"""`ragbed models`: the pinned models, by digest."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from ragbed.cli.output import note, show_json, show_table

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from ragbed.models import BlobFolder, Difference, FetchPlan, Source
    from ragbed.pins import ModelLock, ModelPin
    from ragbed.settings import Settings

_FOLDER = click.Path(file_okay=False, path_type=Path)


def _file_option(command: Callable[..., Any]) -> Callable[..., Any]:
    return click.option(
        "--file", type=click.Path(dir_okay=False, path_type=Path), help="Another lock than the one in force."
    )(command)


def _json_option(command: Callable[..., Any]) -> Callable[..., Any]:
    return click.option("--json", "as_json", is_flag=True, help="Print it as JSON.")(command)


def _choice_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add --set and --model, which name what a command works on; the default set where neither is given."""
    named = click.option("--model", "models", multiple=True, metavar="NAME", help="A model of the lock.")
    of_set = click.option("--set", "sets", multiple=True, metavar="NAME", help="A set of the lock.")
    return of_set(named(command))


@click.group(epilog="Example: ragbed models fetch --set small && ragbed models store --set small")
def models() -> None:
    """List, fetch, lay out, compare and lock the pinned models, by digest."""


@models.command("list", epilog="Example: ragbed models list --json | jq '.models[].digest'")
@_json_option
@_file_option
def list_models(*, as_json: bool, file: Path | None) -> None:
    """List the pinned models: what for, in which sets, how big, and whether they are fetched."""
    from ragbed.models.sizes import shown_bytes

    lock, blobs = _lock(file), _blobs()
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


@models.command(epilog="Example: ragbed models show all-minilm")
@click.argument("model")
@_json_option
@_file_option
def show(*, model: str, as_json: bool, file: Path | None) -> None:
    """Show one entry of the lock with every blob."""
    from ragbed.models.sizes import shown_bytes

    lock, blobs = _lock(file), _blobs()
    pin = lock[model]
    if as_json:
        show_json({**pin.to_json(), "size": pin.size_bytes, "sets": lock.sets_of(pin.full_name)})
        return
    for key, value in _summary(pin).items():
        click.echo(f"{key:<13} {'not stated' if value is None else value}")
    rows = [
        (part.kind, str(part.size_bytes), shown_bytes(part.size_bytes), part.digest, _here(blobs.has(part)))
        for part in pin.manifest.blobs
    ]
    show_table(["blob", "bytes", "size", "digest", "here"], rows, right=["bytes", "size"])


@models.command(epilog="Example: ragbed models fetch --set small --from ~/.ollama/models")
@_choice_options
@click.option("--registry", metavar="URL", help="A mirror instead of the pinned registry; file:// too.")
@click.option("--from", "folder", type=_FOLDER, metavar="DIR", help="An Ollama's models folder.")
@click.option("--redirect-to", "redirects", multiple=True, metavar="HOST", help="May be redirected to.")
@click.option("--jobs", default=4, show_default=True, type=click.IntRange(1, 32), help="Blobs at once.")
@click.option("--dry-run", is_flag=True, help="Show what would come, with sizes.")
@click.option("--anyway", is_flag=True, help="Fetch models that this machine's memory cannot hold.")
@_json_option
@_file_option
def fetch(
    *,
    sets: Sequence[str],
    models: Sequence[str],
    registry: str | None,
    folder: Path | None,
    redirects: Sequence[str],
    jobs: int,
    dry_run: bool,
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
    from ragbed.models import fetch as fetch_blobs
    from ragbed.models import plan_fetch

    pins, blobs = _lock(file).select(sets=sets, models=models), _blobs(made=not dry_run)
    plan = plan_fetch(pins, blobs)
    if dry_run:
        _show_plan(plan, as_json=as_json)
        return
    for line in plan.check(anyway=anyway):
        note(f"ragbed: {line}")
    begun = time.monotonic()
    if plan.wanted:
        sources = _sources(pins, registry, folder, redirects)
        with progress_line() as show_progress:
            fetch_blobs(plan, sources, blobs, jobs=jobs, progress=show_progress)
    if as_json:
        took = round(time.monotonic() - begun, 3)
        show_json({"folder": str(blobs.root), "seconds": took, **_plan_values(plan)})
        return
    from ragbed.models.sizes import shown_bytes

    names = ", ".join(pin.full_name for pin in pins)
    click.echo(
        f"{names}: {shown_bytes(plan.left_bytes)} fetched of {shown_bytes(plan.total_bytes)}, in {blobs.root}"
    )


@models.command(epilog="Example: OLLAMA_MODELS=$(ragbed models store --set small) ollama serve")
@click.argument("folder", required=False, type=_FOLDER, metavar="[DIR]")
@_choice_options
@_json_option
@_file_option
def store(
    *, folder: Path | None, sets: Sequence[str], models: Sequence[str], as_json: bool, file: Path | None
) -> None:
    """Lay out a read-only models folder that a real Ollama serves, and print its path.

    Every blob is hashed first. Blobs are hard links, so it takes no space; without DIR it is below the state folder.
    """
    from ragbed.models import lay_out

    lock, blobs = _lock(file), _blobs(made=True)
    pins = lock.select(sets=sets, models=models)
    target = folder.absolute() if folder else _store_folder(lock, sets, models)
    done = lay_out(pins, blobs, target)
    if done.copied:
        note(f"ragbed: {done.copied} blobs were copied: {done.folder} is on another disk than {blobs.root}")
    if as_json:
        names = {pin.full_name: pin.digest for pin in pins}
        show_json({"folder": str(done.folder), "linked": done.linked, "copied": done.copied, "models": names})
        return
    click.echo(str(done.folder))


@models.command(epilog="Example: ragbed models verify --url http://127.0.0.1:11434 --set small")
@_choice_options
@click.option("--url", help="A live Ollama to compare; without --store, only that.")
@click.option("--store", "folder", type=_FOLDER, metavar="DIR", help="A models folder; only that.")
@_json_option
@_file_option
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
    out, and at the Ollama that OLLAMA_HOST names or that answers on the default port.
    """
    from ragbed.errors import ExitCode

    lock = _lock(file)
    pins = lock.select(sets=sets, models=models)
    compared, differences = _compare(lock, pins, url, folder, _store_folder(lock, sets, models))
    drifted = [difference for difference in differences if difference.drift]
    if as_json:
        _show_comparison(compared, differences)
    else:
        for difference in differences:
            click.echo(difference.describe() if difference.drift else f"{difference.describe()} (no drift)")
        names = ", ".join(pin.full_name for pin in pins)
        click.echo(
            f"{names}: {len(drifted) or 'no'} differences from {lock.path.name} in {'; '.join(compared)}"
        )
    if any(found.kind == "missing" and found.where == "blobs" for found in drifted):
        note(f"try: ragbed models fetch {' '.join(f'--model {pin.full_name}' for pin in pins)}")
    if drifted:
        raise SystemExit(ExitCode.DRIFT)


@models.command(epilog="Example: ragbed models lock smollm2:135m --set tiny")
@click.argument("model")
@click.option("--registry", metavar="URL", help="A registry or mirror to read it from; file:// too.")
@click.option("--from", "folder", type=_FOLDER, metavar="DIR", help="An Ollama's models folder to read.")
@click.option("--url", help="A live Ollama on this machine to read it from.")
@click.option("--set", "into", metavar="NAME", help="Put it into this set too.")
@click.option("--purpose", type=click.Choice(["embedding", "chat"]), help="What it is for.")
@click.option("--yes", is_flag=True, help="Do not ask.")
@_file_option
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
    from ragbed.models import change, open_folder, open_source, read_entry, read_entry_of, updated, write_lock
    from ragbed.pins import with_tag

    now = _lock(file)
    old = now.models.get(with_tag(model))
    host = old.registry if old else "registry.ollama.ai"
    _only_one({"--registry": registry, "--from": folder, "--url": url})
    if url:
        pin = read_entry_of(model, _server(url, _settings()), registry=host, purpose=purpose)
    else:
        source = open_folder(folder) if folder else open_source(registry or f"https://{host}")
        pin = read_entry(model, source, registry=host, purpose=purpose or (old.purpose if old else None))
    new = updated(now, pin, into=into)
    diff = change(now, new)
    if not diff:
        click.echo(f"{pin.full_name} is locked as it is: {pin.digest}")
        return
    click.echo(diff, nl=False)
    if not yes:
        click.confirm(f"Write {now.path}?", abort=True, err=True)
    write_lock(new)
    note(f"ragbed: {now.path} is written")


@models.command(epilog="Example: ragbed models why llama3.1:8b")
@click.argument("model")
@_json_option
@_file_option
def why(*, model: str, as_json: bool, file: Path | None) -> None:
    """Say who wants a model, and what it costs in disk and memory."""
    from dataclasses import asdict

    from ragbed.models import reasons_for
    from ragbed.models.sizes import shown_bytes

    reasons = reasons_for(model, _lock(file), _settings(), _blobs())
    if as_json:
        show_json(asdict(reasons))
        return
    click.echo(f"{reasons.model} is wanted by: {', '.join(reasons.wanted_by) or 'nobody'}")
    shared = reasons.disk_bytes - reasons.own_bytes
    also = f", {shown_bytes(shared)} of it shared with other models" if shared else ""
    click.echo(
        f"disk: {shown_bytes(reasons.disk_bytes)}{also}; {shown_bytes(reasons.here_bytes)} of it are here"
    )
    click.echo(f"memory: {shown_bytes(reasons.memory_bytes)} of weights at least; its context comes on top")


@models.command(epilog="Example: ragbed models prune --dry-run")
@click.option("--dry-run", is_flag=True, help="Show what would go.")
@click.option("--yes", is_flag=True, help="Do not ask.")
@_json_option
@_file_option
def prune(*, dry_run: bool, yes: bool, as_json: bool, file: Path | None) -> None:
    """Remove fetched blobs that no entry of the lock wants."""
    from dataclasses import asdict

    from ragbed.errors import UsageError
    from ragbed.models import prune as remove
    from ragbed.models import unwanted
    from ragbed.models.sizes import shown_bytes

    if as_json and not (dry_run or yes):
        raise UsageError("--json needs --yes or --dry-run: a question is no JSON")
    blobs = _blobs()
    found = unwanted(_lock(file), blobs)
    size = sum(one.size_bytes for one in found)
    if not as_json:
        rows = [(one.digest, shown_bytes(one.size_bytes), "yes" if one.shared else "") for one in found]
        if rows:
            show_table(["blob", "size", "also in a laid-out folder"], rows, right=["size"])
        click.echo(f"{len(found) or 'no'} blobs that no entry wants, {shown_bytes(size)}, in {blobs.root}")
    if found and not (dry_run or yes):
        click.confirm("Remove them?", abort=True, err=True)
    freed = 0 if dry_run else remove(found, blobs)
    if as_json:
        show_json(
            {"folder": str(blobs.root), "blobs": [asdict(one) for one in found], "removed_bytes": freed}
        )


def _lock(file: Path | None) -> ModelLock:
    from ragbed.pins import load_model_lock

    return load_model_lock(file)


def _blobs(*, made: bool = False) -> BlobFolder:
    from ragbed.models import BlobFolder
    from ragbed.stack import find_state_folder

    folder = find_state_folder()
    return BlobFolder((folder.prepared() if made else folder).models)


def _settings() -> Settings:
    from ragbed.settings import resolve_settings
    from ragbed.stack import project_folder

    return resolve_settings(folder=project_folder())


def _sources(
    pins: Sequence[ModelPin], registry: str | None, folder: Path | None, redirects: Sequence[str]
) -> Mapping[str, Source]:
    """Return where blobs come from, by the registry that an entry names."""
    from ragbed.models import open_folder, open_source

    _only_one({"--registry": registry, "--from": folder})
    hosts = {pin.registry for pin in pins}
    if folder:
        return dict.fromkeys(hosts, open_folder(folder.expanduser()))
    return {host: open_source(registry or f"https://{host}", redirects=redirects) for host in hosts}


def _only_one(given: Mapping[str, object]) -> None:
    from ragbed.errors import UsageError

    named = [flag for flag, value in given.items() if value]
    if len(named) > 1:
        raise UsageError(f"{' and '.join(named)} exclude each other")


def _store_folder(lock: ModelLock, sets: Sequence[str], models: Sequence[str]) -> Path:
    """Return where a choice of models is laid out: a folder per set, or per choice of models."""
    from hashlib import sha256

    from ragbed.models.layout import STORES

    chosen = list(sets) or ([] if models else [lock.default])
    name = "+".join(chosen)
    if models:
        name = f"{name}+{sha256(' '.join(models).encode()).hexdigest()[:8]}".lstrip("+")
    return _blobs().root / STORES / name


def _compare(
    lock: ModelLock, pins: Sequence[ModelPin], url: str | None, folder: Path | None, laid_out: Path
) -> tuple[list[str], list[Difference]]:
    """Return what was compared, in words, and every difference."""
    from ragbed.models import verify_blobs, verify_store

    everything = not (url or folder)
    compared: list[str] = []
    differences: list[Difference] = []
    if everything:
        compared.append(f"the blobs in {_blobs().root}")
        differences += verify_blobs(pins, lock, _blobs())
        folder = laid_out if laid_out.is_dir() else None
    if folder:
        compared.append(str(folder))
        differences += verify_store(pins, folder.expanduser())
    if url or everything:
        found, more = _compare_server(pins, url)
        compared += found
        differences += more
    return compared, differences


def _compare_server(pins: Sequence[ModelPin], url: str | None) -> tuple[list[str], list[Difference]]:
    """Compare the Ollama of that URL, else the one of the settings or of the default port, if one answers."""
    from ragbed.errors import ServiceMissing
    from ragbed.models import verify_server
    from ragbed.pins import load_stack_pins
    from ragbed.settings import definitions as known

    settings = _settings()
    given = url or settings[known.OLLAMA_URL]
    if not (given or settings[known.STACK_DEFAULT_PORTS]):
        return [], []
    server = _server(given or f"http://127.0.0.1:{load_stack_pins()['ollama'].port}", settings)
    try:
        product = server.product()
    except ServiceMissing:
        if given:
            raise
        return [], []
    if product != "ollama":
        return [f"{server.shown} (not compared: {product} has digests of its own)"], []
    return [server.shown], verify_server(pins, server)


def _server(url: str, settings: Settings) -> Any:
    from ragbed.guard import check_url
    from ragbed.models import LiveServer
    from ragbed.stack.attaching import normalised

    check_url(settings, url, named="--url")
    return LiveServer(normalised("ollama", url, named="--url"))


def _summary(pin: ModelPin) -> dict[str, Any]:
    keys = ("registry", "purpose", "digest", "license", "parameters", "quantization", "dimensions", "context")
    return {
        "model": pin.full_name,
        **{key: getattr(pin, key) for key in keys},
        "size_bytes": pin.size_bytes,
    }


def _state(pin: ModelPin, blobs: BlobFolder) -> str:
    parts = pin.manifest.blobs
    here = sum(blobs.has(part) for part in parts)
    return _here(here == len(parts)) if here in {0, len(parts)} else f"{here} of {len(parts)} blobs"


def _here(there: bool) -> str:
    return "yes" if there else "no"


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
    from ragbed.models.sizes import shown_bytes

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


def _show_comparison(compared: Sequence[str], differences: Sequence[Difference]) -> None:
    from dataclasses import asdict

    drifted = any(difference.drift for difference in differences)
    values = [asdict(difference) for difference in differences]
    show_json({"compared": list(compared), "drift": drifted, "differences": values})
