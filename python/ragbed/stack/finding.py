"""What runs without a stack of ours: services that devenv, Docker or a colleague's shell started. Starts nothing."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from ragbed.errors import RagbedError
from ragbed.pins import load_stack_pins
from ragbed.stack.building import StackBuilder
from ragbed.stack.endpoint import SERVICES, Endpoint
from ragbed.stack.skipped_services import Skipped

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ragbed.settings import Settings
    from ragbed.state import StateFolder


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """What a look round came to.

    Attributes:
        endpoints: Where services answer that may be used, by service.
        notes: What was passed over, or cannot be used, a sentence each.
    """

    endpoints: Mapping[str, Endpoint] = field(default_factory=dict)
    notes: tuple[str, ...] = ()

    @property
    def missing(self) -> tuple[str, ...]:
        """The services that were not found."""
        return tuple(service for service in SERVICES if service not in self.endpoints)


def find_services(settings: Settings, folder: StateFolder) -> Found:
    """Look for each service where it is given, where it was announced, and on its default port.

    A tier that allows no writes looks at nothing: its addresses are not a test bed's.

    Args:
        settings: The resolved settings.
        folder: The state folder.

    Raises:
        PinFileError: `stack.toml` or `models.lock.json` is wrong.
    """
    if not settings.tier.writes_allowed:
        return Found()
    pins = load_stack_pins()
    try:
        builder = StackBuilder(settings, folder, pins, caller="command", keep=False, may_start=False)
    except RagbedError as error:
        return Found(notes=(error.message,))
    with ThreadPoolExecutor(max_workers=len(SERVICES)) as pool:
        seen = dict(zip(SERVICES, pool.map(lambda service: _look(builder, service), SERVICES), strict=True))
    return Found(
        endpoints={service: one for service, one in seen.items() if isinstance(one, Endpoint)},
        notes=tuple(one for one in seen.values() if isinstance(one, str) and one),
    )


def _look(builder: StackBuilder, service: str) -> Endpoint | str:
    """Return where a service answers, or why it is not used; an empty text where there is nothing to tell."""
    try:
        if given := builder.given(service):
            return given
    except RagbedError as error:
        return error.message
    found = builder.discover(service)
    return found.note if isinstance(found, Skipped) else found
