"""A source is typed; its words are made from it, and name what a message should call it."""

from __future__ import annotations

import pytest

from ragbed.settings import Source

LOCAL = "ragbed.local.toml"


@pytest.mark.parametrize(
    ("source", "words", "chosen", "lifts"),
    [
        (Source(kind="default"), ("default", "default", "default"), False, True),
        (Source(kind="default", name="mock"), ("default of mock", "default of mock", "default"), False, True),
        (Source(kind="tier", name="ci"), ("tier ci", "tier ci", "tier"), False, True),
        (
            Source(kind="model_set", name="made"),
            ("default of set made", "default of set made", "model_set"),
            False,
            True,
        ),
        (Source(kind="file", name="ragbed.toml"), ("ragbed.toml", "ragbed.toml", "ragbed.toml"), True, False),
        (Source(kind="file", name=LOCAL), (LOCAL, LOCAL, LOCAL), True, True),
        (
            Source(kind="file", name=LOCAL, doubt="git tracks it"),
            (f"{LOCAL} (git tracks it)", f"{LOCAL} (git tracks it)", LOCAL),
            True,
            False,
        ),
        (
            Source(kind="environment", name="REDIS_URL"),
            ("environment REDIS_URL", "REDIS_URL", "environment"),
            True,
            True,
        ),
        (Source(kind="flag"), ("flag", "flag", "environment"), True, True),
        (Source(kind="override"), ("override", "override", "override"), True, True),
    ],
    ids=lambda value: str(value) if isinstance(value, Source) else "",
)
def test_a_source_says_what_it_is(
    source: Source, words: tuple[str, str, str], chosen: bool, lifts: bool
) -> None:
    """In words, in short, by the place that a key may go to, and by whether it speaks for the user."""
    assert (str(source), source.short, source.level) == words
    assert (source.is_chosen, source.may_lift_guards) == (chosen, lifts)
