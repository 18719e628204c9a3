"""Errors of a stack's clients put down to a full disk, where that is why."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from ragbed.errors import ServiceMissing
from ragbed.stack.full_disk import full_disk_hint, log_tail
from ragbed.stack.services import tells_of_full_disk

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ragbed.stack.stack import Stack
    from ragbed.state import StateFolder


@contextmanager
def full_disk_told(stack: Stack, folder: StateFolder) -> Iterator[None]:
    """Say that the disk is full where that is why a service of ours went away or refused a client.

    A client often sees a closed connection only: the server's log and the disk know why.

    Args:
        stack: The services that are used inside.
        folder: The state folder.

    Raises:
        ServiceMissing: As it was raised inside, with the disk named first and what helps.
    """
    try:
        yield
    except ServiceMissing as error:
        own = [name for name, endpoint in stack.endpoints.items() if endpoint.launcher == "process"]
        logs = {name: log_tail(folder.log(stack.id, name)) for name in own}
        hint = full_disk_hint(folder, [line for lines in logs.values() for line in lines]) if own else ""
        if not hint:
            raise
        told = [f"{name} log: {line}" for name in own for line in logs[name] if tells_of_full_disk(line)]
        message = f"the disk is full: {error.message}"
        raise type(error)(message, details=[*error.details, *told], hint=hint) from error
