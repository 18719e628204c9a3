"""Whether a server that answers is what the pins say: one judgement for smoke and doctor."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from ragbed.pins.versions import satisfies

if TYPE_CHECKING:
    from ragbed.pins.stack_file import ServicePins


def comes_from_wheel(pins: ServicePins, origin: str) -> bool:
    """Tell whether a server that we started comes from the pinned wheel, and not from a path that has its name.

    Args:
        pins: Of its service.
        origin: What was started, in words: `wheel NAME`, alone or behind the substitute's name.
    """
    wheel = pins.channels.wheel
    return bool(wheel and re.search(rf"(?:^|: )wheel {re.escape(wheel.package)}(?: |$)", origin))


def drift_of(pins: ServicePins, *, product: str, version: str, origin: str, started: bool) -> str:
    """Return how a server differs from the pins, as what follows its name; empty where it does not.

    Outside of the range is drift for every server. One that we started from a wheel must also be the pinned version.

    Args:
        pins: Of its service.
        product: What answers.
        version: As it says itself.
        origin: What was started or found, in words.
        started: Whether ragbed started it as a process.
    """
    if not pins.accepts(product, version):
        return f"is outside {pins.describe_range()}"
    wheel = pins.channels.wheel
    if started and wheel and comes_from_wheel(pins, origin) and not satisfies(version, f"=={wheel.version}"):
        return f"was started, {wheel.package} is pinned at {wheel.version}"
    return ""
