"""Kills of commands that start, use and stop containers: what the daemon has afterwards."""

from __future__ import annotations

import os
import signal
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from fault_place import Place

from ragbed.errors import ServiceMissing
from ragbed.stack.launchers.container.daemon import find_daemon

if TYPE_CHECKING:
    import random

_ROOT = Path(__file__).resolve().parents[3]
_LONGEST_S = 6.0
_TIMEOUT_S = 240


def missing_containers() -> str:
    """Return why no containers can be killed here, in words; empty where they can."""
    try:
        find_daemon()
    except ServiceMissing as error:
        return error.message
    return "" if _pins().is_file() else "no local images were built yet: ./scripts/build-images"


def kill_containers(place: Place, chance: random.Random) -> str:
    """Kill a command at any moment, start-up included; the next one leaves nothing that no stack is of.

    Args:
        place: A state folder.
        chance: Draws the command, the moment and the command that follows.
    """
    environ = {
        "RAGBED_STACK_FILE": str(_pins()),
        "MODEL_PROVIDER": "mock",
        "RAGBED_STACK__LAUNCHER": "container",
    }
    place = Place(place.root, {**place.environ, **environ}, place.python)
    words = chance.choice(["up -d", "up", "smoke --stage stack", "down", "up -d again"])
    if words in {"down", "up -d again"}:
        _works(place, "up -d")
    if words == "up -d again":
        chance.choice(containers_of(place)).kill()
    moment_s = chance.uniform(0.0, _LONGEST_S)
    command = place.begin(*words.removesuffix(" again").split())
    time.sleep(moment_s)
    os.kill(command.pid, signal.SIGKILL)
    command.wait()
    then = chance.choice(["status", "down", "up -d"])
    done = place.run(*then.split(), timeout_s=_TIMEOUT_S)
    assert done.code in ({0, 10} if then == "status" else {0}), f"`{then}` ends with {done.code}: {done.err}"
    up = (place.root / "stack.json").exists()
    if not up:
        _require_none(place, f"`{then}`")
    _works(place, "down")
    _require_none(place, "`down`")
    still = "the stack stayed up" if up else "no stack was up"
    return f"killed `{words}` after {moment_s * 1000:.0f} ms, then `{then}`: {still}"


def containers_of(place: Place) -> list[Any]:
    """Return the containers of a state folder, those that have ended too."""
    found: list[Any] = find_daemon().client.containers.list(all=True, ignore_removed=True, **_of(place))
    return found


def _require_none(place: Place, after: str) -> None:
    client = find_daemon().client
    found = [*containers_of(place), *client.networks.list(**_of(place)), *client.volumes.list(**_of(place))]
    left = [f"{type(one).__name__} {one.name}" for one in found] + place.left()
    assert not left, f"left behind after {after}: {'; '.join(left)}"


def _works(place: Place, words: str) -> None:
    done = place.run(*words.split(), timeout_s=_TIMEOUT_S)
    assert done.code == 0, f"`{words}` ends with {done.code}: {done.err[-2000:]}"


def _of(place: Place) -> dict[str, Any]:
    return {"filters": {"label": f"dev.ragbed.state={place.root}"}}


def _pins() -> Path:
    tools = Path(os.environ.get("RAGBED_TOOLS_DIR") or _ROOT / ".ragbed" / "tools")
    return tools / "images" / "stack.toml"
