"""Which LLM a command takes: the one rule, as a table."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from ragbed.errors import GuardRefused
from ragbed.settings import choose_llm, resolve_settings

if TYPE_CHECKING:
    from pathlib import Path

    from ragbed.settings.llm import Caller

PROVIDER = "environment MODEL_PROVIDER"


@pytest.mark.parametrize(
    ("environ", "caller", "provider", "why", "may_fall_back"),
    [
        pytest.param({}, "command", "ollama", "tier local takes a live Ollama", True, id="local-command"),
        pytest.param({}, "pytest", "mock", "tier local", False, id="local-pytest"),
        pytest.param({"APP_ENV": "ci"}, "command", "mock", "tier ci", False, id="ci-command"),
        pytest.param({"APP_ENV": "ci"}, "pytest", "mock", "tier ci", False, id="ci-pytest"),
        pytest.param({"APP_ENV": "ci_eval"}, "command", "openai", "tier ci_eval", False, id="ci-eval"),
        pytest.param({"APP_ENV": "staging"}, "command", "openai", "tier staging", False, id="staging"),
        pytest.param({"MODEL_PROVIDER": "mock"}, "command", "mock", PROVIDER, False, id="named-mock"),
        pytest.param({"MODEL_PROVIDER": "ollama"}, "command", "ollama", PROVIDER, False, id="named-ollama"),
        pytest.param({"MODEL_PROVIDER": "ollama"}, "pytest", "ollama", PROVIDER, False, id="named-in-pytest"),
        pytest.param(
            {"MODEL_PROVIDER": "ollama", "USE_MOCK_LLM": "true"},
            *("command", "ollama", PROVIDER, False),
            id="a-named-provider-beats-use-mock",
        ),
        pytest.param(
            {"USE_MOCK_LLM": "true"}, "command", "mock", "environment USE_MOCK_LLM", False, id="use-mock"
        ),
        pytest.param(
            {"APP_ENV": "ci_eval", "USE_MOCK_LLM": "true"},
            *("command", "mock", "environment USE_MOCK_LLM", False),
            id="use-mock-beats-a-paid-tier",
        ),
        pytest.param(
            {"OLLAMA_HOST": "127.0.0.1:1"},
            *("pytest", "ollama", "environment OLLAMA_HOST", False),
            id="a-given-ollama-is-meant",
        ),
        pytest.param(
            {"OLLAMA_HOST": "127.0.0.1:1", "USE_MOCK_LLM": "true"},
            *("command", "mock", "environment USE_MOCK_LLM", False),
            id="use-mock-beats-a-given-ollama",
        ),
        pytest.param(
            {"MOCK_LLM_SERVER_URL": "http://127.0.0.1:1"},
            *("command", "mock", "environment MOCK_LLM_SERVER_URL", False),
            id="a-given-mock-is-meant",
        ),
        pytest.param(
            {"MOCK_LLM_SERVER_URL": "http://127.0.0.1:1", "OLLAMA_HOST": "127.0.0.1:1"},
            *("command", "ollama", "environment OLLAMA_HOST", False),
            id="a-given-ollama-beats-a-given-mock",
        ),
    ],
)
def test_the_rule(
    tmp_path: Path, *, environ: dict[str, str], caller: Caller, provider: str, why: str, may_fall_back: bool
) -> None:
    """A named provider first, then what was given, then pytest's tier, then a live Ollama in tier local."""
    choice = choose_llm(resolve_settings(folder=tmp_path, environ=environ), caller=caller)

    assert (choice.provider, choice.why, choice.may_fall_back) == (provider, why, may_fall_back)


@pytest.mark.parametrize("tier", ["local", "ci", "production"])
@pytest.mark.parametrize("variable", ["MODEL_PROVIDER", "EMBEDDING_PROVIDER"])
@pytest.mark.parametrize("provider", ["openai", "anthropic"])
def test_a_paid_provider_is_refused_where_the_tier_allows_none(
    tier: str, variable: str, provider: str, tmp_path: Path
) -> None:
    """Keys or not, local, ci and production pay nobody."""
    environ = {"APP_ENV": tier, variable: provider, "OPENAI_API_KEY": "x", "ANTHROPIC_API_KEY": "x"}

    with pytest.raises(GuardRefused, match="paid provider") as caught:
        choose_llm(resolve_settings(folder=tmp_path, environ=environ), caller="command")

    assert f"tier {tier}" in caught.value.message


def test_fail_on_real_api_call_refuses_a_paid_provider_in_any_tier(tmp_path: Path) -> None:
    """FAIL_ON_REAL_API_CALL beats a tier that would pay, and is named."""
    environ = {"APP_ENV": "ci_eval", "FAIL_ON_REAL_API_CALL": "true"}

    with pytest.raises(GuardRefused, match="FAIL_ON_REAL_API_CALL is set"):
        choose_llm(resolve_settings(folder=tmp_path, environ=environ), caller="command")
