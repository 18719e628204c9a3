"""The reference pipeline on a stack that is up: addresses from the endpoints, numbers from the settings."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ragbed.pipeline.config import ChunkingConfig, LimitConfig, ModelConfig, PipelineConfig, StoreConfig
from ragbed.pipeline.section import CACHE_TTL_S, PIPELINE_BATCH_SIZE, PIPELINE_CHUNK_TOKENS, PIPELINE_TOP_K
from ragbed.settings import definitions as known
from ragbed.stack.addresses import qdrant_key
from ragbed.stack.threads import num_thread

if TYPE_CHECKING:
    from ragbed.settings import Settings
    from ragbed.stack import Stack
    from ragbed.state import StateFolder


def pipeline_config(
    stack: Stack, settings: Settings, *, folder: StateFolder, namespace: str = "default"
) -> PipelineConfig:
    """Return the configuration of a pipeline on this stack.

    Args:
        stack: Where the services answer.
        settings: The resolved settings.
        folder: The state folder; it knows whose pipeline this is, and gap pages go there.
        namespace: Keeps pipelines apart in every store.
    """
    project = folder.project()
    return PipelineConfig(
        stores=StoreConfig(
            database_url=stack["postgres"].url,
            redis_url=stack["redis"].url,
            qdrant_url=stack["qdrant"].url,
            qdrant_api_key=qdrant_key(settings, stack["qdrant"].url) or None,
            gaps_dir=folder.gaps / namespace,
            cache_ttl_s=settings[CACHE_TTL_S],
        ),
        models=ModelConfig(
            url=stack["ollama"].url,
            embedding=settings[known.EMBEDDING_MODEL],
            chat=settings[known.LLM_MODEL],
            keep_alive=settings[known.LLM_KEEP_ALIVE],
            num_thread=num_thread(settings, stack["ollama"]),
        ),
        chunking=ChunkingConfig(
            tokens=settings[PIPELINE_CHUNK_TOKENS], batch_size=settings[PIPELINE_BATCH_SIZE]
        ),
        limits=LimitConfig(
            top_k=settings[PIPELINE_TOP_K],
            load_timeout_s=settings[known.LLM_LOAD_TIMEOUT_S],
            embed_timeout_s=settings[known.EMBEDDING_TIMEOUT_S],
            first_token_timeout_s=settings[known.LLM_FIRST_TOKEN_TIMEOUT_S],
            answer_timeout_s=settings[known.LLM_ANSWER_TIMEOUT_S],
        ),
        namespace=namespace,
        project_id=project.id,
        project_name=project.name,
    )
