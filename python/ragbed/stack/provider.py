"""Which LLM a stack serves to its pipeline."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ragbed.errors import ConfigurationError
from ragbed.settings import LlmChoice, Settings, choose_llm
from ragbed.settings import definitions as known

if TYPE_CHECKING:
    from ragbed.settings.llm import Caller


def served_llm(settings: Settings, *, caller: Caller) -> LlmChoice:
    """Return which LLM to take; refuse providers that this version cannot serve to the pipeline's one client.

    Args:
        settings: The resolved settings.
        caller: Tests follow the tier; commands look for a live Ollama.

    Raises:
        ConfigurationError: A paid provider, or an embedding provider other than the LLM's.
    """
    choice = choose_llm(settings, caller=caller)
    embedding = settings[known.EMBEDDING_PROVIDER] or choice.provider
    if choice.may_fall_back and settings.is_given(known.EMBEDDING_PROVIDER):
        # The LLM's provider was not named: it is the one that was named for embeddings.
        choice = LlmChoice(provider=embedding, why=str(settings.source(known.EMBEDDING_PROVIDER)))
    for provider in (choice.provider, embedding):
        if provider not in {"mock", "ollama"}:
            raise ConfigurationError(
                f"the provider {provider} ({choice.why}) cannot be reached yet: the gateway forwards to none",
                hint="set MODEL_PROVIDER=ollama or MODEL_PROVIDER=mock",
            )
    if embedding != choice.provider:
        raise ConfigurationError(
            f"EMBEDDING_PROVIDER is {embedding} and the LLM's provider is {choice.provider}: one server does both",
            hint="give both the same value",
        )
    return choice
