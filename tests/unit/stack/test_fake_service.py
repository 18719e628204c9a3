"""A fifth service is one record, its client and its starter: no file of the package knows it."""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.request import urlopen

from ragbed.guard import Identity, NotThere
from ragbed.pins import load_stack_pins
from ragbed.settings import Resolved, Setting, Source, resolve_settings
from ragbed.stack import StackBuilder
from ragbed.stack.binaries import Binary, Search, from_wheel
from ragbed.stack.kinds import ServiceKind
from ragbed.stack.reaping import end_all
from ragbed.stack.registry import registered
from ragbed.stack.services import Plan
from ragbed.state import StateFolder

if TYPE_CHECKING:
    from ragbed.stack.launchers import StartOrder

URL = Setting(key="echo.url", kind=str, default="", help="", env=("ECHO_URL",))
PYTHON = Binary(path=Path(sys.executable), product="echo", version="1", provenance=from_wheel("echo"))


class _Echo:
    """Its client and its starter in one."""

    def __init__(self, url: str = "", **_: object) -> None:
        self.url, self.advice = url, ""

    def pulse(self) -> None:
        try:
            urlopen(self.url, timeout=2).close()
        except OSError as error:
            raise NotThere(str(error)) from error

    identify = staticmethod(lambda: Identity(product="echo", version="1"))
    search = staticmethod(lambda *_: Search(binary=PYTHON))

    def plan(self, order: StartOrder) -> Plan:
        command = [sys.executable, "-m", "http.server", str(order.port), "--bind", "127.0.0.1"]
        return Plan(command=command, url=f"http://127.0.0.1:{order.port}", provenance=PYTHON.provenance)


def test_a_fifth_service_starts_and_ends(tmp_path: Path) -> None:
    """It is started, leased, shown to applications by its variable, and ended as the four are."""
    echo: Any = _Echo
    usual: Any = {"default_url": "http://127.0.0.1:{port}", "client_port": 7, "has_marker": False}
    kind = ServiceKind(name="echo", url=URL, schemes=(), client=echo, starter=lambda _: echo(), **usual)
    settings = resolve_settings(environ={"RAGBED_STACK__DEFAULT_PORTS": "false"}, folder=tmp_path)
    unset = (Resolved(value="", source=Source(kind="default")),)
    settings, pins = replace(settings, history={**settings.history, URL.key: unset}), load_stack_pins()
    pins = replace(pins, services={"echo": pins["qdrant"]})
    folder = StateFolder(tmp_path / "state").prepared()
    with registered(kind):
        stack = StackBuilder(settings, folder, pins, caller="command", keep=False).build(["echo"])
        assert stack.environ == {"ECHO_URL": stack["echo"].url}
        assert urlopen(stack["echo"].url, timeout=5).status == 200
        end_all(folder, list(stack.leases.values()))
