"""`ragbed logs`: what the services wrote."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from pathlib import Path

    from ragbed.stack import StateFolder


@click.command(epilog="Example: ragbed logs -f postgres")
@click.argument("service", required=False)
@click.option("-f", "--follow", is_flag=True, help="Go on showing lines as they come; Ctrl-C ends it.")
@click.option(
    "-n", "--lines", default=20, show_default=True, type=click.IntRange(min=0), help="Last lines shown."
)
def logs(*, service: str | None, follow: bool, lines: int) -> None:
    """Show the services' logs: of the stack that is up, else of the last one."""
    from ragbed.errors import ServiceMissing, UsageError
    from ragbed.stack import SERVICES, find_state_folder

    if service and service not in SERVICES:
        raise UsageError(f"there is no service {service!r}", hint=f"one of {', '.join(SERVICES)}")
    files = _files(find_state_folder(), service or "*")
    if not files:
        raise ServiceMissing(f"there is no log of {service or 'any service'}", hint="ragbed up -d")
    for file in files:
        _show_tail(file, lines)
    if follow:
        _follow(files)


def _files(folder: StateFolder, service: str) -> list[Path]:
    """Return the logs of the stack that is up, else of the one that wrote last; links and FIFOs are none."""
    from ragbed.stack import running_record
    from ragbed.stack.json_files import is_file, is_folder

    record = running_record(folder)
    if record:
        return sorted((folder.logs / record.stack).glob(f"{service}.log"))
    stacks = filter(is_folder, folder.logs.iterdir()) if is_folder(folder.logs) else ()
    files = [path for stack in stacks for path in sorted(stack.glob(f"{service}.log")) if is_file(path)]
    newest = max(files, key=lambda path: path.lstat().st_mtime, default=None)
    return [path for path in files if newest and path.parent == newest.parent]


def _show_tail(file: Path, lines: int) -> None:
    from ragbed.stack.launching import log_tail

    for line in log_tail(file, lines) if lines else []:
        click.echo(f"{file.stem:<9} {line}")


def _follow(files: list[Path]) -> None:
    """Print new lines of several files as they are written, woken by the files themselves."""
    import os
    from contextlib import ExitStack
    from threading import Event, Thread

    from ragbed.stack.watching import woken_by

    ended = Event()

    def follow(file: Path) -> None:
        with file.open(encoding="utf-8", errors="replace") as stream, woken_by(file, os.getpid()) as wait:
            stream.seek(0, os.SEEK_END)
            while not ended.is_set():
                for line in stream:
                    click.echo(f"{file.stem:<9} {line.rstrip()}")
                wait(0.25)

    with ExitStack() as stack:
        stack.callback(ended.set)
        threads = [Thread(target=follow, args=(file,), daemon=True) for file in files]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
