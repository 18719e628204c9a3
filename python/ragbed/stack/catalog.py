"""The four services of a stack, a record each: addresses, clients, how a private one is found and started."""

from __future__ import annotations

import json
import signal
from typing import TYPE_CHECKING

from ragbed.guard.stores import OllamaStore, PostgresStore, QdrantStore, RedisStore
from ragbed.settings import definitions as known
from ragbed.stack.cores import threads_beside_others
from ragbed.stack.kinds import Client, ServiceKind, Wanted
from ragbed.stack.section import (
    LLM_NUM_THREAD,
    MOCK_ANY_MODEL,
    MOCK_MODELS,
    STACK_POSTGRES_PASSWORD,
    STACK_REDIS_PASSWORD,
)
from ragbed.stack.services.ollama import OllamaStarter
from ragbed.stack.services.ollama_loading import LoadPolicy
from ragbed.stack.services.postgres import DATABASE, USER, PostgresStarter, forget_unfinished_template
from ragbed.stack.services.qdrant import QdrantStarter
from ragbed.stack.services.redis import RedisStarter

if TYPE_CHECKING:
    from collections.abc import Callable

    from ragbed.guard import Probe
    from ragbed.settings import Settings

DOCUMENTED_PASSWORD = "ragbed"  # noqa: S105 - in the documentation


def _without_key(store: Callable[..., Probe]) -> Client:
    """Return the client of a service that takes no key beside its address."""

    def client(url: str, *, api_key: str = "", timeout_s: float = 2.0) -> Probe:  # noqa: ARG001 - as all clients
        return store(url, timeout_s=timeout_s)

    return client


def _qdrant_starter(wanted: Wanted) -> QdrantStarter:
    return QdrantStarter(allow_real=not wanted.settings[known.QDRANT_URL].startswith("memory:"))


def _ollama_starter(wanted: Wanted) -> OllamaStarter:
    embedding, chat = wanted.models
    loading = LoadPolicy(
        timeout_s=wanted.settings[known.LLM_LOAD_TIMEOUT_S],
        num_thread=wanted.settings[LLM_NUM_THREAD] or threads_beside_others(),
        events=wanted.events,
    )
    return OllamaStarter(
        embedding=embedding,
        chat=chat,
        own_models=wanted.folder.models,
        loading=loading,
        allow_real=wanted.llm.provider == "ollama",
        allow_mock=wanted.llm.provider == "mock" or wanted.llm.may_fall_back,
        mock_environ=_mock_environ(wanted.settings),
    )


def _mock_environ(settings: Settings) -> dict[str, str]:
    """Return what the mock is told: it may be started in another folder than the project's."""
    models, any_model = settings[MOCK_MODELS], settings[MOCK_ANY_MODEL]
    declared = {MOCK_MODELS.own_variable: json.dumps(models)} if models else {}
    return {**declared, MOCK_ANY_MODEL.own_variable: str(any_model).lower()}


POSTGRES = ServiceKind(
    name="postgres",
    url=known.POSTGRES_URL,
    schemes=("postgresql", "postgres"),
    # devenv's Postgres: the Nix store and a checked-in file hold no secrets, so its password is the documented one.
    default_url=f"postgresql://{USER}:{DOCUMENTED_PASSWORD}@127.0.0.1:{{port}}/{DATABASE}",
    client_port=5432,
    client=_without_key(PostgresStore),
    starter=lambda _: PostgresStarter(),
    has_driver=True,
    password=STACK_POSTGRES_PASSWORD,
    stop_signal=signal.SIGINT,  # "fast": ends sessions, keeps what was committed
    forget_unfinished=forget_unfinished_template,
)
REDIS = ServiceKind(
    name="redis",
    url=known.REDIS_URL,
    schemes=("redis", "rediss"),
    default_url="redis://127.0.0.1:{port}/0",
    client_port=6379,
    client=_without_key(RedisStore),
    starter=lambda _: RedisStarter(),
    password=STACK_REDIS_PASSWORD,
)
QDRANT = ServiceKind(
    name="qdrant",
    url=known.QDRANT_URL,
    schemes=("http", "https"),
    default_url="http://127.0.0.1:{port}",
    client_port=6333,
    client=QdrantStore,
    starter=_qdrant_starter,
    is_http=True,
    key=known.QDRANT_API_KEY,
    substitute_named_by="QDRANT_URL",
)
OLLAMA = ServiceKind(
    name="ollama",
    url=known.OLLAMA_URL,
    schemes=("http", "https"),
    default_url="http://127.0.0.1:{port}",
    client_port=11434,
    client=_without_key(OllamaStore),
    starter=_ollama_starter,
    scheme_ports={"http": 80, "https": 443},
    is_http=True,
    has_marker=False,
    is_llm=True,
    substitute_named_by="MOCK_LLM_SERVER_URL or OLLAMA_HOST",
    mock_url=known.LLM_MOCK_URL,
)

BUILT_IN = (POSTGRES, REDIS, QDRANT, OLLAMA)
"""In the order that reports show them."""
