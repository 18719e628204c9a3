"""Models that a project declares for the mock: what is taken, and what is refused by name."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from ragbed.errors import ConfigurationError
from ragbed.settings import resolve_settings
from ragbed.stack.section import MOCK_ANY_MODEL, MOCK_MODELS

if TYPE_CHECKING:
    from pathlib import Path


def declared(models: object) -> dict[str, dict[str, Any]]:
    """Return what an environment variable declares."""
    settings = resolve_settings(environ={"RAGBED_MOCK__MODELS": json.dumps(models)})
    found: dict[str, dict[str, Any]] = settings[MOCK_MODELS]
    return found


def test_project_declares_models_in_its_file(tmp_path: Path) -> None:
    """What is not said is the usual: vectors need dimensions only, a chat model nothing."""
    (tmp_path / "ragbed.toml").write_text(
        "[mock]\nany_model = true\n[mock.models]\n"
        'bge-m3 = { dimensions = 1024 }\nplain = {}\n"me/seer:7b" = { capabilities = ["completion", "vision"] }\n'
    )
    settings = resolve_settings(environ={}, folder=tmp_path)

    assert settings[MOCK_ANY_MODEL] is True
    assert settings[MOCK_MODELS] == {
        "bge-m3": {"capabilities": ["embedding"], "dimensions": 1024},
        "plain": {"capabilities": ["completion", "tools"]},
        "me/seer:7b": {"capabilities": ["completion", "vision"]},
    }


def test_declarations_may_be_read_again() -> None:
    """A stack hands them to its mock as they were read."""
    models = declared({"bge-m3": {"dimensions": 1024, "context": 100}, "chat": {}})

    assert declared(models) == models


@pytest.mark.parametrize(
    ("models", "message"),
    [
        ([], "mock.models (environment RAGBED_MOCK__MODELS) is not a table of models"),
        ({"a b": {}}, '"a b" is not the name of a model'),
        ({"x": 5}, '"x" is 5, expected a table'),
        ({"x": {"dimension": 5}}, "\"x\" has the key 'dimension'"),
        ({"x": {"dimensions": 0}}, '"x" has dimensions 0, expected a whole number from 1 to 65536'),
        ({"x": {"dimensions": True}}, '"x" has dimensions True'),
        ({"x": {"dimensions": "1024"}}, "\"x\" has dimensions '1024'"),
        ({"x": {"dimensions": 1e3}}, '"x" has dimensions 1000.0'),
        ({"x": {"context": -1, "dimensions": 3}}, '"x" has context -1'),
        ({"x": {"capabilities": "tools"}}, "\"x\" has capabilities 'tools', expected a list"),
        ({"x": {"capabilities": []}}, '"x" has capabilities []'),
        ({"x": {"capabilities": ["completion", "thinkin"]}}, "did you mean thinking"),
        ({"x": {"capabilities": ["tools"]}}, '"x" has tools without completion'),
        ({"x": {"capabilities": ["embedding"]}}, '"x" embeds and lacks dimensions'),
        ({"x": {"capabilities": ["completion"], "dimensions": 3}}, '"x" embeds and lacks "embedding"'),
        ({"x": {}, "X:latest": {}}, '"x" is declared twice'),
    ],
    ids=str,
)
def test_wrong_declaration_is_refused_by_name(models: object, message: str) -> None:
    """With exit code 2."""
    with pytest.raises(ConfigurationError) as caught:
        declared(models)

    assert message in caught.value.message
    assert caught.value.exit_code == 2


def test_environment_that_is_not_json_is_refused() -> None:
    """The message says what it should be."""
    with pytest.raises(ConfigurationError, match="is not JSON"):
        resolve_settings(environ={"RAGBED_MOCK__MODELS": "bge-m3"})
