"""Every setting that ragbed knows: its key, type, safe default and environment variables."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Generic, Literal, TypeVar

from ragbed.settings.mock_models import read_models

if TYPE_CHECKING:
    from collections.abc import Callable

T = TypeVar("T")


@dataclass(frozen=True, slots=True, kw_only=True)
class Setting(Generic[T]):
    """One setting.

    Attributes:
        key: `section.name`, as in `ragbed.toml`.
        kind: The type that a value is read as: str, int, float, bool, or dict, which has a reader.
        default: The safe production default, the first of all sources.
        env: Environment variables of the field that are honoured, beside `RAGBED_SECTION__NAME`.
        secret: Whether the value is hidden wherever it is shown, and may be given as `…_FILE`.
        choices: The only values allowed; empty allows all.
        help: What it does, one line.
        reader: Checks a table, from a file or as JSON, and names the source where it is wrong.
        loosens: Which of its values lift a guard: `given`, any value; `more`, a larger number than the one before;
            `off`, false where it was true; empty, none does. A project's file, which comes with a checkout, can only
            tighten guards.
    """

    key: str
    kind: type[T]
    default: T
    help: str
    env: tuple[str, ...] = ()
    secret: bool = False
    choices: tuple[str, ...] = ()
    reader: Callable[[object, str], T] | None = None
    loosens: Literal["", "given", "more", "off"] = ""

    @property
    def own_variable(self) -> str:
        """The environment variable in ragbed's own form."""
        section, _, name = self.key.partition(".")
        return f"RAGBED_{section.upper()}__{name.upper()}"

    def is_looser(self, value: T, before: T) -> bool:
        """Tell whether a value lifts a guard that the one before it has set.

        Args:
            value: The new value.
            before: The value in force until then.
        """
        if self.loosens == "given":
            return value not in {before, self.default}
        if self.loosens == "more":
            return bool(value > before)  # type: ignore[operator]
        return self.loosens == "off" and bool(before) and not value


_REGISTRY: dict[str, Setting[Any]] = {}


def _define(setting: Setting[T]) -> Setting[T]:
    _REGISTRY[setting.key] = setting
    return setting


def _text(key: str, default: str, help: str, **more: Any) -> Setting[str]:  # noqa: A002 - as in the record
    return _define(Setting(key=key, kind=str, default=default, help=help, **more))


def _whole(key: str, default: int, help: str, **more: Any) -> Setting[int]:  # noqa: A002 - as in the record
    return _define(Setting(key=key, kind=int, default=default, help=help, **more))


def _number(key: str, default: float, help: str, **more: Any) -> Setting[float]:  # noqa: A002 - as above
    return _define(Setting(key=key, kind=float, default=default, help=help, **more))


def _switch(key: str, default: bool, help: str, **more: Any) -> Setting[bool]:  # noqa: A002 - as above
    return _define(Setting(key=key, kind=bool, default=default, help=help, **more))


def all_settings() -> dict[str, Setting[Any]]:
    """Return every setting by key, in the order they are shown."""
    return dict(_REGISTRY)


PROVIDERS = ("", "mock", "ollama", "openai", "anthropic")

LLM_PROVIDER = _text(
    "llm.provider",
    "",
    "Which LLM answers; empty follows the tier.",
    env=("MODEL_PROVIDER",),
    choices=PROVIDERS,
)
LLM_MODEL = _text("llm.model", "qwen2.5:0.5b", "Chat model.")
LLM_USE_MOCK = _switch(
    "llm.use_mock", False, "Take the mock where no provider is named.", env=("USE_MOCK_LLM",)
)
LLM_MOCK_URL = _text("llm.mock_url", "", "A mock LLM that already runs.", env=("MOCK_LLM_SERVER_URL",))
LLM_RECORDER = _text(
    "llm.recorder", "", "What recordings do.", env=("RECORDER_MODE",), choices=("", "replay", "record")
)
LLM_FAIL_ON_REAL_CALL = _switch(
    "llm.fail_on_real_call",
    False,
    "Refuse every call to a paid provider.",
    env=("FAIL_ON_REAL_API_CALL",),
    loosens="off",
)
LLM_NUM_THREAD = _whole(
    "llm.num_thread", 0, "Threads of a model; 0 leaves it to Ollama, and one core free on one that we start."
)
LLM_KEEP_ALIVE = _text(
    "llm.keep_alive", "", "How long Ollama keeps a model after a request, as 10m; empty leaves it to Ollama."
)
LLM_LOAD_TIMEOUT_S = _number("llm.load_timeout_s", 900.0, "How long loading a model may take.")
LLM_FIRST_TOKEN_TIMEOUT_S = _number(
    "llm.first_token_timeout_s", 300.0, "How long an answer may take to begin, and be silent."
)
LLM_ANSWER_TIMEOUT_S = _number("llm.answer_timeout_s", 600.0, "How long an answer may take in all.")
OPENAI_KEY = _text("llm.openai_api_key", "", "OpenAI key.", env=("OPENAI_API_KEY",), secret=True)
ANTHROPIC_KEY = _text("llm.anthropic_api_key", "", "Anthropic key.", env=("ANTHROPIC_API_KEY",), secret=True)
EMBEDDING_PROVIDER = _text(
    "embedding.provider",
    "",
    "Which provider embeds; empty is the LLM's.",
    env=("EMBEDDING_PROVIDER",),
    choices=PROVIDERS,
)
EMBEDDING_MODEL = _text("embedding.model", "all-minilm", "Embedding model.")
EMBEDDING_TIMEOUT_S = _number(
    "embedding.timeout_s", 120.0, "How long one batch of embeddings may take, the model being loaded."
)

