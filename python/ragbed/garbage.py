"""Python's collector of cycles, kept out of the way of commands that live for seconds."""

from __future__ import annotations

import atexit
import gc

_NEW_OBJECTS = 20_000


def collect_rarely() -> None:
    """Look for cycles after 20,000 new objects in place of 700, and not at the exit.

    Importing a client makes objects by the hundred thousand, none of them garbage: looking through them again and
    again takes a third of a short command's processor time. Call it before the imports.
    """
    gc.set_threshold(_NEW_OBJECTS)
    atexit.register(
        gc.freeze
    )  # the interpreter collects twice while it ends, and frozen objects are not looked at
