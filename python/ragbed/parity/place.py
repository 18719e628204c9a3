"""Where suites run: the stack of one launcher, and the settings that lead to it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ragbed.settings import Settings
    from ragbed.stack import Stack
    from ragbed.state import StateFolder


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """A stack that is up.

    Attributes:
        stack: Where its services answer.
        settings: Resolved with the stack's addresses as given ones, so that what is run next attaches to it.
        folder: The state folder.
    """

    stack: Stack
    settings: Settings
    folder: StateFolder
