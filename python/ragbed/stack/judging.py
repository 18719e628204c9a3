"""Whether the addresses in `stack.json` may be used: guard and marker count there as they do for a given address."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ragbed.errors import ConfigurationError, GuardRefused, ServiceMissing
from ragbed.guard import check_url
from ragbed.pins import load_stack_pins
from ragbed.stack.attaching import attach_given
from ragbed.stack.launcher_choice import chosen_launcher, is_as_asked_for
from ragbed.stack.record import load_record
from ragbed.state.files import read_json

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ragbed.settings import Settings
    from ragbed.stack.endpoint import Endpoint
    from ragbed.stack.record import StackRecord
    from ragbed.state import StateFolder


def refuse_foreign_stack(folder: StateFolder) -> None:
    """Refuse a `stack.json` with addresses that was not written here. Opens no connection.

    For commands that use a stack and start none: they would act on a stranger's word, or find no stack at all.

    Args:
        folder: The state folder.

    Raises:
        GuardRefused: A checkout brought the file along, or the folder is a copy.
    """
    value = read_json(folder.stack_file)
    if not (value and value.get("endpoints")) or (folder.is_believed() and load_record(folder)):
        return
    raise GuardRefused(
        f"{folder.stack_file} was not written here: the addresses in it are not used",
        details=[folder.distrust()] if folder.distrust() else [],
        hint="ragbed up -d sets it aside and starts a stack of this project's own",
    )


def require_allowed(
    record: StackRecord, settings: Settings, folder: StateFolder, services: Sequence[str] = ()
) -> None:
    """Refuse a stack with an address that the guard forbids. Opens no connection.

    Args:
        record: The stack that is up.
        settings: The resolved settings.
        folder: The state folder.
        services: Which services are to be used; empty for all.

    Raises:
        GuardRefused: An address is named like production, or leads to another machine in a tier that stays here.
    """
    for service, endpoint in record.endpoints.items():
        if service in (services or record.endpoints):
            check_url(settings, endpoint.url, named=_named(service, folder))


def require_launchers(record: StackRecord, settings: Settings) -> None:
    """Refuse a stack that is up where the command asks for other launchers than it was started by.

    Args:
        record: The stack that is up.
        settings: The resolved settings.

    Raises:
        ConfigurationError: A service was had in another way.
    """
    for service, endpoint in record.endpoints.items():
        if not is_as_asked_for(settings, endpoint):
            asked = chosen_launcher(settings, service)
            raise ConfigurationError(
                f"the stack is up, and its {service} came by {endpoint.launcher}, not by {asked}",
                hint="stop it first: ragbed down",
            )


def require_adopted(
    record: StackRecord, settings: Settings, folder: StateFolder, services: Sequence[str] = ()
) -> None:
    """Refuse a stack with a store that ragbed did not start and this project may not write to any more.

    Args:
        record: The stack that is up.
        settings: The resolved settings.
        folder: The state folder.
        services: Which services are to be used; empty for all.

    Raises:
        GuardRefused: As for `require_allowed`, or its marker does not let this project in.
        ServiceMissing: It does not answer.
    """
    require_allowed(record, settings, folder, services)
    if not settings.tier.writes_allowed:
        return  # its stores are asked nothing
    attached = {
        service: endpoint
        for service, endpoint in record.endpoints.items()
        if endpoint.launcher == "attach" and service in (services or record.endpoints)
    }
    if not attached:
        return
    pins, project = load_stack_pins(), folder.identity()
    for service, endpoint in attached.items():
        try:
            attach_given(
                service,
                endpoint.url,
                named=endpoint.provenance.named_by or _named(service, folder),
                pins=pins[service],
                settings=settings,
                project=project,
            )
        except ServiceMissing as error:
            raise type(error)(error.message, details=error.details, hint=_anew(endpoint, error)) from error


def _anew(endpoint: Endpoint, error: ServiceMissing) -> str:
    """Return what to do about a service of a stack that is up: it is looked for again when the next one starts."""
    if endpoint.provenance.named_by:
        return f"{error.hint}; then ragbed down && ragbed up -d"
    return "ragbed down && ragbed up -d, which passes it over"


def _named(service: str, folder: StateFolder) -> str:
    return f"the {service} of {folder.stack_file.name}"
