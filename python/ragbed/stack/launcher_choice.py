"""Which launcher starts a service: the one that the settings name for it. Each is imported when it is asked for."""

from __future__ import annotations

from contextlib import contextmanager
from importlib import import_module
from typing import TYPE_CHECKING

from ragbed.errors import ConfigurationError
from ragbed.stack.endpoint import SERVICES
from ragbed.stack.registry import is_known
from ragbed.stack.section import STACK_LAUNCHER, STACK_LAUNCHERS

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ragbed.settings import Settings
    from ragbed.stack.endpoint import Endpoint
    from ragbed.stack.launchers import Launcher
    from ragbed.stack.lease import Lease

_HOMES = {
    "process": ("ragbed.stack.launchers.process", "ProcessLauncher"),
    "container": ("ragbed.stack.launchers.container", "ContainerLauncher"),
}
"""The module and the class of each; `attach` starts nothing."""
IN_ITS_PLACE = "process"
"""What starts services where a tier's own launcher cannot, and the tier does not insist."""
_IN_PLACE: dict[str, Launcher] = {}


@contextmanager
def in_place_of(name: str, launcher: Launcher) -> Iterator[Launcher]:
    """Have a launcher's name mean another one for a while."""
    _IN_PLACE[name] = launcher
    try:
        yield launcher
    finally:
        del _IN_PLACE[name]


def launcher_named(name: str) -> Launcher:
    """Return a launcher.

    Raises:
        KeyError: There is no such launcher.
    """
    if name in _IN_PLACE:
        return _IN_PLACE[name]
    module, launcher = _HOMES[name]
    made: Launcher = getattr(import_module(module), launcher)()
    return made


def every_launcher() -> list[Launcher]:
    """Return all that start something."""
    return [launcher_named(name) for name in {**_HOMES, **_IN_PLACE}]


def launcher_of(lease: Lease) -> Launcher:
    """Return the launcher that started what a lease is of."""
    return launcher_named(lease.resource.kind)


def is_running(lease: Lease) -> bool:
    """Tell whether what was started for a lease runs, and proves that it is this lease's."""
    return launcher_of(lease).is_alive(lease)


def require_known_services(settings: Settings) -> None:
    """Refuse a launcher that was named for a service which does not exist.

    Raises:
        ConfigurationError: The setting `stack.launchers` names another service than there are.
    """
    for service in settings[STACK_LAUNCHERS]:
        if not is_known(service):
            raise ConfigurationError(
                f"stack.launchers names {service!r} ({settings.source(STACK_LAUNCHERS)}), which is not a service",
                hint=f"one of {', '.join(SERVICES)}",
            )


def is_asked_for(settings: Settings, service: str) -> bool:
    """Tell whether the command itself names a launcher that starts this service: then others' services are not used."""
    if chosen_launcher(settings, service) == "attach":
        return False
    single = service in _singles(settings)
    return settings.source(STACK_LAUNCHERS if single else STACK_LAUNCHER).kind == "flag"


def is_as_asked_for(settings: Settings, endpoint: Endpoint) -> bool:
    """Tell whether a service came to run as the command itself asks for; a substitute is always a process."""
    if not is_asked_for(settings, endpoint.service) or endpoint.provenance.channel == "substitute":
        return True
    return endpoint.launcher == chosen_launcher(settings, endpoint.service)


def is_required(settings: Settings, service: str) -> bool:
    """Tell whether a service is missing that the chosen launcher cannot start; else a process takes its place."""
    single = service in _singles(settings)
    chosen_by = settings.source(STACK_LAUNCHERS if single else STACK_LAUNCHER)
    return chosen_by.kind != "tier" or settings.tier.launcher_required


def chosen_launcher(settings: Settings, service: str) -> str:
    """Return the name of the launcher that the settings choose for a service."""
    return _singles(settings).get(service, settings[STACK_LAUNCHER])


def _singles(settings: Settings) -> dict[str, str]:
    """Return the launchers of single services; a flag for all services means all that no flag names."""
    every, single = settings.source(STACK_LAUNCHER).kind, settings.source(STACK_LAUNCHERS).kind
    return {} if every == "flag" and single != "flag" else settings[STACK_LAUNCHERS]
