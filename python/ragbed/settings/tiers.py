"""The tiers: what `APP_ENV` switches, as data."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

from ragbed.errors import ConfigurationError

if TYPE_CHECKING:
    from collections.abc import Mapping

Value = str | int | float | bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Tier:
    """What one value of `APP_ENV` means.

    Attributes:
        name: The value of `APP_ENV`.
        values: Settings of this tier by key.
        paid_allowed: Whether paid providers may be called at all.
        hosts: `loopback` refuses other hosts, unless allowed by name; `any` does not.
        writes_allowed: False for production: never a test target.
        launcher_required: Whether a service is missing that the tier's launcher cannot start; else a process takes its
            place, and that is said.
        live_ollama: Whether commands take an Ollama found on loopback where no provider is named.
    """

    name: str
    values: Mapping[str, Value] = field(default_factory=dict)
    paid_allowed: bool
    hosts: Literal["loopback", "any"]
    writes_allowed: bool = True
    launcher_required: bool = False
    live_ollama: bool = False


_TIERS = (
    Tier(
        name="local",
        values={"llm.provider": "mock", "stack.launcher": "process", "rate_limit.enabled": False},
        paid_allowed=False,
        hosts="loopback",
        live_ollama=True,
    ),
    Tier(
        name="ci",
        values={
            "llm.provider": "mock",
            "llm.recorder": "replay",
            "stack.launcher": "container",
            "rate_limit.enabled": False,
        },
        paid_allowed=False,
        hosts="loopback",
    ),
    Tier(
        name="ci_eval",
        values={
            "llm.provider": "openai",
            "llm.model": "gpt-4o-mini",
            "embedding.model": "text-embedding-3-small",
            "stack.launcher": "container",
            "budget.run_usd": 5.0,
            "budget.daily_usd": 5.0,
        },
        paid_allowed=True,
        hosts="loopback",
        launcher_required=True,
    ),
    Tier(
        name="staging",
        values={
            "llm.provider": "openai",
            "llm.model": "gpt-4o-mini",
            "embedding.model": "text-embedding-3-small",
            "stack.launcher": "attach",
            "budget.run_usd": 10.0,
            "budget.daily_usd": 10.0,
            "budget.monthly_usd": 500.0,
            "budget.request_tokens": 2000,
            "log.level": "INFO",
        },
        paid_allowed=True,
        hosts="any",
    ),
    Tier(
        name="staging_eval",
        values={
            "llm.provider": "openai",
            "llm.model": "gpt-4o",
            "embedding.model": "text-embedding-3-small",
            "stack.launcher": "attach",
            "budget.run_usd": 50.0,
            "budget.daily_usd": 50.0,
            "budget.request_tokens": 2000,
            "log.level": "INFO",
        },
        paid_allowed=True,
        hosts="any",
    ),
    Tier(
        name="production",
        values={
            "llm.provider": "openai",
            "llm.model": "gpt-4o",
            "embedding.model": "text-embedding-3-small",
            "stack.launcher": "attach",
        },
        paid_allowed=False,
        hosts="any",
        writes_allowed=False,
    ),
)
TIERS = {tier.name: tier for tier in _TIERS}


def find_tier(name: str) -> Tier:
    """Return a tier by its name.

    Raises:
        ConfigurationError: There is no such tier.
    """
    try:
        return TIERS[name]
    except KeyError:
        raise ConfigurationError(
            f"APP_ENV is {name!r}, which is not a tier", hint=f"set it to one of {', '.join(TIERS)}"
        ) from None
