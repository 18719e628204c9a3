"""Which launchers take part, and what leads to their services."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ragbed.parity import LAUNCHERS
from ragbed.parity.launchers import planned
from ragbed.settings import definitions as known
from ragbed.settings import resolve_settings

if TYPE_CHECKING:
    import pytest


def test_without_addresses_nothing_is_attached() -> None:
    """The reason names the variables."""
    plans = planned(resolve_settings(environ={}))

    assert {plan.name for plan in plans} <= set(LAUNCHERS)
    assert (plans[0].name, plans[0].absent) == ("process", "")
    assert all(
        name in plans[-1].absent for name in ("DATABASE_URL", "REDIS_URL", "QDRANT_URL", "OLLAMA_HOST")
    )


def test_processes_are_started_whatever_addresses_are_set(monkeypatch: pytest.MonkeyPatch) -> None:
    """Else the two columns would show the same server."""
    monkeypatch.setenv("QDRANT_URL", "http://127.0.0.1:6333")

    process, *_, attach = planned(resolve_settings())

    assert attach.absent == ""
    assert process.settings()[known.QDRANT_URL] == ""
    assert attach.settings()[known.QDRANT_URL] == "http://127.0.0.1:6333"
    assert not process.settings().is_given(known.QDRANT_URL)


def test_what_is_up_is_attached_to() -> None:
    """A smoke run uses the stack whose suites have run."""
    process, *_ = planned(resolve_settings(environ={}))

    settings = process.settings({known.REDIS_URL.key: "redis://127.0.0.1:1/0"})

    assert settings[known.REDIS_URL] == "redis://127.0.0.1:1/0"
