"""The pipeline as callers see it: a reader and a writer, each on backends that connect when they are needed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ragbed.events import SILENT
from ragbed.pipeline.backends import Backends, open_backends
from ragbed.pipeline.reader import PipelineReader
from ragbed.pipeline.writer import PipelineWriter

if TYPE_CHECKING:
    from ragbed.events import EventSink
    from ragbed.pipeline.config import PipelineConfig


class Pipeline(PipelineReader, PipelineWriter):
    """Reader and writer on the same connections; open it by `open_pipeline`."""


def open_pipeline(
    config: PipelineConfig,
    *,
    events: EventSink = SILENT,
    backends: Backends | None = None,
) -> Pipeline:
    """Return a pipeline, to be closed by `with`; it connects when it needs to.

    Args:
        config: Whose it is, its stores, its models, and the numbers it works with.
        events: Told how the load of a model goes, on a thread of its own.
        backends: What it works on, in place of those that the addresses name.

    Raises:
        ConfigurationError: An address has a scheme that has no backend.
    """
    return Pipeline(config, backends or open_backends(config, events=events))


def open_reader(config: PipelineConfig, *, backends: Backends | None = None) -> PipelineReader:
    """Return the half that answers questions, as `open_pipeline` returns both."""
    return PipelineReader(config, backends or open_backends(config))
