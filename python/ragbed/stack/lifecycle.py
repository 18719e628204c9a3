"""The stack of a checkout: up, mended, down, reset."""

from __future__ import annotations

import os
import signal
from dataclasses import replace
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from ragbed.errors import ConfigurationError
from ragbed.events import SILENT
from ragbed.guard import redacted, refuse_writes
from ragbed.pins import load_stack_pins
from ragbed.stack.building import StackBuilder
from ragbed.stack.endpoint import SERVICES
from ragbed.stack.health import require_answers, states_of
from ragbed.stack.judging import require_adopted, require_allowed, require_launchers
from ragbed.stack.launcher_choice import every_launcher, is_running
from ragbed.stack.leases import Leases
from ragbed.stack.processes import stop
from ragbed.stack.reaping import at_once, forget_old_logs, reaped
from ragbed.stack.record import StackRecord, load_record
from ragbed.stack.registry import kind_of
from ragbed.stack.stack import emit_ready

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ragbed.events import EventSink
    from ragbed.settings import Settings
    from ragbed.state import StateFolder


def up(
    settings: Settings,
    folder: StateFolder,
    *,
    detach: bool,
    keep: bool,
    events: EventSink = SILENT,
) -> tuple[StackRecord, bool]:
    """Bring the checkout's stack up, or mend it where services of it have died.

    Args:
        settings: The resolved settings.
        folder: The state folder.
        detach: Hand the stack over to the state folder; else it ends with this process.
        keep: Whether its data survives `down`.
        events: Told of services that start and are ready, and of what takes long.

    Returns:
        Its record, and whether it was up already.

    Raises:
        GuardRefused: Production, or a given store without the marker.
        ServiceMissing: A service cannot be had.
    """
    refuse_writes(settings, command="ragbed up")
    pins = load_stack_pins()
    folder.prepared()
    with folder.locked("stack"):
        record = reaped(folder)
        if record:
            require_launchers(record, settings)
            require_allowed(record, settings, folder)
            record = restart_dead(record, settings, folder, events=events)
            require_answers(record, folder)
            require_adopted(record, settings, folder)
            return record, True
        builder = StackBuilder(settings, folder, pins, caller="command", keep=keep, events=events)
        stack = builder.build()
        record = stack.record(owner=None if detach else builder.owner, keep=keep)
        record.save(folder)
        forget_old_logs(folder)
        return record, False


def restart_dead(
    record: StackRecord,
    settings: Settings,
    folder: StateFolder,
    *,
    events: EventSink = SILENT,
) -> StackRecord:
    """Start the services of a stack again that have died, on their data and ports; returns the new record.

    A service that was found and has gone is replaced, as if the stack were starting now. Call it with the stack's lock
    held.
    """
    leases = {lease.token: lease for lease in Leases(folder).all()}
    dead = {
        service: leases.get(token)
        for service, token in record.leases.items()
        if token not in leases or not is_running(leases[token])
    }
    gone = _gone(record)
    if not (dead or gone):
        return record
    pins = load_stack_pins()
    builder = StackBuilder(settings, folder, pins, caller="command", keep=record.keep, events=events)
    record = _replace_gone(record, gone, builder, folder)
    endpoints, tokens = dict(record.endpoints), dict(record.leases)
    for service, lease in dead.items():
        if lease:
            Leases(folder).stop(lease)
        else:
            Leases(folder).end_lost(tokens[service])  # it may run
        port = urlsplit(endpoints[service].url).port or 0
        launcher_name = endpoints[service].launcher
        started = builder.start(service, record.stack, port=port, launcher_name=launcher_name)
        endpoints[service] = started.endpoint
        tokens |= {service: started.lease.token} if started.lease else {}
        # The record comes first: a lease it names is never reaped, one it has dropped may go.
        record = replace(record, endpoints=dict(endpoints), leases=dict(tokens))
        record.save(folder)
        if lease:
            Leases(folder).forget(lease)
        emit_ready(events, started.endpoint, started.seconds)
    return record


