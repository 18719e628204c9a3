"""Which models a set of the model lock stands for."""

from __future__ import annotations

from pathlib import Path

from ragbed.errors import ConfigurationError


def models_of_set(name: str, file: str, *, named_by: str) -> tuple[str, dict[str, str]]:
    """Return the name of a set, and its models by what they are for: `chat`, `embedding`.

    The checkout's lock with its default set needs none of it: the settings' own defaults are those models.

    Args:
        name: The set; empty takes the lock's default.
        file: The lock; empty takes the checkout's.
        named_by: Who named the set, for messages.

    Raises:
        ConfigurationError: The lock is wrong, or has no such set.
    """
    from ragbed.pins import load_model_lock  # noqa: PLC0415 - pydantic is slow to import, and rarely needed here

    lock = load_model_lock(Path(file).expanduser().absolute() if file else None)
    chosen = name or lock.default
    if chosen not in lock.sets:
        raise ConfigurationError(
            f"models.set is {chosen!r} ({named_by}), and {lock.path} has no such set",
            hint=f"one of {', '.join(lock.sets)}",
        )
    return chosen, {pin.purpose: pin.full_name.removesuffix(":latest") for pin in lock.select(sets=[chosen])}
