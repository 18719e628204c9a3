"""What mocked and local calls would have cost at list price: the figure `simulated_usd`."""

from __future__ import annotations

CHAT_MODEL = "gpt-4o-mini"
EMBEDDING_MODEL = "text-embedding-3-small"
_USD_PER_MILLION = {"prompt": 0.15, "answer": 0.60, "embedding": 0.02}
"""List prices of the two models above, USD per million tokens."""


def simulated_cost_usd(*, prompt_tokens: int, answer_tokens: int, embedding_tokens: int) -> float:
    """Return what the calls of a run would have cost with the models that `ci_eval` uses.

    Args:
        prompt_tokens: Tokens of all prompts.
        answer_tokens: Tokens of all answers.
        embedding_tokens: Tokens of all embedded texts.
    """
    counts = {"prompt": prompt_tokens, "answer": answer_tokens, "embedding": embedding_tokens}
    return round(sum(_USD_PER_MILLION[kind] * count for kind, count in counts.items()) / 1e6, 6)