MODELS_SET = _text(
    "models.set",
    "",
    "Set of models.lock.json that models come from which nobody names; empty is its default.",
)
MOCK_ANY_MODEL = _switch("mock.any_model", False, "Let the mock answer for every model that a client names.")
MOCK_MODELS: Setting[dict[str, dict[str, Any]]] = _define(
    Setting(
        key="mock.models",
        kind=dict,
        default={},
        reader=read_models,
        help="Models that the mock answers for beside those of the lock; a table by name, in the environment as JSON.",
    )
)

BUDGET_RUN_USD = _number(
    "budget.run_usd",
    0.0,
    "Paid calls of one run, USD.",
    env=("TEST_COST_BUDGET_USD", "E2E_COST_LIMIT"),
    loosens="more",
)
BUDGET_DAILY_USD = _number(
    "budget.daily_usd", 0.0, "Paid calls of a day, USD.", env=("DAILY_COST_LIMIT_USD",), loosens="more"
)
BUDGET_MONTHLY_USD = _number("budget.monthly_usd", 0.0, "Paid calls of a month, USD.", loosens="more")
BUDGET_REQUEST_TOKENS = _whole(
    "budget.request_tokens", 1000, "Tokens of one request.", env=("MAX_TOKENS_PER_REQUEST",), loosens="more"
)
RATE_LIMIT_ENABLED = _switch(
    "rate_limit.enabled", True, "Limit requests per user.", env=("RATE_LIMIT_ENABLED",), loosens="off"
)
RATE_LIMIT_MINUTE = _whole("rate_limit.per_minute", 120, "Requests of one user in a minute.", loosens="more")
RATE_LIMIT_HOUR = _whole("rate_limit.per_hour", 2000, "Requests of one user in an hour.", loosens="more")

POSTGRES_URL = _text("postgres.url", "", "A Postgres that already runs.", env=("DATABASE_URL",), secret=True)
REDIS_URL = _text("redis.url", "", "A Redis or Valkey that already runs.", env=("REDIS_URL",), secret=True)
QDRANT_URL = _text(
    "qdrant.url",
    "",
    "A Qdrant that already runs; memory:// is embedded and temporary.",
    env=("QDRANT_URL", "VECTOR_DB_URL"),
)
QDRANT_API_KEY = _text("qdrant.api_key", "", "Key of that Qdrant.", env=("QDRANT_API_KEY",), secret=True)
OLLAMA_URL = _text("ollama.url", "", "An Ollama that already runs.", env=("OLLAMA_HOST",))

STACK_KIND = _text(
    "stack.kind", "attached", "Where services come from.", choices=("embedded", "containers", "attached")
)
STACK_DEFAULT_PORTS = _switch("stack.default_ports", True, "Look for services on their default ports.")
STACK_READY_TIMEOUT_S = _number(
    "stack.ready_timeout_s", 0.0, "How long a start may take; 0 takes the pins' limits."
)
STACK_POSTGRES_PASSWORD = _text(
    "stack.postgres_password",
    "",
    "Password of the Postgres that ragbed starts; empty makes a random one for each stack.",
    secret=True,
    loosens="given",
)
STACK_REDIS_PASSWORD = _text(
    "stack.redis_password",
    "",
    "Password of the Redis that ragbed starts; empty makes a random one for each stack.",
    secret=True,
    loosens="given",
)
GUARD_ALLOWED_HOSTS = _text(
    "guard.allowed_hosts",
    "",
    "Hosts beside loopback that local and CI tiers may reach, comma-separated.",
    loosens="given",
)
SERVE_ALLOWED_NAMES = _text(
    "serve.allowed_names",
    "",
    "Host names beside loopback by which clients and web pages may call our servers, comma-separated.",
    loosens="given",
)
PIPELINE_CHUNK_TOKENS = _whole("pipeline.chunk_tokens", 200, "Budget of a chunk, in estimated tokens.")
PIPELINE_BATCH_SIZE = _whole("pipeline.batch_size", 50, "Chunks that are embedded and written together.")
PIPELINE_TOP_K = _whole("pipeline.top_k", 5, "Passages that a question gets.")
CACHE_TTL_S = _whole("cache.ttl_s", 3600, "How long embeddings stay cached.", env=("CACHE_TTL_SECONDS",))
LOG_LEVEL = _text(
    "log.level",
    "WARNING",
    "What is logged.",
    env=("LOG_LEVEL",),
    choices=("DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL"),
)
METRICS_ENABLED = _switch("metrics.enabled", True, "Expose metrics.", env=("METRICS_ENABLED",))
DEBUG = _switch("app.debug", False, "Show more when something fails.", env=("DEBUG",))
TEST_MODE = _switch("app.test_mode", False, "Tell the application it is under test.", env=("TEST_MODE",))
SECRET_KEY = _text("app.secret_key", "", "Key that signs sessions.", env=("SECRET_KEY",), secret=True)
TEST_ENV = _text("app.test_env", "", "Name of the environment under test.", env=("TEST_ENV",))
STAGING_URL = _text("staging.url", "", "Where staging answers.", env=("STAGING_URL",))
STAGING_DATABASE_URL = _text(
    "staging.database_url", "", "Staging's Postgres.", env=("STAGING_DATABASE_URL",), secret=True
)
STAGING_REDIS_URL = _text(
    "staging.redis_url", "", "Staging's Redis.", env=("STAGING_REDIS_URL",), secret=True
)
STAGING_OPENAI_KEY = _text(
    "staging.openai_key", "", "Staging's OpenAI key.", env=("STAGING_OPENAI_KEY",), secret=True
)
STAGING_ANTHROPIC_KEY = _text(
    "staging.anthropic_key", "", "Staging's Anthropic key.", env=("STAGING_ANTHROPIC_KEY",), secret=True
)
