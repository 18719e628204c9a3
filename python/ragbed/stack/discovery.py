"""Looking around: a service is used where it was announced, else on its default port, if it is right in every way."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from ragbed.errors import GuardRefused
from ragbed.guard import check_url
from ragbed.stack.addresses import default_url
from ragbed.stack.attaching import attach_default, attach_found
from ragbed.stack.endpoint import Endpoint
from ragbed.stack.skipped import Skipped

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ragbed.guard import Project
    from ragbed.pins import ServicePins
    from ragbed.settings import Settings
    from ragbed.stack.external_services import Announcement


def discover(
    service: str,
    announced: Announcement | None,
    *,
    pins: ServicePins,
    settings: Settings,
    project: Project | None,
    models: Sequence[str] = (),
) -> Endpoint | Skipped:
    """Use what answers where it was announced, else on the default port, if it is right in every way.

    Args:
        service: Which one.
        announced: How the service was announced; None when it was not.
        pins: What is accepted, and the default port.
        settings: The resolved settings.
        project: Who wants to write there; None for a state folder without an identity.
        models: Models that an Ollama must have.
    """
    default = partial(attach_default, service, pins=pins, settings=settings, project=project, models=models)
    if announced is None:
        return default()
    try:
        check_url(settings, announced.url, named=f"the {service} that {announced.started_by} started")
    except GuardRefused as error:
        return Skipped(service="", reasons=(error.message,))
    found = attach_found(
        service,
        announced.url,
        pins=pins,
        settings=settings,
        project=project,
        models=models,
        announced=announced,
    )
    if isinstance(found, Endpoint) or announced.is_at(default_url(service, pins)):
        return found
    by_port = default()
    if isinstance(by_port, Endpoint):
        return by_port
    adoptable = found.adoptable or by_port.adoptable
    return Skipped(service=service, reasons=(*found.reasons, *by_port.reasons), adoptable=adoptable)
