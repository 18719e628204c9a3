"""What the commands of `ragbed models` share: their options, and what those stand for."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from ragbed.models import BlobFolder, LiveServer
    from ragbed.pins import ModelLock
    from ragbed.settings import Settings

FOLDER = click.Path(file_okay=False, path_type=Path)


def file_option(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add --file, which names another lock."""
    return click.option(
        "--file", type=click.Path(dir_okay=False, path_type=Path), help="Another lock than the one in force."
    )(command)


def json_option(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add --json."""
    return click.option("--json", "as_json", is_flag=True, help="Print it as JSON.")(command)


def choice_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add --set and --model, which name what a command works on; the default set where neither is given."""
    named = click.option("--model", "models", multiple=True, metavar="NAME", help="A model of the lock.")
    of_set = click.option("--set", "sets", multiple=True, metavar="NAME", help="A set of the lock.")
    return of_set(named(command))


def lock_in_force(file: Path | None) -> ModelLock:
    """Return the lock that the command works with."""
    from ragbed.pins import load_model_lock

    return load_model_lock(file)


def fetched_blobs(*, made: bool = False) -> BlobFolder:
    """Return the fetched blobs of the state folder; `made` makes that folder."""
    from ragbed.models import BlobFolder
    from ragbed.state import find_state_folder

    folder = find_state_folder()
    return BlobFolder((folder.prepared() if made else folder).models)


def settings_in_force() -> Settings:
    """Return the settings in force."""
    from ragbed.cli.project import project_settings

    return project_settings()


def only_one(given: Mapping[str, object]) -> None:
    """Refuse flags that exclude each other."""
    from ragbed.errors import UsageError

    named = [flag for flag, value in given.items() if value]
    if len(named) > 1:
        raise UsageError(f"{' and '.join(named)} exclude each other")


def store_folder(lock: ModelLock, sets: Sequence[str], models: Sequence[str]) -> Path:
    """Return where a choice of models is laid out: a folder per set, or per choice of models."""
    from hashlib import sha256

    from ragbed.models.layout import STORES

    chosen = list(sets) or ([] if models else [lock.default])
    name = "+".join(chosen)
    if models:
        name = f"{name}+{sha256(' '.join(models).encode()).hexdigest()[:8]}".lstrip("+")
    return fetched_blobs().root / STORES / name


def live_server(url: str, settings: Settings) -> LiveServer:
    """Return the live Ollama at an address, once the guard has let it pass."""
    from ragbed.guard import check_url
    from ragbed.models import LiveServer
    from ragbed.stack.addresses import normalised

    check_url(settings, url, named="--url")
    return LiveServer(normalised("ollama", url, named="--url"))


def live_address(settings: Settings) -> str:
    """Return where an Ollama is to be asked: as given, else of the stack that is up, else on the default port.

    Empty where none was named, and the default port is not to be looked at.
    """
    from ragbed.pins import load_stack_pins
    from ragbed.settings import definitions as known
    from ragbed.stack import running_record
    from ragbed.stack.judging import require_allowed
    from ragbed.stack.section import STACK_DEFAULT_PORTS
    from ragbed.state import find_state_folder

    if settings[known.OLLAMA_URL]:
        return settings[known.OLLAMA_URL]
    record = running_record(find_state_folder())
    if record and "ollama" in record.endpoints:
        require_allowed(record, settings, find_state_folder(), ["ollama"])
        return record.endpoints["ollama"].url
    return f"http://127.0.0.1:{load_stack_pins()['ollama'].port}" if settings[STACK_DEFAULT_PORTS] else ""


def here(there: bool) -> str:
    """Return yes or no."""
    return "yes" if there else "no"
