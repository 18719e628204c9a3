"""Services that another program started for this checkout and announced by `ragbed adopt --started-by NAME URL`.

devenv's set-up task says it of what `devenv up` started. Any terminal then finds these services, whatever their ports,
and can tell who started them.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from ragbed.errors import GuardRefused
from ragbed.guard import check_url, is_loopback
from ragbed.stack.attaching import PassedOver, attach_default, attach_found, default_url
from ragbed.stack.endpoint import Endpoint
from ragbed.state.files import read_json, write_json

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from ragbed.guard import Project
    from ragbed.pins import ServicePins
    from ragbed.settings import Settings
    from ragbed.state import StateFolder

SCHEMA = 1
_CLIENTS_PORTS = {"postgresql": 5432, "postgres": 5432, "redis": 6379, "rediss": 6379}


@dataclass(frozen=True, slots=True, kw_only=True)
class Announcement:
    """One service that another program started.

    Attributes:
        url: Where it answers, in the normal form.
        started_by: Who started it, in a word or two.
    """

    url: str
    started_by: str

    def is_at(self, url: str) -> bool:
        """Tell whether an address leads to the same server: all names of this machine are one."""
        return _place(self.url) == _place(url)


def load_announcements(folder: StateFolder) -> dict[str, Announcement]:
    """Return what was announced, by service; nothing where the file is missing, of another form, or not made here."""
    value = read_json(folder.announced_file)
    project = folder.identity() if value else None
    if not value or not project or value.get("schema") != SCHEMA or value.get("project") != project.id:
        return {}
    try:
        return {
            service: Announcement(url=str(entry["url"]), started_by=str(entry["started_by"]))
            for service, entry in value["services"].items()
        }
    except (AttributeError, KeyError, TypeError):
        return {}


def announce(folder: StateFolder, service: str, url: str, *, started_by: str) -> None:
    """Write down who started the service at an address.

    Args:
        folder: The state folder, prepared.
        service: Which one.
        url: Its address, in the normal form.
        started_by: Who started it; empty takes an earlier word on this address back.
    """
    with folder.locked("announced"):
        known = load_announcements(folder)
        if started_by:
            known[service] = Announcement(url=url, started_by=started_by)
        elif service in known and known[service].is_at(url):
            del known[service]
        else:
            return
        _save(folder, known)


def look_around(
    service: str,
    announced: Announcement | None,
    *,
    pins: ServicePins,
    settings: Settings,
    project: Project | None,
    models: Sequence[str] = (),
) -> Endpoint | PassedOver:
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
        return PassedOver(service="", reasons=(error.message,))
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
    return PassedOver(service=service, reasons=(*found.reasons, *by_port.reasons), adoptable=adoptable)


def _save(folder: StateFolder, known: Mapping[str, Announcement]) -> None:
    services = {name: {"url": one.url, "started_by": one.started_by} for name, one in known.items()}
    whole = {"schema": SCHEMA, "project": folder.project().id, "services": services}
    write_json(folder.announced_file, whole)


def _place(url: str) -> tuple[str, int | None]:
    parts = urlsplit(url)
    host = parts.hostname or ""
    port = parts.port or _CLIENTS_PORTS.get(parts.scheme)
    return ("this machine" if is_loopback(host) else host, port)
