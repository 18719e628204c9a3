"""Whether the services of a stack answer, asked of all at once."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import TYPE_CHECKING

from ragbed.errors import ServiceNotReady
from ragbed.guard import NotThere, WrongService, redacted
from ragbed.stack.addresses import key_for
from ragbed.stack.endpoint import SERVICES
from ragbed.stack.launcher_choice import is_running
from ragbed.stack.leases import Leases
from ragbed.stack.registry import kind_of

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from ragbed.settings import Settings
    from ragbed.stack.endpoint import Endpoint
    from ragbed.stack.record import StackRecord
    from ragbed.state import StateFolder


def check_health(
    record: StackRecord, folder: StateFolder, settings: Settings | None = None
) -> dict[str, str]:
    """Return `ready`, or what is wrong in a few words, by service.

    Args:
        record: The stack that is up.
        folder: The state folder.
        settings: The resolved settings; with them, a store of others is asked whether it still takes writes.
    """
    alive = {lease.token for lease in Leases(folder).all() if is_running(lease)}
    dead = {service for service, token in record.leases.items() if token not in alive}
    states = states_of(record.endpoints, settings)
    return {name: "dead" if name in dead else state for name, state in states.items()}


def states_of(endpoints: Mapping[str, Endpoint], settings: Settings | None = None) -> dict[str, str]:
    """Return `ready`, or what is wrong in a few words, by service; each is given a second for an answer."""
    state = partial(_state, settings=settings)
    with ThreadPoolExecutor(max_workers=max(1, len(endpoints))) as pool:
        return dict(zip(endpoints, pool.map(state, endpoints.values()), strict=True))


def require_answers(record: StackRecord, folder: StateFolder, services: Sequence[str] = SERVICES) -> None:
    """Refuse a stack whose services run and hang, or were attached and have gone.

    Raises:
        ServiceNotReady: A service does not answer.
    """
    health = check_health(record, folder)
    silent = [name for name in services if health.get(name, "ready") != "ready"]
    if silent:
        only = f" ({health[silent[0]]})" if len(silent) == 1 else ""
        attached = record.endpoints[silent[0]].launcher == "attach"
        look = "mend it, or leave it" if attached else f"look: ragbed logs {silent[0]}; start anew"
        raise ServiceNotReady(
            f"the stack is up, but {' and '.join(silent)} cannot be used{only}",
            details=[f"{name}: {health[name]} at {redacted(record.endpoints[name].url)}" for name in silent],
            hint=f"{look}: {_anew(record.endpoints[silent[0]])}",
        )


def _anew(endpoint: Endpoint) -> str:
    """Return how a stack comes up anew: without an address that was given, which would be taken again."""
    named = endpoint.provenance.named_by
    return f"ragbed down, unset {named}, ragbed up -d" if named else "ragbed down && ragbed up -d"


def _state(endpoint: Endpoint, *, settings: Settings | None) -> str:
    kind = kind_of(endpoint.service)
    asks_for_writes = settings and settings.tier.writes_allowed and kind.has_marker
    try:
        kind.client(endpoint.url, timeout_s=1.0).pulse()
        if settings and asks_for_writes and endpoint.launcher == "attach":
            key = key_for(kind, settings, endpoint.url)
            kind.client(endpoint.url, api_key=key, timeout_s=1.0).require_writable()
    except NotThere:
        return "no answer"
    except WrongService as error:
        return f"wrong: {error}"
    return "ready"
