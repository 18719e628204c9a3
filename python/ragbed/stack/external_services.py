"""Services that another program started for this checkout and announced by `ragbed adopt --started-by NAME URL`.

devenv's set-up task says it of what `devenv up` started. Any terminal then finds these services, whatever their ports,
and can tell who started them.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from ragbed.guard import is_loopback
from ragbed.stack.registry import port_of
from ragbed.state.files import read_json, write_json

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ragbed.state import StateFolder

SCHEMA = 1


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


def _save(folder: StateFolder, known: Mapping[str, Announcement]) -> None:
    services = {name: {"url": one.url, "started_by": one.started_by} for name, one in known.items()}
    whole = {"schema": SCHEMA, "project": folder.project().id, "services": services}
    write_json(folder.announced_file, whole)


def _place(url: str) -> tuple[str, int | None]:
    parts = urlsplit(url)
    host = parts.hostname or ""
    return ("this machine" if is_loopback(host) else host, port_of(url))
