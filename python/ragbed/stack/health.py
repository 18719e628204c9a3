"""Whether the services of a stack answer, asked of all at once."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

from ragbed.guard import NotThere, WrongService, open_store
from ragbed.stack.processes import ProcessIdentity

if TYPE_CHECKING:
    from ragbed.stack.endpoint import Endpoint
    from ragbed.stack.record import StackRecord


def check_health(record: StackRecord) -> dict[str, str]:
    """Return `ready`, or what is wrong in a few words, by service."""
    with ThreadPoolExecutor(max_workers=max(1, len(record.endpoints))) as pool:
        return dict(zip(record.endpoints, pool.map(_state, record.endpoints.values()), strict=True))


def _state(endpoint: Endpoint) -> str:
    if endpoint.pid is not None and not ProcessIdentity.of(endpoint.pid).started:
        return "dead"
    try:
        open_store(endpoint.service, endpoint.url, timeout_s=1.0).pulse()
    except NotThere:
        return "no answer"
    except WrongService as error:
        return f"wrong: {error}"
    return "ready"
