"""Pipelines for several requests at once: each has connections of its own, and is used by one request at a time."""

from __future__ import annotations

from contextlib import contextmanager
from queue import SimpleQueue
from typing import TYPE_CHECKING

from ragbed.errors import UsageError
from ragbed.pipeline import open_reader

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ragbed.pipeline import PipelineReader
    from ragbed.pipeline.config import PipelineConfig


class PipelinePool:
    """A fixed number of pipelines on the same stores; each connects when it is first used.

    Args:
        config: Addresses, names and numbers.
        size: How many requests may be at work at once.
    """

    def __init__(self, config: PipelineConfig, *, size: int = 4) -> None:
        self.size = size
        self._config = config
        self._free: SimpleQueue[PipelineReader] = SimpleQueue()
        for _ in range(size):
            self._free.put(open_reader(config))

    @contextmanager
    def borrowed(self) -> Iterator[PipelineReader]:
        """Yield a pipeline that no other request uses, waiting for one where all are at work."""
        pipeline = self._free.get()
        try:
            yield pipeline
        except UsageError:
            raise  # the request was wrong, and the connections are as good as before
        except Exception:
            pipeline.close()  # a broken connection must not meet the next request
            pipeline = open_reader(self._config)
            raise
        finally:
            self._free.put(pipeline)

    def close(self) -> None:
        """Close every pipeline; call it when no request is at work any more."""
        for _ in range(self.size):
            pipeline = self._free.get()
            pipeline.close()
            self._free.put(pipeline)
