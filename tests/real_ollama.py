"""A real Ollama with models, for tests; where `scripts/test-ollama` has not built it, they are skipped and say so."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tiny_models.models import cached_models
from tiny_models.program import known_program
from tiny_models.serving import serving

if TYPE_CHECKING:
    from collections.abc import Iterator

_ADVICE = "run scripts/test-ollama, which builds it once"


@pytest.fixture(scope="session")
def real_ollama_program() -> Path:
    """The program: `RAGBED_TEST_OLLAMA`, else the one that `scripts/ollama` has built."""
    program = known_program()
    if program is None:
        pytest.skip(f"there is no real Ollama: {_ADVICE}")
    return program


@pytest.fixture(scope="session")
def tiny_models() -> Path:
    """The folder with `made-minilm` and `made-tiny`: `RAGBED_TEST_MODELS`, else what `scripts/tiny-models` has made."""
    named = os.environ.get("RAGBED_TEST_MODELS")
    folder = Path(named) if named else cached_models()
    if folder is None or not folder.is_dir():
        pytest.skip(f"there are no tiny test models: {_ADVICE}")
    return folder


@pytest.fixture(scope="session")
def real_ollama(
    real_ollama_program: Path, tiny_models: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[str]:
    """The URL of a real Ollama that serves the tiny models; they run on one thread unless a request says otherwise."""
    with serving(real_ollama_program, tiny_models, tmp_path_factory.mktemp("ollama")) as url:
        yield url
