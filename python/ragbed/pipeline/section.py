"""Settings that the reference pipeline reads."""

from __future__ import annotations

from ragbed.settings.setting import whole

PIPELINE_CHUNK_TOKENS = whole("pipeline.chunk_tokens", 200, "Budget of a chunk, in estimated tokens.")
PIPELINE_BATCH_SIZE = whole("pipeline.batch_size", 50, "Chunks that are embedded and written together.")
PIPELINE_TOP_K = whole("pipeline.top_k", 5, "Passages that a question gets.")
CACHE_TTL_S = whole("cache.ttl_s", 3600, "How long embeddings stay cached.", env=("CACHE_TTL_SECONDS",))
