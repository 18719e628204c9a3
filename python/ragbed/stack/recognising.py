"""Which store answers at an address that the user typed, and whether this project started it."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

from ragbed.errors import GuardRefused, ServiceMissing, UsageError
from ragbed.guard import NotThere, WrongService, check_url, redacted
from ragbed.guard.stores import why_refused
from ragbed.project import project_folder
from ragbed.stack.addresses import normalised, typed_key
from ragbed.stack.listening import DEVENV_ROOT, listener_on
from ragbed.stack.registry import kind_of, kinds_at, port_of

if TYPE_CHECKING:
    from ragbed.guard import Identity, Probe
    from ragbed.settings import Settings
    from ragbed.state import StateFolder


def candidates(url: str) -> tuple[str, ...]:
    """Return the services that may answer at an address, by its scheme.

    Raises:
        UsageError: It is not an address of a store.
    """
    names = tuple(kind.name for kind in kinds_at(url))
    if not names:
        raise UsageError(
            f"{redacted(url)} is not a URL of a store", hint="postgresql://, redis:// or Qdrant's http://"
        )
    return names


def recognise(url: str, settings: Settings) -> tuple[str, str, Probe, Identity]:
    """Return which service answers at an address, the address in the normal form, its client, and who it is.

    Raises:
        UsageError: It is not an address of a store.
        NotThere: Nothing answers there.
        WrongService: What answers is none of the services that may.
    """
    complaints: list[WrongService] = []
    for service in candidates(url):
        normal = normalised(service, url, named="the URL")
        store = kind_of(service).client(normal, api_key=typed_key(settings, normal), timeout_s=5.0)
        try:
            return service, normal, store, store.identify()
        except WrongService as error:
            complaints.append(error)
    raise complaints[0]


def require_started_here(url: str, settings: Settings, folder: StateFolder) -> None:
    """Return where this project started what listens at an address; nothing is written.

    Where its process names no project, the store's marker decides.

    Args:
        url: On this machine.
        settings: The resolved settings.
        folder: This project's state folder.

    Raises:
        UsageError: It is not an address of a store.
        ServiceMissing: Nothing listens there.
        GuardRefused: It is another project's.
    """
    services = candidates(url)
    root = Path(os.environ.get(DEVENV_ROOT) or project_folder())
    listener = listener_on(port_of(url) or 0, folder, root)
    if listener.whose == "none":
        raise ServiceMissing(f"{services[0]} is not up: {listener.seen}", hint="start it")
    refused = listener.seen if listener.whose == "foreign" else ""
    if listener.whose == "unknown":
        check_url(settings, url, named="the URL")
        refused = _refused_by_marker(url, settings, folder, seen=listener.seen)
    if refused:
        raise GuardRefused(
            f"what listens at {redacted(url)} is not this project's: {refused}",
            details=[f"this project is in {root}"],
            hint="give this project ports of its own, or let it in by `ragbed adopt URL`",
        )


def _refused_by_marker(url: str, settings: Settings, folder: StateFolder, *, seen: str) -> str:
    """Return why a store is not known to be this project's, in words; empty where its marker lets it in."""
    try:
        service, _, store, _ = recognise(url, settings)
        if not kind_of(service).has_marker:
            return f"{seen}, and an Ollama carries no marker"
        refused = why_refused(store.marker(), folder.identity())
    except (NotThere, WrongService) as error:
        refused = f"cannot be asked for its marker: {error}"
    return refused and f"{seen}, and the store {refused}"
