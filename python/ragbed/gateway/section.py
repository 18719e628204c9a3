"""Settings of the LLM gateway: recordings and rate limits."""

from __future__ import annotations

from ragbed.settings.setting import switch, text, whole

_NOT_LIMITED = "requests are not limited yet"

LLM_RECORDER = text(
    "llm.recorder",
    "",
    "What recordings do.",
    env=("RECORDER_MODE",),
    choices=("", "replay", "record"),
    not_yet="recordings are neither made nor replayed yet",
)
RATE_LIMIT_ENABLED = switch(
    "rate_limit.enabled",
    True,
    "Limit requests per user.",
    env=("RATE_LIMIT_ENABLED",),
    loosens="off",
    not_yet=_NOT_LIMITED,
)
RATE_LIMIT_MINUTE = whole(
    "rate_limit.per_minute", 120, "Requests of one user in a minute.", loosens="more", not_yet=_NOT_LIMITED
)
RATE_LIMIT_HOUR = whole(
    "rate_limit.per_hour", 2000, "Requests of one user in an hour.", loosens="more", not_yet=_NOT_LIMITED
)
