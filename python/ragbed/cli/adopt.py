"""`ragbed adopt`: allow writing to stores that ragbed did not start, and say who did."""

from __future__ import annotations

import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ragbed.settings import Settings
    from ragbed.state import StateFolder


@click.command(
    epilog="Examples: ragbed adopt postgresql://me:secret@127.0.0.1/scratch, ragbed adopt --check http://127.0.0.1:6333"
)
@click.argument("urls", metavar="URL...", nargs=-1, required=True)
@click.option("--yes", is_flag=True, help="Do not ask after showing what is there.")
@click.option(
    "--started-by",
    metavar="NAME",
    default="",
    help="Who started it, for example devenv: every terminal of this checkout then finds it, and says so.",
)
@click.option(
    "--take",
    "namespaces",
    metavar="NAMESPACE",
    multiple=True,
    help="Make a namespace there this project's that an older ragbed or another project made.",
)
@click.option("--remove", is_flag=True, help="Take this project off the stores' markers instead.")
@click.option(
    "--check",
    is_flag=True,
    help="Only tell whether this project started what listens there: 0 yes, 13 another one did, 10 nothing listens.",
)
def adopt(
    *,
    urls: tuple[str, ...],
    yes: bool,
    started_by: str,
    namespaces: tuple[str, ...],
    remove: bool,
    check: bool,
) -> None:
    """Let this project write to stores that ragbed did not start.

    Shows what is there first, and which projects may write there already. The marker is a table, a key or a
    collection that names those projects; --remove takes this one off it. An Ollama needs none, since nothing is
    written to it; with --started-by it is remembered like the others. Adopting again changes nothing. What an older
    ragbed left there under the name `default` becomes this project's.
    """
    from ragbed.cli.project import project_settings
    from ragbed.guard import check_url, refuse_writes
    from ragbed.stack.external_services import announce
    from ragbed.stack.recognising import require_started_here
    from ragbed.state import find_state_folder

    settings = project_settings()
    if check:
        for url in urls:
            require_started_here(url, settings, find_state_folder())
        return
    refuse_writes(settings, command="ragbed adopt")
    for url in urls:
        check_url(settings, url, named="the URL")
    folder = find_state_folder().prepared()
    for url in urls:
        adoption = Adoption(settings, folder, url)
        if remove:
            adoption.leave()
            continue
        adoption.let_in(yes=yes)
        adoption.take_over(namespaces)
        announce(folder, adoption.service, adoption.url, started_by=started_by)


class Adoption:
    """A store at an address, and what this project has to do with it.

    Args:
        settings: The resolved settings.
        folder: The state folder; it knows the project.
        url: The store's address.

    Raises:
        UsageError: It is not an address of a store.
        ServiceMissing: Nothing answers there.
        ServiceNotReady: What answers is nothing that can be marked.
    """

    def __init__(self, settings: Settings, folder: StateFolder, url: str) -> None:
        from ragbed.guard import redacted
        from ragbed.stack.recognising import candidates, recognise

        self._shown = redacted(url)
        self._settings = settings
        self._folder = folder
        self._project = folder.project()
        self._candidates = candidates(url)
        with self._explained():
            self.service, self.url, self._store, self._identity = recognise(url, settings)

    def let_in(self, *, yes: bool) -> None:
        """Show what is there and who may write, and add this project to the marker.

        Raises:
            UsageError: The user did not agree.
        """
        from ragbed.stack.registry import kind_of

        with self._explained():
            click.echo(f"{self._identity.product} {self._identity.version} at {self._shown} holds:")
            for line in self._store.contents():
                click.echo(f"  {line}")
            if not kind_of(self.service).has_marker:
                click.echo("Nothing is ever written to an Ollama: it needs no marker.")
                return
            self._store.require_writable()
            marker = self._store.marker()
            if marker and marker.lets_in(self._project):
                click.echo(f"It carries ragbed's marker already, for {marker.describe()}.")
                return
            if marker:
                click.echo(f"It carries ragbed's marker for {marker.describe()}.")
            if not yes:
                _ask(self._shown)
            self._store.let_in(self._project)
            click.echo(f"Adopted, for this project: {self._project.name} ({self._project.id}).")

    def leave(self) -> None:
        """Take this project off the marker."""
        with self._explained():
            self._store.leave(self._project)
        click.echo(f"{self._shown} does not let in this project, {self._project.name} ({self._project.id}).")

    def take_over(self, namespaces: tuple[str, ...]) -> None:
        """Make namespaces this project's: those asked for, and what an older ragbed called `default`."""
        from ragbed.pipeline.adapters.takeover import store_of, take_over
        from ragbed.pipeline.config import DEFAULT_NAMESPACE, ModelConfig, PipelineConfig
        from ragbed.stack.addresses import typed_key

        key = typed_key(self._settings, self.url) or None
        stores = store_of(self.service, self.url, api_key=key, gaps_dir=self._folder.gaps)
        if stores is None:
            return
        for namespace in dict.fromkeys((*namespaces, DEFAULT_NAMESPACE)):
            config = PipelineConfig(
                stores=stores,
                models=ModelConfig(url=""),
                namespace=namespace,
                project_id=self._project.id,
                project_name=self._project.name,
            )
            for line in take_over(config, from_others=namespace in namespaces):
                click.echo(f"Taken over: {line}.")

    @contextmanager
    def _explained(self) -> Iterator[None]:
        """Turn what a light client raises into ours."""
        from ragbed.guard import NotThere, WrongService
        from ragbed.stack.unusable import cannot_use

        try:
            yield
        except (NotThere, WrongService) as error:
            raise cannot_use(self._candidates[0], self._shown, error, named="the URL") from error


def _ask(shown: str) -> None:
    """Ask whether the store may be written to.

    Raises:
        UsageError: The answer is no, or there is no terminal to give one on.
    """
    from ragbed.errors import UsageError

    click.echo("May ragbed write to it, and delete what it wrote? [y/N]: ", nl=False)
    answer = sys.stdin.readline() if sys.stdin is not None else ""  # closed by `<&-`
    if answer.strip().lower() in {"y", "yes"}:
        return
    if not answer:
        click.echo()  # the question's line has no end yet
        raise UsageError(
            "there is no terminal to answer on", hint="say so beforehand: ragbed adopt URL --yes"
        )
    raise UsageError(f"{shown} is left as it is", hint="answer y, or give --yes")
