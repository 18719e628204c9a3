"""The pins: `stack.toml` parsed, validated and compared with what is found."""

from ragbed.pins.stack_file import (
    GoChannel,
    ImageChannel,
    Limits,
    NixChannel,
    ServicePins,
    StackPins,
    WheelChannel,
    load_stack_pins,
    stack_file_path,
)
from ragbed.pins.versions import satisfies

__all__ = [
    "GoChannel",
    "ImageChannel",
    "Limits",
    "NixChannel",
    "ServicePins",
    "StackPins",
    "WheelChannel",
    "load_stack_pins",
    "satisfies",
    "stack_file_path",
]
