"""Settings that this room reads, or more than one other: which LLM and models, which addresses, what servers do."""

from __future__ import annotations

from ragbed.logs import LEVELS
from ragbed.settings.setting import number, switch, text

PROVIDERS = ("", "mock", "ollama", "openai", "anthropic")
LLM_PROVIDER = text(
    "llm.provider",
    "",
    "Which LLM answers; empty follows the tier.",
    env=("MODEL_PROVIDER",),
    choices=PROVIDERS,
)
LLM_MODEL = text("llm.model", "qwen2.5:0.5b", "Chat model.")
LLM_USE_MOCK = switch(
    "llm.use_mock", False, "Take the mock where no provider is named.", env=("USE_MOCK_LLM",)
)
LLM_MOCK_URL = text("llm.mock_url", "", "A mock LLM that already runs.", env=("MOCK_LLM_SERVER_URL",))
LLM_FAIL_ON_REAL_CALL = switch(
    "llm.fail_on_real_call",
    False,
    "Refuse every call to a paid provider.",
    env=("FAIL_ON_REAL_API_CALL",),
    loosens="off",
)
LLM_KEEP_ALIVE = text(
    "llm.keep_alive", "", "How long Ollama keeps a model after a request, as 10m; empty leaves it to Ollama."
)
LLM_LOAD_TIMEOUT_S = number("llm.load_timeout_s", 900.0, "How long loading a model may take.")
LLM_FIRST_TOKEN_TIMEOUT_S = number(
    "llm.first_token_timeout_s", 300.0, "How long an answer may take to begin, and be silent."
)
LLM_ANSWER_TIMEOUT_S = number("llm.answer_timeout_s", 600.0, "How long an answer may take in all.")
EMBEDDING_PROVIDER = text(
    "embedding.provider",
    "",
    "Which provider embeds; empty is the LLM's.",
    env=("EMBEDDING_PROVIDER",),
    choices=PROVIDERS,
)
EMBEDDING_MODEL = text("embedding.model", "all-minilm", "Embedding model.")
EMBEDDING_TIMEOUT_S = number(
    "embedding.timeout_s", 120.0, "How long one batch of embeddings may take, the model being loaded."
)
MODELS_SET = text(
    "models.set",
    "",
    "Set of models.lock.json for the models that no setting names; empty is its default set.",
)
POSTGRES_URL = text("postgres.url", "", "A Postgres that already runs.", env=("DATABASE_URL",), secret=True)
REDIS_URL = text("redis.url", "", "A Redis or Valkey that already runs.", env=("REDIS_URL",), secret=True)
QDRANT_URL = text(
    "qdrant.url",
    "",
    "A Qdrant that already runs; memory:// is embedded and temporary.",
    env=("QDRANT_URL", "VECTOR_DB_URL"),
)
QDRANT_API_KEY = text("qdrant.api_key", "", "Key of that Qdrant.", env=("QDRANT_API_KEY",), secret=True)
OLLAMA_URL = text("ollama.url", "", "An Ollama that already runs.", env=("OLLAMA_HOST",))
SERVE_ALLOWED_NAMES = text(
    "serve.allowed_names",
    "",
    "Host names beside loopback by which clients and web pages may call our servers, comma-separated.",
    loosens="given",
)
LOG_LEVEL = text(
    "log.level",
    "WARNING",
    "From which level on ragbed logs to stderr.",
    env=("LOG_LEVEL",),
    choices=LEVELS,
)
METRICS_ENABLED = switch(
    "metrics.enabled", True, "Answer /metrics on our own servers.", env=("METRICS_ENABLED",)
)
DEBUG = switch(
    "app.debug", False, "Log everything, with tracebacks, where log.level is not given.", env=("DEBUG",)
)
TEST_MODE = switch(
    "app.test_mode",
    False,
    "Tell the application it is under test: ragbed env and ragbed_environ give TEST_MODE.",
    env=("TEST_MODE",),
)
