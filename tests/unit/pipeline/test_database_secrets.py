"""The pipeline's Postgres tells what is wrong with its address without a part of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from ragbed.errors import ServiceMissing
from ragbed.pipeline import PipelineConfig
from ragbed.pipeline.adapters.postgres import Database
from ragbed.pipeline.config import ModelConfig, StoreConfig

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.parametrize(
    "url",
    ["postgresql://u:se%krXet@127.0.0.1:1/x", "postgresql://u@127.0.0.1:1/x?krXet", "host=127.0.0.1 krXet"],
    ids=["percent", "option", "key-words"],
)
def test_an_address_that_libpq_cannot_read_is_not_shown(url: str, tmp_path: Path) -> None:
    """The words of libpq, which repeat what it could not read, are replaced."""
    stores = StoreConfig(database_url=url, redis_url="", qdrant_url="", gaps_dir=tmp_path)
    config = PipelineConfig(stores=stores, models=ModelConfig(url=""))

    with pytest.raises(ServiceMissing, match="Postgres cannot be asked") as caught:
        _ = Database(config).connection

    assert "krXet" not in caught.value.render()
