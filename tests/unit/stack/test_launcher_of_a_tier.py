"""A tier's launcher that can start nothing: a wish gives way to processes, a must does not."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from ragbed.errors import ExitCode, ServiceMissing
from ragbed.events import CollectingSink
from ragbed.pins import load_stack_pins
from ragbed.settings import resolve_settings
from ragbed.stack import StackBuilder
from ragbed.stack.launcher_choice import in_place_of
from ragbed.stack.reaping import end_all
from ragbed.state import StateFolder

if TYPE_CHECKING:
    from pathlib import Path

WHY = "no daemon answers: looked at a socket"


class _NoContainers:
    """A launcher without what it needs."""

    name: Any = "container"
    unavailable = staticmethod(lambda: WHY)
    running = staticmethod(lambda: iter(()))

    def __getattr__(self, name: str) -> Any:
        raise AssertionError(f"{name} of a launcher that can start nothing")


def _builder(tmp_path: Path, events: CollectingSink, **environ: str) -> StackBuilder:
    environ |= {"RAGBED_STACK__DEFAULT_PORTS": "false", "MODEL_PROVIDER": "mock"}
    settings = resolve_settings(environ=environ, folder=tmp_path)
    folder = StateFolder(tmp_path / "state").prepared()
    return StackBuilder(settings, folder, load_stack_pins(), caller="command", keep=False, events=events)


def test_a_wish_gives_way_to_processes_and_that_is_said_once(tmp_path: Path) -> None:
    """In the stack's notes, and as an event, for however many services."""
    with in_place_of("container", _NoContainers()):  # type: ignore[arg-type]
        builder = _builder(tmp_path, events := CollectingSink(), APP_ENV="ci")
        stack = builder.build(["redis", "qdrant"])
    end_all(builder.folder, list(stack.leases.values()))

    said = f"tier ci takes containers, and there are processes instead: {WHY}"
    assert {one.launcher for one in stack.endpoints.values()} == {"process"}
    assert stack.notes == (said,)
    assert [event.data["line"] for event in events.of("service.skipped")] == [said]


@pytest.mark.parametrize(
    "environ",
    [{"APP_ENV": "ci_eval"}, {"APP_ENV": "ci", "RAGBED_STACK__LAUNCHER": "container"}],
    ids=["ci_eval", "user"],
)
def test_a_must_is_a_missing_service(environ: dict[str, str], tmp_path: Path) -> None:
    """Of a tier that insists, and of a user who named it."""
    with (
        in_place_of("container", _NoContainers()),  # type: ignore[arg-type]
        pytest.raises(ServiceMissing, match=f"cannot start redis: {WHY}") as caught,
    ):
        _builder(tmp_path, CollectingSink(), **environ).build(["redis"])

    assert caught.value.exit_code == ExitCode.SERVICE_MISSING
