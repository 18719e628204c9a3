"""A launcher is one class: the settings choose it, and the stack keeps what it started as of any other."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from ragbed.errors import ServiceMissing
from ragbed.pins import Provenance, load_stack_pins
from ragbed.settings import resolve_settings
from ragbed.stack import SERVICES, Endpoint, StackBuilder
from ragbed.stack.launcher_choice import chosen_by
from ragbed.stack.launchers import Ready, StartOrder
from ragbed.stack.leases import Leases
from ragbed.stack.record import load_record
from ragbed.state import StateFolder

if TYPE_CHECKING:
    from pathlib import Path

WORDS: Any = {"url": "http://h:1", "product": "x", "version": "1", "real": True, "launcher": "container"}


class _FakeContainers:
    """Starts nothing, and says that it has."""

    name: Any = "container"

    def __init__(self, why: str = "") -> None:
        self.unavailable = lambda: why

    def start(self, order: StartOrder) -> Ready:
        told: Any = {"holder": order.holder, "data": order.data, "keep": order.keep, "stop_signal": 15}
        lease = Leases(order.folder).open(order.service, order.stack, **told)
        image = Provenance(channel="image", container="c0ffee", started_by="ragbed")
        return Ready(endpoint=Endpoint(service=order.service, provenance=image, **WORDS), lease=lease)


def _builder(tmp_path: Path) -> StackBuilder:
    overrides = {"stack.default_ports": False, "stack.kind": "containers"}
    settings = resolve_settings(environ={}, folder=tmp_path, overrides=overrides)
    folder = StateFolder(tmp_path / "state").prepared()
    return StackBuilder(settings, folder, load_stack_pins(), caller="command", keep=False)


def test_the_settings_choose_the_launcher(tmp_path: Path) -> None:
    """Every service is had from it, and the record keeps what it is."""
    with chosen_by("containers", _FakeContainers()):
        stack = (builder := _builder(tmp_path)).build()
    stack.record(owner=None, keep=False).save(builder.folder)
    assert [stack[name].launcher for name in SERVICES] == ["container"] * 4
    assert getattr(load_record(builder.folder), "endpoints", None) == stack.endpoints


def test_a_launcher_says_why_it_starts_nothing(tmp_path: Path) -> None:
    """The reason is told, with the way out."""
    without = _FakeContainers("no daemon")
    with chosen_by("containers", without), pytest.raises(ServiceMissing, match="no daemon"):
        _builder(tmp_path).build(["redis"])
