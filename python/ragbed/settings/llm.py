"""The one rule for which LLM a command takes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from ragbed.errors import GuardRefused
from ragbed.settings import definitions as known

if TYPE_CHECKING:
    from ragbed.settings.resolved import Settings
    from ragbed.settings.source import Source

PAID = frozenset({"openai", "anthropic"})
FREE = frozenset({"mock", "ollama"})
Caller = Literal["command", "pytest"]


@dataclass(frozen=True, slots=True, kw_only=True)
class LlmChoice:
    """Which LLM a command takes.

    Attributes:
        provider: `mock`, `ollama`, `openai` or `anthropic`.
        why: In words, for the report.
        may_fall_back: True where a missing Ollama means the mock; False where it is an error.
    """

    provider: str
    why: str
    may_fall_back: bool = False


def choose_llm(settings: Settings, *, caller: Caller) -> LlmChoice:
    """Return which LLM to take, before looking at what runs.

    Args:
        settings: The resolved settings.
        caller: Tests follow the tier; commands look for a live Ollama first, in tiers that allow it.

    Raises:
        GuardRefused: A paid provider in a tier that allows none.
    """
    provider, source, chosen = named_provider(settings)
    refuse_paid(settings, provider, source)
    refuse_paid(settings, settings[known.EMBEDDING_PROVIDER], settings.source(known.EMBEDDING_PROVIDER))
    if not chosen and caller == "command" and settings.tier.live_ollama:
        return LlmChoice(
            provider="ollama", why=f"tier {settings.tier.name} takes a live Ollama", may_fall_back=True
        )
    return LlmChoice(provider=provider, why=str(source))


def named_provider(settings: Settings) -> tuple[str, Source, bool]:
    """Return the provider that the settings name, where they do it, and whether the user chose it."""
    if settings.is_given(known.LLM_PROVIDER):
        return settings[known.LLM_PROVIDER], settings.source(known.LLM_PROVIDER), True
    if settings[known.LLM_USE_MOCK]:
        return "mock", settings.source(known.LLM_USE_MOCK), True
    if settings.is_given(known.OLLAMA_URL):
        return "ollama", settings.source(known.OLLAMA_URL), True
    if settings.is_given(known.LLM_MOCK_URL):
        return "mock", settings.source(known.LLM_MOCK_URL), True
    return settings[known.LLM_PROVIDER], settings.source(known.LLM_PROVIDER), False


def refuse_paid(settings: Settings, provider: str, source: Source) -> None:
    """Refuse a paid provider where the tier allows none, whatever keys are set.

    Raises:
        GuardRefused: The tier allows no paid provider.
    """
    if provider not in PAID:
        return
    if not settings.tier.paid_allowed or settings[known.LLM_FAIL_ON_REAL_CALL]:
        rule = "FAIL_ON_REAL_API_CALL is set" if settings.tier.paid_allowed else f"tier {settings.tier.name}"
        raise GuardRefused(
            f"the paid provider {provider} ({source}) is refused: {rule}",
            hint="set MODEL_PROVIDER=mock or MODEL_PROVIDER=ollama, or choose another APP_ENV",
        )
