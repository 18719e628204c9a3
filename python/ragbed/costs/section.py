"""Settings of budgets, in USD and tokens."""

from __future__ import annotations

from ragbed.settings.setting import number, whole

_NOT_KEPT = "budgets are not kept yet, and no paid provider can be called"

BUDGET_RUN_USD = number(
    "budget.run_usd",
    0.0,
    "Paid calls of one run, USD.",
    env=("TEST_COST_BUDGET_USD", "E2E_COST_LIMIT"),
    loosens="more",
    not_yet=_NOT_KEPT,
)
BUDGET_DAILY_USD = number(
    "budget.daily_usd",
    0.0,
    "Paid calls of a day, USD.",
    env=("DAILY_COST_LIMIT_USD",),
    loosens="more",
    not_yet=_NOT_KEPT,
)
BUDGET_MONTHLY_USD = number(
    "budget.monthly_usd", 0.0, "Paid calls of a month, USD.", loosens="more", not_yet=_NOT_KEPT
)
BUDGET_REQUEST_TOKENS = whole(
    "budget.request_tokens",
    1000,
    "Tokens of one request.",
    env=("MAX_TOKENS_PER_REQUEST",),
    loosens="more",
    not_yet=_NOT_KEPT,
)
