"""The mock takes and refuses bodies as Go's decoder does, with Ollama's own types."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from llm_conformance.bodies import RIGHT, generated
from llm_conformance.go_bodies import differences, read

from ragbed.errors import ServiceMissing
from tiny_models.go_judge import build

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture(scope="module")
def judge_program() -> Path:
    """The program in Go that decides."""
    try:
        return build()
    except ServiceMissing as error:
        pytest.skip(error.message)


def test_bodies_are_taken_and_refused_as_go_does(judge_program: Path) -> None:
    """Whether a body is taken, and the words where it is not; `scripts/soak-llm` asks about 10,000."""
    assert differences(judge_program, generated(seed=11, count=400)) == []


def test_generated_bodies_are_of_both_sorts() -> None:
    """A generator that only makes wrong bodies, or only right ones, would prove nothing."""
    refused = [bool(read(path, body)) for path, body in generated(seed=11, count=400)]

    assert 100 < sum(refused) < 300


@pytest.mark.parametrize("path", RIGHT)
def test_every_field_of_gos_types_is_known(judge_program: Path, path: str) -> None:
    """A wrong type in any field is refused by both; a field that the mock does not know would pass."""
    bodies = [(path, b'{"%s": [{"a": "***"}, 1.5]}' % name.encode()) for name in RIGHT[path]]

    assert differences(judge_program, bodies) == []
