"""List prices, and what calls cost by them."""

from __future__ import annotations

from dataclasses import dataclass

from ragbed.costs.money import MicroUsd
from ragbed.errors import ConfigurationError

_CHAT_MODEL = "gpt-4o-mini"
_EMBEDDING_MODEL = "text-embedding-3-small"
_MILLION = 1_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Price:
    """The list price of a model.

    Attributes:
        model: Name at its provider.
        input: Of a million tokens read.
        output: Of a million tokens written; 0 for a model that embeds.
    """

    model: str
    input: MicroUsd
    output: MicroUsd

    def cost(self, *, input_tokens: int, output_tokens: int) -> MicroUsd:
        """Return what tokens cost; a fraction of a millionth counts as one, so that a budget is never undercut.

        Args:
            input_tokens: Tokens read, at least 0.
            output_tokens: Tokens written, at least 0.
        """
        exact = self.input * input_tokens + self.output * output_tokens
        return MicroUsd(-(-exact // _MILLION))


_PRICES = {
    price.model: price
    for price in (
        Price(model="gpt-4o", input=MicroUsd(2_500_000), output=MicroUsd(10_000_000)),
        Price(model="gpt-4o-mini", input=MicroUsd(150_000), output=MicroUsd(600_000)),
        Price(model="text-embedding-3-small", input=MicroUsd(20_000), output=MicroUsd(0)),
    )
}
"""The models that the tiers use. Source: the data of genai-prices 0.2.3."""


def list_price(model: str) -> Price:
    """Return the list price of a model.

    Args:
        model: Name at its provider.

    Raises:
        ConfigurationError: The model has no price here. A call that has no price must not be paid for.
    """
    price = _PRICES.get(model)
    if price is None:
        raise ConfigurationError(
            f"the model {model!r} has no list price, so its calls cannot be held to a budget",
            hint=f"take one of {', '.join(_PRICES)}",
        )
    return price


def simulated_cost(*, prompt_tokens: int, answer_tokens: int, embedding_tokens: int) -> MicroUsd:
    """Return what free calls would have cost with the models that the tier `ci_eval` uses.

    Args:
        prompt_tokens: Tokens of all prompts.
        answer_tokens: Tokens of all answers.
        embedding_tokens: Tokens of all embedded texts.
    """
    chat = list_price(_CHAT_MODEL).cost(input_tokens=prompt_tokens, output_tokens=answer_tokens)
    embedding = list_price(_EMBEDDING_MODEL).cost(input_tokens=embedding_tokens, output_tokens=0)
    return MicroUsd(chat + embedding)
