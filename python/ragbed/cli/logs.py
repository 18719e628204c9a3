"""`ragbed logs`: what the services wrote."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from ragbed.stack.record import StackRecord
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
    from ragbed.stack import SERVICES, running_record
    from ragbed.state import find_state_folder

    if service and service not in SERVICES:
        raise UsageError(f"there is no service {service!r}", hint=f"one of {', '.join(SERVICES)}")
    folder = find_state_folder()
    record = running_record(folder)
    sources = _of_stack(record, folder, service) if record else _of_files(folder, service or "*")
    if not sources:
        raise ServiceMissing(f"there is no log of {service or 'any service'}", hint="ragbed up -d")
    if follow:
        _follow(sources, lines)
        return
    for source in sources:
        _show(source.service, source.tail(lines=lines))


@dataclass(frozen=True, slots=True, kw_only=True)
class _Source:
    """Where one service's lines come from.

    Attributes:
        service: Its name.
        tail: Returns its last lines.
        follow: Yields its last lines, then new ones as they come.
    """

    service: str
    tail: Callable[..., list[str]]
    follow: Callable[..., Iterator[Sequence[str]]]


def _of_stack(record: StackRecord, folder: StateFolder, service: str | None) -> list[_Source]:
    """Return the services that were started for the stack that is up."""
    from ragbed.stack.launcher_choice import launcher_of
    from ragbed.stack.leases import Leases

    tokens = set(record.leases.values())
    leases = [one for one in Leases(folder).all() if one.token in tokens and service in {None, one.service}]
    return [
        _Source(
            service=lease.service,
            tail=partial(launcher_of(lease).logs, lease),
            follow=partial(launcher_of(lease).follow, lease),
        )
        for lease in sorted(leases, key=lambda one: one.service)
    ]


def _of_files(folder: StateFolder, service: str) -> list[_Source]:
    """Return the services of the stack that wrote last, by their logs; links and FIFOs are none."""
    from ragbed.stack.full_disk import log_tail
    from ragbed.stack.launchers.log_files import follow_log
    from ragbed.state.files import is_file, is_folder

    stacks = filter(is_folder, folder.logs.iterdir()) if is_folder(folder.logs) else ()
    files = [path for stack in stacks for path in sorted(stack.glob(f"{service}.log")) if is_file(path)]
    newest = max(files, key=lambda path: path.lstat().st_mtime, default=None)
    return [
        _Source(service=path.stem, tail=partial(log_tail, path), follow=partial(follow_log, path))
        for path in files
        if newest and path.parent == newest.parent
    ]


def _show(service: str, lines: Iterable[str]) -> None:
    for line in lines:
        click.echo(f"{service:<9} {line}")


def _follow(sources: Sequence[_Source], lines: int) -> None:
    """Print the last lines of each service, then new ones of all as they come."""
    from threading import Event, Thread

    ended = Event()
    streams = {one.service: one.follow(lines=lines, ended=ended.is_set) for one in sources}
    for service, stream in streams.items():
        _show(service, next(stream, ()))

    def show_all(service: str, stream: Iterator[Sequence[str]]) -> None:
        for new in stream:
            _show(service, new)

    threads = [Thread(target=show_all, args=one, daemon=True) for one in streams.items()]
    try:
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    finally:
        ended.set()