def _gone(record: StackRecord) -> list[str]:
    """Return attached services that do not answer any more, except those whose address a user gave."""
    endpoints = {
        name: one for name, one in record.endpoints.items() if one.launcher == "attach" and not one.given
    }
    return [name for name, state in states_of(endpoints).items() if state == "no answer"] if endpoints else []


def _replace_gone(
    record: StackRecord,
    gone: Sequence[str],
    builder: StackBuilder,
    folder: StateFolder,
) -> StackRecord:
    """Have each service that has gone by another way; returns the record, saved."""
    for service in gone:
        had = builder.resolve(service, record.stack)
        lost = f"{service}: what was found at {redacted(record.endpoints[service].url)} has gone: replaced"
        tokens = {service: had.lease.token} if had.lease else {}
        record = replace(
            record,
            endpoints={**record.endpoints, service: had.endpoint},
            leases={**record.leases, **tokens},
            notes=(*record.notes, lost, *had.notes),
            llm=builder.describe_llm(had.endpoint) if kind_of(service).is_llm else record.llm,
        )
        record.save(folder)
    return record


def down(folder: StateFolder, *, everything: bool = False, keep: bool = False) -> list[str]:
    """Take the checkout's stack down.

    Args:
        folder: The state folder.
        everything: Also end stacks of runs that are still under way.
        keep: Keep the stack's data for the next `up --keep`.

    Returns:
        The services that were stopped.

    Raises:
        ConfigurationError: Data is to be kept, and there is kept data already.
    """
    if not (folder.exists() and folder.is_believed_or_said()):
        return []
    if keep:
        _take_over(folder)
    asked = _ask_owner_to_stop(folder)
    with folder.locked("stack"):
        record = reaped(folder)
        tokens = set(record.leases.values()) if record else set()
        ending = [lease for lease in Leases(folder).all() if everything or lease.token in tokens]
        keep_now = keep and record is not None and not record.keep
        for token in tokens - {lease.token for lease in ending}:
            Leases(folder).end_lost(token)
        at_once(Leases(folder).stop, ending)
        if keep_now and record and (folder.data / record.stack).exists():
            _keep_data(folder, record.stack)
        folder.forget_stack()
        for lease in ending:
            Leases(folder).end(lease, keep_data=keep_now and lease.token in tokens)
        reaped(folder)
    return [*asked, *(lease.service for lease in ending)]


def _take_over(folder: StateFolder) -> None:
    """Make a stack one that the state folder answers for, so that its data outlives a foreground `ragbed up`.

    Raises:
        ConfigurationError: Data is to be kept, and there is kept data already.
    """
    with folder.locked("stack"):
        record = load_record(folder)
        if record and not record.keep and folder.kept.exists():
            raise ConfigurationError(
                f"there is kept data already in {folder.kept}", hint="delete it by `ragbed reset`"
            )
        if not (record and record.owner and record.owner.is_alive()):
            return
        replace(record, owner=None).save(folder)
    # Not with the lock held: at its end it looks whether the stack is still its own.
    stop(record.owner, gentle=signal.SIGTERM, timeout_s=15, alone=True)


def _keep_data(folder: StateFolder, stack: str) -> None:
    """Make the data of a stack that has been stopped the kept data."""
    for service in SERVICES:
        for launcher in every_launcher():
            launcher.move_data(folder.data / stack / service, folder.kept / service)
    (folder.data / stack).rename(folder.kept)


def reset(folder: StateFolder) -> list[str]:
    """Take everything down and delete its data, kept data and logs included; the caches stay."""
    if folder.exists():
        folder.prepared()  # what was not made here is set aside, not deleted
    stopped = down(folder, everything=True)
    for service in SERVICES:
        for launcher in every_launcher():
            launcher.forget_data(folder.kept / service)
    for path in (folder.data, folder.kept, folder.logs, folder.gaps):
        folder.remove(path)
    return stopped


def _ask_owner_to_stop(folder: StateFolder) -> list[str]:
    """Ask a foreground `ragbed up` of another terminal to end; it takes its services down itself."""
    record = load_record(folder)
    if not (record and record.owner and record.owner.pid != os.getpid() and record.owner.is_alive()):
        return []
    stop(record.owner, gentle=signal.SIGTERM, timeout_s=15)
    return list(record.leases)
