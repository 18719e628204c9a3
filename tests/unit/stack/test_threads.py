"""How many threads a model is asked to compute with."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from ragbed.pins import Provenance
from ragbed.settings import resolve_settings
from ragbed.stack import Endpoint, num_thread
from ragbed.stack.cores import threads_beside_others

if TYPE_CHECKING:
    from pathlib import Path
    from typing import Literal


def an_ollama(*, launcher: Literal["attach", "process"], real: bool = True) -> Endpoint:
    """Return an endpoint of one."""
    return Endpoint(
        service="ollama",
        url="http://127.0.0.1:11434",
        launcher=launcher,
        product="ollama" if real else "mock-llm",
        version="0.30.7",
        real=real,
        provenance=Provenance(channel="external"),
    )


def test_one_that_we_started_leaves_a_core_free(tmp_path: Path) -> None:
    """It shares the machine with the rest of the stack."""
    settings = resolve_settings(folder=tmp_path, environ={})

    assert num_thread(settings, an_ollama(launcher="process")) == threads_beside_others() >= 1


@pytest.mark.parametrize(
    "ollama",
    [
        pytest.param(an_ollama(launcher="attach"), id="attached"),
        pytest.param(an_ollama(launcher="process", real=False), id="mock"),
    ],
)
def test_what_is_not_ours_or_not_real_is_left_as_it_is(tmp_path: Path, ollama: Endpoint) -> None:
    """Its owner has set it up, or it has no threads to speak of."""
    assert num_thread(resolve_settings(folder=tmp_path, environ={}), ollama) == 0


def test_a_number_that_is_set_goes_before(tmp_path: Path) -> None:
    """`llm.num_thread` holds for every Ollama."""
    settings = resolve_settings(folder=tmp_path, environ={"RAGBED_LLM__NUM_THREAD": "3"})

    assert num_thread(settings, an_ollama(launcher="attach")) == 3
