"""The tiers, as the documented table has them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from ragbed.costs.section import BUDGET_DAILY_USD, BUDGET_MONTHLY_USD, BUDGET_REQUEST_TOKENS, BUDGET_RUN_USD
from ragbed.errors import ConfigurationError
from ragbed.gateway.section import RATE_LIMIT_ENABLED, RATE_LIMIT_HOUR, RATE_LIMIT_MINUTE
from ragbed.settings import TIERS, definitions, resolve_settings
from ragbed.stack.section import STACK_LAUNCHER

if TYPE_CHECKING:
    from pathlib import Path

TABLE = {
    #               provider, model, launcher, run and day USD, tokens, paid, hosts, writes, live Ollama
    "local": ("mock", "qwen2.5:0.5b", "process", 0.0, 0.0, 1000, False, "loopback", True, True),
    "ci": ("mock", "qwen2.5:0.5b", "container", 0.0, 0.0, 1000, False, "loopback", True, False),
    "ci_eval": ("openai", "gpt-4o-mini", "container", 5.0, 5.0, 1000, True, "loopback", True, False),
    "staging": ("openai", "gpt-4o-mini", "attach", 10.0, 10.0, 2000, True, "any", True, False),
    "staging_eval": ("openai", "gpt-4o", "attach", 50.0, 50.0, 2000, True, "any", True, False),
    "production": ("openai", "gpt-4o", "attach", 0.0, 0.0, 1000, False, "any", False, False),
}


@pytest.mark.parametrize("name", TABLE)
def test_a_tier_is_what_the_table_says(name: str, tmp_path: Path) -> None:
    """Provider, model, stack, budgets and guards follow from APP_ENV alone."""
    settings = resolve_settings(folder=tmp_path, environ={"APP_ENV": name})
    tier = settings.tier

    assert TABLE[name] == (
        settings[definitions.LLM_PROVIDER],
        settings[definitions.LLM_MODEL],
        settings[STACK_LAUNCHER],
        settings[BUDGET_RUN_USD],
        settings[BUDGET_DAILY_USD],
        settings[BUDGET_REQUEST_TOKENS],
        tier.paid_allowed,
        tier.hosts,
        tier.writes_allowed,
        tier.live_ollama,
    )


PAYING = [name for name, row in TABLE.items() if row[0] == "openai"]


@pytest.mark.parametrize("tier", PAYING)
@pytest.mark.parametrize(
    ("variable", "value", "provider"),
    [
        ("MODEL_PROVIDER", "mock", "mock"),
        ("MODEL_PROVIDER", "ollama", "ollama"),
        ("USE_MOCK_LLM", "true", "mock"),
        ("OLLAMA_HOST", "127.0.0.1:1", "ollama"),
        ("MOCK_LLM_SERVER_URL", "http://127.0.0.1:1", "mock"),
    ],
)
def test_another_provider_than_the_tiers_has_its_own_models(
    variable: str, value: str, provider: str, tier: str, tmp_path: Path
) -> None:
    """A tier's models are its provider's: the mock has no text-embedding-3-small; the source says so."""
    settings = resolve_settings(folder=tmp_path, environ={"APP_ENV": tier, variable: value})

    models = (definitions.LLM_MODEL, definitions.EMBEDDING_MODEL)
    assert [settings[model] for model in models] == ["qwen2.5:0.5b", "all-minilm"]
    assert {str(settings.source(model)) for model in models} == {f"default of {provider}"}


def test_a_provider_of_embeddings_alone_changes_the_embedding_model_alone(tmp_path: Path) -> None:
    """EMBEDDING_PROVIDER speaks for the embeddings only."""
    settings = resolve_settings(folder=tmp_path, environ={"APP_ENV": "ci_eval", "EMBEDDING_PROVIDER": "mock"})

    assert settings[definitions.LLM_MODEL] == "gpt-4o-mini"
    assert settings[definitions.EMBEDDING_MODEL] == "all-minilm"


def test_a_model_that_somebody_chose_stays(tmp_path: Path) -> None:
    """Only the tier's own word gives way."""
    environ = {
        "APP_ENV": "ci_eval",
        "MODEL_PROVIDER": "ollama",
        "RAGBED_EMBEDDING__MODEL": "nomic-embed-text",
    }

    assert (
        resolve_settings(folder=tmp_path, environ=environ)[definitions.EMBEDDING_MODEL] == "nomic-embed-text"
    )


def test_the_table_names_every_tier() -> None:
    """There is no tier beside the documented ones."""
    assert set(TABLE) == set(TIERS)


def test_staging_logs_measures_and_limits(tmp_path: Path) -> None:
    """Staging has INFO, metrics, rate limits of 120 a minute and 2,000 an hour, and 500 USD a month."""
    settings = resolve_settings(folder=tmp_path, environ={"APP_ENV": "staging"})

    assert settings[definitions.LOG_LEVEL] == "INFO"
    assert settings[definitions.METRICS_ENABLED]
    assert settings[RATE_LIMIT_ENABLED]
    assert (settings[RATE_LIMIT_MINUTE], settings[RATE_LIMIT_HOUR]) == (120, 2000)
    assert settings[BUDGET_MONTHLY_USD] == 500.0


def test_without_a_word_the_tier_is_local(tmp_path: Path) -> None:
    """APP_ENV defaults to local, and the source says so."""
    settings = resolve_settings(folder=tmp_path, environ={})

    assert (settings.tier.name, str(settings.tier_source)) == ("local", "default")


@pytest.mark.parametrize("name", ["prod", "PRODUCTION", "local ", "test"])
def test_a_name_that_is_no_tier_is_refused(name: str, tmp_path: Path) -> None:
    """A near miss of a tier's name is not guessed at."""
    with pytest.raises(ConfigurationError, match=f"APP_ENV is '{name}', which is not a tier") as caught:
        resolve_settings(folder=tmp_path, environ={"APP_ENV": name})

    assert "local, ci, ci_eval, staging, staging_eval, production" in caught.value.hint
