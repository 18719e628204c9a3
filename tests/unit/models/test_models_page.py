"""The page on models says what the lock says."""

from __future__ import annotations

from pathlib import Path

import pytest

from ragbed.pins import load_model_lock
from ragbed.stack.sizes import shown_bytes

CHECKOUT = Path(__file__).resolve().parents[3]
LOCK = load_model_lock(CHECKOUT / "models.lock.json")
PAGE = (CHECKOUT / "docs" / "models.md").read_text(encoding="utf-8").splitlines()


@pytest.mark.parametrize("model", list(LOCK.models))
def test_the_table_of_models_is_the_locks(model: str) -> None:
    """Size, licence and digest of each model."""
    pin = LOCK[model]
    (row,) = [line for line in PAGE if line.startswith(f" {model} ")]

    told = (shown_bytes(pin.size_bytes), str(pin.license), pin.digest[7:19])
    assert [word for word in told if f" {word} " not in row] == []


@pytest.mark.parametrize("name", list(LOCK.sets))
def test_the_table_of_sets_is_the_locks(name: str) -> None:
    """Disk, counting shared blobs once, and the weights of the largest model."""
    pins = LOCK.select(sets=[name])
    disk = sum({part.digest: part.size_bytes for pin in pins for part in pin.manifest.blobs}.values())
    weights = max(pin.weights_bytes for pin in pins)
    (row,) = [line for line in PAGE if line.startswith(f"| `{name}`")]

    assert row.split(" | ")[-2:] == [shown_bytes(disk), f"{shown_bytes(weights)} |"]
