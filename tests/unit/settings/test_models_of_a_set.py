"""Which models are used where nobody names them: those of a set of the model lock."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from ragbed.errors import ConfigurationError
from ragbed.pins import load_model_lock
from ragbed.settings import definitions as known
from ragbed.settings import resolve_settings

if TYPE_CHECKING:
    from ragbed.settings import Settings

TINY_MODELS = str(Path(__file__).resolve().parents[2] / "tiny_models" / "models.lock.json")


def resolved(folder: Path, **environ: str) -> Settings:
    """Return the settings that an environment gives."""
    return resolve_settings(folder=folder, environ=environ)


def models_of(settings: Settings) -> tuple[str, str]:
    """Return embedding model and LLM."""
    return settings[known.EMBEDDING_MODEL], settings[known.LLM_MODEL]


def test_the_defaults_are_the_default_set_of_the_checkouts_lock(tmp_path: Path) -> None:
    """Without a word from anybody, the models are those that the lock's default set names."""
    lock = load_model_lock()
    pinned = {pin.purpose: pin.full_name.removesuffix(":latest") for pin in lock.select()}

    assert models_of(resolved(tmp_path)) == (pinned["embedding"], pinned["chat"])


def test_another_lock_brings_the_models_of_its_default_set(tmp_path: Path) -> None:
    """RAGBED_MODELS_LOCK decides; the source says so."""
    settings = resolved(tmp_path, RAGBED_MODELS_LOCK=TINY_MODELS)

    assert models_of(settings) == ("made-minilm", "made-tiny")
    assert str(settings.source(known.LLM_MODEL)) == "default of set made"
    assert not settings.is_given(known.LLM_MODEL)


def test_a_set_may_be_named(tmp_path: Path) -> None:
    """`models.set` takes another set of the lock."""
    settings = resolved(tmp_path, RAGBED_MODELS__SET="large")

    assert models_of(settings) == ("nomic-embed-text", "llama3.2:1b")


def test_a_model_that_is_named_goes_before_the_set(tmp_path: Path) -> None:
    """The set fills in only what nobody chose."""
    settings = resolved(tmp_path, RAGBED_MODELS_LOCK=TINY_MODELS, RAGBED_LLM__MODEL="llama3.1:8b")

    assert models_of(settings) == ("made-minilm", "llama3.1:8b")


def test_a_tier_that_pays_keeps_its_own_models(tmp_path: Path) -> None:
    """A set of local models says nothing about a paid provider's."""
    settings = resolved(tmp_path, RAGBED_MODELS_LOCK=TINY_MODELS, APP_ENV="ci_eval")

    assert models_of(settings) == ("text-embedding-3-small", "gpt-4o-mini")


def test_a_set_that_is_not_in_the_lock_is_refused(tmp_path: Path) -> None:
    """The message names the sets that there are."""
    with pytest.raises(ConfigurationError, match=r"models\.set is 'huge'") as caught:
        resolved(tmp_path, RAGBED_MODELS__SET="huge")

    assert caught.value.hint == "one of small, large, full"
