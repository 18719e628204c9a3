"""Amounts are whole millionths of a USD, and calls cost what the list says."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ragbed.costs import MicroUsd, from_usd, list_price, simulated_cost, to_usd
from ragbed.errors import ConfigurationError, UsageError


@pytest.mark.parametrize(
    ("counts", "usd"),
    [
        pytest.param((0, 0, 0), 0.0, id="nothing"),
        pytest.param((1_000_000, 0, 0), 0.15, id="prompts"),
        pytest.param((0, 1_000_000, 0), 0.60, id="answers"),
        pytest.param((0, 0, 1_000_000), 0.02, id="embeddings"),
        pytest.param((1000, 100, 5000), 0.00031, id="together"),
    ],
)
def test_simulated_costs_follow_the_list_prices(counts: tuple[int, int, int], usd: float) -> None:
    """A million tokens cost what the list says."""
    prompt, answer, embedding = counts
    cost = simulated_cost(prompt_tokens=prompt, answer_tokens=answer, embedding_tokens=embedding)

    assert to_usd(cost) == usd


@pytest.mark.parametrize(
    ("model", "tokens", "cost"),
    [
        pytest.param("gpt-4o-mini", (1, 0), 1, id="a fraction counts as one"),
        pytest.param("gpt-4o-mini", (7, 1), 2, id="fractions are added before"),
        pytest.param("gpt-4o", (2000, 500), 10_000, id="gpt-4o"),
        pytest.param("text-embedding-3-small", (50, 0), 1, id="embedding"),
    ],
)
def test_a_call_costs_at_least_what_is_billed(model: str, tokens: tuple[int, int], cost: int) -> None:
    """Rounded up, so that a budget is never passed by fractions."""
    read, written = tokens

    assert list_price(model).cost(input_tokens=read, output_tokens=written) == cost


def test_a_model_without_a_price_cannot_be_paid_for() -> None:
    """What has no price is refused, not taken for free."""
    with pytest.raises(ConfigurationError, match="the model 'gpt-9' has no list price") as caught:
        list_price("gpt-9")

    assert caught.value.hint == "take one of gpt-4o, gpt-4o-mini, text-embedding-3-small"


@given(amount=st.integers(min_value=0, max_value=10**12))
def test_an_amount_survives_json(amount: int) -> None:
    """Up to a million USD."""
    assert from_usd(to_usd(MicroUsd(amount))) == amount


@pytest.mark.parametrize(("usd", "amount"), [(0.1, 100_000), (Decimal("0.0000001"), 1), (1, 1_000_000)])
def test_usd_become_whole_millionths(usd: Any, amount: int) -> None:
    """A float is the number that it prints as."""
    assert from_usd(usd) == amount


@pytest.mark.parametrize("usd", [-0.01, float("nan"), float("inf")])
def test_what_is_not_an_amount_is_refused(usd: float) -> None:
    """A budget of minus one would allow nothing, one without an end everything."""
    with pytest.raises(UsageError, match="is not an amount of USD"):
        from_usd(usd)
