"""`ragbed logs`: what the services wrote."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from pathlib import Path

    from ragbed.state import StateFolder


@click.command(epilog="Example: ragbed logs -f postgres")
@click.argument("service", required=False)
@click.option("-f", "--follow", is_flag=True, help="Go on showing lines as they come; Ctrl-C ends it.")
@click.option(
    "-n", "--lines", default=20, show_default=True, type=click.IntRange(min=0), help="Last lines shown."
)
def logs(*, service: str | None, follow: bool, lines: int) -> None:
    """Show the services' logs: of the stack that is up, else of the last one."""
    from ragbed.errors import ServiceMissing, UsageError
    from ragbed.stack import SERVICES
    from ragbed.state import find_state_folder

    if service and service not in SERVICES:
        raise UsageError(f"there is no service {service!r}", hint=f"one of {', '.join(SERVICES)}")
    files = _files(find_state_folder(), service or "*")
    if not files:
        raise ServiceMissing(f"there is no log of {service or 'any service'}", hint="ragbed up -d")
    shown = {file: _show_tail(file, lines, whole=follow) for file in files}
    if follow:
        _follow(shown)


def _files(folder: StateFolder, service: str) -> list[Path]:
    """Return the logs of the stack that is up, else of the one that wrote last; links and FIFOs are none."""
    from ragbed.stack import running_record
    from ragbed.state.files import is_file, is_folder

    record = running_record(folder)
    if record:
        return sorted((folder.logs / record.stack).glob(f"{service}.log"))
    stacks = filter(is_folder, folder.logs.iterdir()) if is_folder(folder.logs) else ()
    files = [path for stack in stacks for path in sorted(stack.glob(f"{service}.log")) if is_file(path)]
    newest = max(files, key=lambda path: path.lstat().st_mtime, default=None)
    return [path for path in files if newest and path.parent == newest.parent]


def _show_tail(file: Path, lines: int, *, whole: bool) -> int:
    """Print the last lines of a file, only `whole` ones where it is followed; return the position after them."""
    try:
        content = file.read_bytes()
    except OSError:
        return 0
    content = content[: content.rfind(b"\n") + 1] if whole else content
    for line in content.decode(errors="replace").splitlines()[-lines:] if lines else []:
        click.echo(f"{file.stem:<9} {line}")
    return len(content)


def _follow(positions: dict[Path, int]) -> None:
    """Print new lines of several files as they are written, each from its position, woken by the files themselves."""
    import os
    from contextlib import ExitStack
    from threading import Event, Thread

    from ragbed.stack.watching import woken_by

    ended = Event()

    def follow(file: Path, position: int) -> None:
        with file.open("rb") as stream, woken_by(file, os.getpid()) as wait:
            stream.seek(position)
            rest = b""
            while not ended.is_set():
                *whole, rest = (rest + stream.read()).split(b"\n")
                for line in whole:
                    click.echo(f"{file.stem:<9} {line.decode(errors='replace').rstrip()}")
                wait(0.25)

    with ExitStack() as stack:
        stack.callback(ended.set)
        threads = [Thread(target=follow, args=one, daemon=True) for one in positions.items()]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
