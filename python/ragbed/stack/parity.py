"""Which services of a stack differ from the pins: asked by smoke, and by `ragbed status`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ragbed.pins.drift import drift

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ragbed.pins import StackPins
    from ragbed.stack.endpoint import Endpoint


def drifting(endpoints: Mapping[str, Endpoint], pins: StackPins) -> dict[str, str]:
    """Return a sentence for each service that differs from the pins, by service.

    Args:
        endpoints: Where services answer, by service.
        pins: What is accepted and started.
    """
    judged = {name: drift(pins[name], endpoint) for name, endpoint in endpoints.items()}
    return {
        name: f"{name} {endpoints[name].product} {endpoints[name].version} {differs}"
        for name, differs in judged.items()
        if differs
    }
