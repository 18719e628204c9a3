"""Open the engine's files, and turn its errors into ours."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

import qdrant_edge as engine

from ragbed.qdrant.errors import ApiError, DiskFull, NotFound, Unavailable, first_line, from_engine, is_panic
from ragbed.qdrant.machine_errors import lack

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from qdrant_edge import EdgeShard

    from ragbed.qdrant.translate.config import CollectionConfig


def load(folder: Path, config: CollectionConfig) -> EdgeShard:
    """Open the engine's files, with a configuration unless its vectors are others than those of the files.

    That happens when a collection gained or lost a vector and the server died before it had noted so. The call was not
    answered; made again, it finishes what it began.
    """
    try:
        return engine.EdgeShard.load(str(folder), config.engine)
    except Exception as error:
        if "config is incompatible" not in str(error):
            raise
    return engine.EdgeShard.load(str(folder))


def is_damage(error: ApiError) -> bool:
    """Say whether an error on opening may tell of damaged files; what the machine lacks, and 404, do not."""
    return not isinstance(error, DiskFull | NotFound | Unavailable) and lack(error) is None


@contextmanager
def opening_errors(name: str) -> Iterator[None]:
    """Do as `engine_errors`; say whose files did not open, and what the machine lacks if it is that."""
    try:
        with engine_errors():
            yield
    except (ApiError, OSError, MemoryError) as error:
        if isinstance(error, DiskFull):
            raise
        if wanting := lack(error):
            why = first_line(error.__cause__ or error)
            told = f"collection `{name}` cannot be opened for want of {wanting} ({why})"
            raise Unavailable(f"{told}; it opens again as soon as there is some") from error
        raise


@contextmanager
def engine_errors() -> Iterator[None]:
    """Turn what the engine raises into an ApiError; its panics are not `Exception`s."""
    try:
        yield
    except BaseException as error:
        if type(error) is Exception or is_panic(error):
            raise from_engine(error) from error
        raise
