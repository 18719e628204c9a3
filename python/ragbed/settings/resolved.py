"""Resolved settings: every value, and where it came from."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ragbed.settings.setting import Setting
    from ragbed.settings.source import Source
    from ragbed.settings.tiers import Tier

T = TypeVar("T")


@dataclass(frozen=True, slots=True, kw_only=True)
class Resolved:
    """A value and where it came from.

    Attributes:
        value: Of the setting's kind.
        source: Where it came from.
        counted: False where the source may not say this: a project's file lifts no guard.
    """

    value: Any
    source: Source
    counted: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """Every setting, resolved.

    Attributes:
        tier: The tier in force.
        tier_source: Where the tier came from.
        history: Per key every source that had a word; the last one that counts is in force.
        features: Feature flags, from `FEATURE_NAME=true`.
        notes: What was not counted or is kept back, and what to type, a sentence each.
    """

    tier: Tier
    tier_source: Source
    history: Mapping[str, tuple[Resolved, ...]]
    features: Mapping[str, bool]
    notes: tuple[str, ...] = ()

    def __getitem__(self, setting: Setting[T]) -> T:
        """Return the value in force."""
        value: T = self.in_force(setting).value
        return value

    def in_force(self, setting: Setting[Any]) -> Resolved:
        """Return the value in force with its source."""
        return next(one for one in reversed(self.history[setting.key]) if one.counted)

    def source(self, setting: Setting[Any]) -> Source:
        """Return where the value in force came from."""
        return self.in_force(setting).source

    def not_counted(self, setting: Setting[Any]) -> Resolved | None:
        """Return the last value that a source may not give, and would have been in force; None where there is none."""
        last = self.history[setting.key][-1]
        return None if last.counted else last

    def key_of(self, key: Setting[str], level: str) -> str:
        """Return the key that one level of sources gives; empty for none.

        Args:
            key: The key's setting.
            level: `Source.level` of the address that it would be sent to.
        """
        return next((one.value for one in reversed(self.history[key.key]) if one.source.level == level), "")

    def is_given(self, setting: Setting[Any]) -> bool:
        """Tell whether the user chose this value, beyond defaults and the tier."""
        return self.source(setting).is_chosen
