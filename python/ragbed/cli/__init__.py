"""The `ragbed` command: one file per command group, each loaded only when it is called."""

from __future__ import annotations

import errno
import importlib
import signal
import sys
from contextlib import suppress
from pathlib import Path
from typing import NoReturn

import click

from ragbed import __version__
from ragbed.cli.terminal import harmless_streams, require_output
from ragbed.errors import ExitCode, RagbedError

COMMANDS = {
    "init": "ragbed.cli.init:init",
    "up": "ragbed.cli.stack:up",
    "down": "ragbed.cli.stack:down",
    "status": "ragbed.cli.stack:status",
    "logs": "ragbed.cli.logs:logs",
    "env": "ragbed.cli.env:env",
    "reset": "ragbed.cli.stack:reset",
    "smoke": "ragbed.cli.smoke:smoke",
    "parity": "ragbed.cli.parity:parity",
    "migrate": "ragbed.cli.migrate:migrate",
    "ingest": "ragbed.cli.pipeline:ingest",
    "ask": "ragbed.cli.pipeline:ask",
    "gaps": "ragbed.cli.pipeline:gaps",
    "serve": "ragbed.cli.serve:serve",
    "store": "ragbed.cli.store:store",
    "runs": "ragbed.cli.runs:runs",
    "repro": "ragbed.cli.repro:repro",
    "pins": "ragbed.cli.pins:pins",
    "compose": "ragbed.cli.compose:compose",
    "models": "ragbed.cli.models:models",
    "config": "ragbed.cli.config:config",
    "doctor": "ragbed.cli.doctor:doctor",
    "adopt": "ragbed.cli.adopt:adopt",
    "qdrant": "ragbed.cli.qdrant:qdrant",
    "llm": "ragbed.cli.llm:llm",
}
"""Each command and the object that implements it, in the order that help shows them."""

SHORT_HELP = {
    "init": "Write the first files of a project that uses ragbed.",
    "up": "Start the stack and wait until every service answers.",
    "down": "Stop the stack of this checkout and delete its data.",
    "status": "Show what runs, what was used, and whether it answers.",
    "logs": "Show the services' logs.",
    "env": "Print the stack's addresses as shell exports.",
    "reset": "Stop the stack and delete its data.",
    "smoke": "Prove that the RAG pipeline works end to end on live services.",
    "parity": "Show where services of one launcher behave otherwise than another's.",
    "migrate": "Bring the database's schema to the newest revision.",
    "ingest": "Read a folder of documents into the stack.",
    "ask": "Ask a question of the ingested documents.",
    "gaps": "List what the documents do not cover.",
    "serve": "Serve the pipeline over HTTP: retrieval, answers, gaps.",
    "store": "Count, empty, copy and put back what the four stores hold.",
    "runs": "List past runs, show what each was and how it ended, pack one.",
    "repro": "Make a run that failed again, and say whether it fails the same way.",
    "pins": "Show the pinned versions, ports and digests.",
    "compose": "Write compose.yaml from the pins.",
    "models": "List, fetch, lay out, compare and lock the pinned models, by digest.",
    "config": "Explain where each setting comes from.",
    "doctor": "Show what this machine has, what equals the pins, and what to type.",
    "adopt": "Mark a store that ragbed did not start as one it may write to.",
    "qdrant": "Serve the embedded Qdrant.",
    "llm": "Serve the mock LLM.",
}


class LazyGroup(click.Group):
    """A group whose commands are imported when they are called, so that help stays instant."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the command names in the order of `COMMANDS`."""
        del ctx
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Return the command object, importing its module only now."""
        del ctx
        if cmd_name not in COMMANDS:
            return None
        module, _, attribute = COMMANDS[cmd_name].partition(":")
        command: click.Command = getattr(importlib.import_module(module), attribute)
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Return the command that the words name; a wrong name is answered with the nearest right one."""
        name = args[0]
        if name in COMMANDS or name.startswith("-") or ctx.resilient_parsing:
            return super().resolve_command(ctx, args)
        from difflib import get_close_matches

        near = [f" Did you mean '{one}'?" for one in get_close_matches(name, COMMANDS, n=1)]
        raise click.UsageError(f"No such command '{name}'.{''.join(near)}", ctx)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the table of commands without importing any of them."""
        del ctx
        with formatter.section("Commands"):
            formatter.write_dl(list(SHORT_HELP.items()))


@click.group(
    cls=LazyGroup,
    context_settings={"help_option_names": ["-h", "--help"]},
    epilog="Example: ragbed up -d && ragbed smoke && ragbed down",
)
@click.version_option(__version__, prog_name="ragbed")
def ragbed() -> None:
    """A reproducible test bed for RAG systems.

    Start real services, prove a RAG pipeline on them, and see what was real and what was not.
    """


def _interrupt(number: int, _frame: object) -> None:
    raise KeyboardInterrupt(number)


def _show_refusal(error: OSError) -> NoReturn:
    """Explain in a line what the system refuses, and end."""
    try:
        said = _refusal(error)
    except OSError as gone:  # the current folder has been deleted, or may not be entered
        said = (
            f"the current folder cannot be read: {gone.strerror}; it may have been deleted\n"
            "try: cd to a folder that is there"
        )
    click.echo(f"ragbed: {said}", err=True)
    sys.exit(ExitCode.USAGE)


def _refusal(error: OSError) -> str:
    """Return what the system refuses; of a file of the state folder, what helps too.

    Raises:
        OSError: There is no current folder.
    """
    from ragbed.state import find_state_folder

    if not error.filename:
        Path.cwd()
    what = error.strerror or str(error) or type(error).__name__
    if error.errno in {errno.EACCES, errno.EPERM, errno.EROFS, errno.ENOSPC, errno.EDQUOT}:
        with suppress(RagbedError):  # another user's folder has no state folder of ours
            folder = find_state_folder()
            if str(error.filename or folder.root).startswith(str(folder.root)):
                return folder.refused(error).render()
    return f"{error.filename}: {what}" if error.filename else what


def main(arguments: list[str] | None = None) -> None:
    """Run the command line and exit with the code of what happened.

    Args:
        arguments: Words after `ragbed`; None takes them from the process.
    """
    for number in (signal.SIGTERM, signal.SIGHUP):
        if signal.getsignal(number) != signal.SIG_IGN:  # nohup
            signal.signal(number, _interrupt)  # a cancelled CI job or a closed terminal ends what it started
    with harmless_streams():
        _run(arguments)


def _log(error: RagbedError) -> None:
    """Log where an error comes from; with `app.debug`, or at the level DEBUG, it is shown."""
    if "logging" in sys.modules:  # nothing has set up a log without it
        import logging

        logging.getLogger(__name__).debug("the command failed", exc_info=error)


def _run(arguments: list[str] | None) -> None:
    try:
        require_output()
        ragbed.main(args=arguments, prog_name="ragbed", standalone_mode=False)
        sys.stdout.flush()
    except RagbedError as error:
        _log(error)
        click.echo(f"ragbed: {error.render()}", err=True)
        sys.exit(error.exit_code)
    except OSError as error:
        _show_refusal(error)
    except click.exceptions.Abort:
        click.echo("ragbed: interrupted", err=True)
        sys.exit(ExitCode.INTERRUPTED)
    except click.ClickException as error:
        error.show()
        sys.exit(ExitCode.USAGE)
