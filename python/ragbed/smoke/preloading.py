"""Libraries imported ahead of the stages that need them: it takes as long as a stack takes to come up."""

from __future__ import annotations

from contextlib import suppress
from importlib import import_module
from threading import Thread
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

WRITING = ("ragbed.pipeline.pipeline", "ragbed.llm", "redis", "ragbed.pipeline.ingest")
"""What an ingest imports."""

READING = (
    "ragbed.pipeline.pipeline",
    "alembic.command",
    "ragbed.smoke.documents",
    "ragbed.smoke.questions",
    "ragbed.targets",
    "ragbed.llm",
    "redis",
    "ragbed.pipeline.ingest",
)
"""What migrations, an unchanged ingest and questions import, in the order of the stages."""


def preload(names: Sequence[str]) -> None:
    """Import modules; one that cannot be imported is left to the stage that needs it, which says so.

    Args:
        names: Full names of modules.
    """
    for name in names:
        with suppress(ImportError):
            import_module(name)


def preload_beside(names: Sequence[str]) -> None:
    """Import modules on a thread of its own, and return at once; an import of the same module waits for it.

    Args:
        names: Full names of modules.
    """
    Thread(target=preload, args=(names,), name="preloading", daemon=True).start()
