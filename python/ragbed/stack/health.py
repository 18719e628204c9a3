"""Whether the services of a stack answer, asked of all at once."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

from ragbed.errors import ServiceNotReady
from ragbed.guard import NotThere, WrongService, redacted
from ragbed.stack.endpoint import SERVICES
from ragbed.stack.launcher_choice import is_running
from ragbed.stack.leases import Leases
from ragbed.stack.registry import kind_of

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from ragbed.stack.endpoint import Endpoint
    from ragbed.stack.record import StackRecord
    from ragbed.state import StateFolder


def check_health(record: StackRecord, folder: StateFolder) -> dict[str, str]:
    """Return `ready`, or what is wrong in a few words, by service."""
    alive = {lease.token for lease in Leases(folder).all() if is_running(lease)}
    dead = {service for service, token in record.leases.items() if token not in alive}
    states = states_of(record.endpoints)
    return {name: "dead" if name in dead else state for name, state in states.items()}


def states_of(endpoints: Mapping[str, Endpoint]) -> dict[str, str]:
    """Return `ready`, or what is wrong in a few words, by service; each is given a second."""
    with ThreadPoolExecutor(max_workers=max(1, len(endpoints))) as pool:
        return dict(zip(endpoints, pool.map(_state, endpoints.values()), strict=True))


def require_answers(record: StackRecord, folder: StateFolder, services: Sequence[str] = SERVICES) -> None:
    """Refuse a stack whose services run and hang, or were attached and have gone.

    Raises:
        ServiceNotReady: A service does not answer.
    """
    health = check_health(record, folder)
    silent = [name for name in services if health.get(name, "ready") != "ready"]
    if silent:
        raise ServiceNotReady(
            f"the stack is up, but {' and '.join(silent)} cannot be used",
            details=[f"{name}: {health[name]} at {redacted(record.endpoints[name].url)}" for name in silent],
            hint=f"look: ragbed logs {silent[0]}; start anew: ragbed down && ragbed up -d",
        )


def _state(endpoint: Endpoint) -> str:
    try:
        kind_of(endpoint.service).client(endpoint.url, timeout_s=1.0).pulse()
    except NotThere:
        return "no answer"
    except WrongService as error:
        return f"wrong: {error}"
    return "ready"
