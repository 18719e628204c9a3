"""The wire that CONTRIBUTING.md adds is the one that a test asks."""

from __future__ import annotations

from pathlib import Path

from ragbed.gateway.app import WIRES

ROOT = Path(__file__).parents[3]


def test_the_documented_wire_is_the_tested_one() -> None:
    """Line by line; and the line of the product that it changes is there."""
    section = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8").partition("## Add a wire")[2]
    change, _, module = section.partition("wires/plain.py\n")
    added = "\n".join(line[1:] for line in module.partition("\n```")[0].splitlines())
    tested = (ROOT / "tests" / "integration" / "gateway" / "test_added_wire.py").read_text(encoding="utf-8")
    removed = next(line for line in change.splitlines() if line.startswith("-WIRES"))

    assert added in tested
    assert removed[1:] in (ROOT / "python" / "ragbed" / "gateway" / "app.py").read_text(encoding="utf-8")
    assert [wire.name for wire in WIRES] == ["ollama", "openai"]
