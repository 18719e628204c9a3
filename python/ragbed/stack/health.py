"""Whether the services of a stack answer, asked of all at once."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

from ragbed.guard import NotThere, WrongService, open_store
from ragbed.stack.leases import Leases

if TYPE_CHECKING:
    from ragbed.stack.endpoint import Endpoint
    from ragbed.stack.record import StackRecord
    from ragbed.stack.state import StateFolder


def check_health(record: StackRecord, folder: StateFolder) -> dict[str, str]:
    """Return `ready`, or what is wrong in a few words, by service."""
    alive = {lease.token for lease in Leases(folder).all() if lease.is_running()}
    dead = {service for service, token in record.leases.items() if token not in alive}
    with ThreadPoolExecutor(max_workers=max(1, len(record.endpoints))) as pool:
        states = pool.map(_state, record.endpoints.values())
        return {
            name: "dead" if name in dead else state
            for name, state in zip(record.endpoints, states, strict=True)
        }


def _state(endpoint: Endpoint) -> str:
    try:
        open_store(endpoint.service, endpoint.url, timeout_s=1.0).pulse()
    except NotThere:
        return "no answer"
    except WrongService as error:
        return f"wrong: {error}"
    return "ready"
