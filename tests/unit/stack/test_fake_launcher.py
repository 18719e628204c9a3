"""A launcher is one class: the settings choose it, and all that is done to what it started goes through it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from ragbed.errors import ServiceMissing
from ragbed.pins import Provenance, load_stack_pins
from ragbed.settings import resolve_settings
from ragbed.stack import SERVICES, Endpoint, StackBuilder
from ragbed.stack.launcher_choice import in_place_of, is_running
from ragbed.stack.launchers import Ready, StartOrder
from ragbed.stack.leases import Leases
from ragbed.stack.record import load_record
from ragbed.stack.resources import ContainerResource
from ragbed.state import StateFolder

if TYPE_CHECKING:
    from pathlib import Path

WORDS: Any = {"url": "http://h:1", "product": "x", "version": "1", "real": True, "launcher": "container"}


class _FakeContainers:
    """Starts nothing, and says that it has; a container runs as long as its lease is among `runs`."""

    name: Any = "container"

    def __init__(self, why: str = "") -> None:
        self.runs: set[str] = set()
        self.unavailable, self.running, self.resume = (lambda: why), (lambda: iter(())), self.is_alive
        self.logs: Any = lambda lease, lines: [f"a line of {lease.service}"][:lines]
        self.follow: Any = lambda lease, lines, **_: iter([self.logs(lease, lines=lines)])
        self.move_data: Any = lambda *_: None
        self.forget_data = self.when_ended = self.move_data
        self.stop: Any = lambda lease, **_: self.runs.discard(lease.token)
        self.endings: Any = lambda leases: {n: "fell" for n, one in leases.items() if not self.is_alive(one)}

    def start(self, order: StartOrder) -> Ready:
        what = ContainerResource(daemon="unix:///fake.sock", network="fake", container="c0ffee" * 2)
        told: Any = {"holder": order.holder, "data": order.data, "keep": order.keep, "resource": what}
        lease = Leases(order.folder).open(order.service, order.stack, **told)
        self.runs.add(lease.token)
        image = Provenance(channel="image", container="c0ffee", started_by="ragbed")
        return Ready(endpoint=Endpoint(service=order.service, provenance=image, **WORDS), lease=lease)

    def is_alive(self, lease: Any) -> bool:
        return lease.token in self.runs


def _builder(tmp_path: Path) -> StackBuilder:
    overrides = {"stack.default_ports": False, "stack.launcher": "container"}
    settings = resolve_settings(environ={}, folder=tmp_path, overrides=overrides)
    folder = StateFolder(tmp_path / "state").prepared()
    return StackBuilder(settings, folder, load_stack_pins(), caller="command", keep=False)


def test_the_settings_choose_the_launcher(tmp_path: Path) -> None:
    """Every service is had from it, the record keeps what it is, and it says how services end."""
    with in_place_of("container", containers := _FakeContainers()):
        stack = (builder := _builder(tmp_path)).build()
        stack.record(owner=None, keep=False).save(builder.folder)
        assert [stack[name].launcher for name in SERVICES] == ["container"] * 4
        assert getattr(load_record(builder.folder), "endpoints", None) == stack.endpoints
        assert [is_running(lease) for lease in Leases(builder.folder).all()] == [True] * 4
        for lease in Leases(builder.folder).all():
            Leases(builder.folder).end(lease)
        assert (containers.runs, stack.ended()) == (set(), dict.fromkeys(SERVICES, "fell"))


def test_a_launcher_says_why_it_starts_nothing(tmp_path: Path) -> None:
    """The reason is told, with the way out."""
    without = _FakeContainers("no daemon")
    with in_place_of("container", without), pytest.raises(ServiceMissing, match="no daemon"):
        _builder(tmp_path).build(["redis"])
