"""Settings that the stack reads: where services come from, and what the mock LLM that it starts is told."""

from __future__ import annotations

from typing import Any

from ragbed.settings.mock_models import read_models
from ragbed.settings.setting import Setting, number, switch, text, whole
from ragbed.stack.launcher_setting import read_launchers

STACK_LAUNCHER = text(
    "stack.launcher",
    "attach",
    "How services are started that no other program runs; attach starts none.",
    choices=("attach", "process", "container"),
    old_choices=(("attached", "attach"), ("embedded", "process"), ("containers", "container")),
    old_key="stack.kind",
    env=("RAGBED_STACK__KIND",),
)
STACK_LAUNCHERS: Setting[dict[str, str]] = Setting(
    key="stack.launchers",
    kind=dict,
    default={},
    reader=read_launchers,
    help="Launchers of single services, a table or `postgres=container,redis=process`; others take stack.launcher.",
)
STACK_DEFAULT_PORTS = switch("stack.default_ports", True, "Look for services on their default ports.")
STACK_READY_TIMEOUT_S = number(
    "stack.ready_timeout_s", 0.0, "How long a start may take; 0 takes the pins' limits."
)
STACK_REUSE = switch("stack.reuse", False, "Leave containers to later runs; ragbed down --all ends them.")
STACK_REUSE_FOR_S = number("stack.reuse_for_s", 86_400.0, "How long a container is left to later runs.")
STACK_PULL_TIMEOUT_S = number(
    "stack.pull_timeout_s", 900.0, "How long the image of a container may take to be pulled."
)
STACK_POSTGRES_PASSWORD = text(
    "stack.postgres_password",
    "",
    "Password of the Postgres that ragbed starts; empty makes a random one for each stack.",
    secret=True,
    loosens="given",
)
STACK_REDIS_PASSWORD = text(
    "stack.redis_password",
    "",
    "Password of the Redis that ragbed starts; empty makes a random one for each stack.",
    secret=True,
    loosens="given",
)
MOCK_ANY_MODEL = switch("mock.any_model", False, "Let the mock answer for every model that a client names.")
MOCK_MODELS: Setting[dict[str, dict[str, Any]]] = Setting(
    key="mock.models",
    kind=dict,
    default={},
    reader=read_models,
    help="Models that the mock answers for beside those of the lock; a table by name, in the environment as JSON.",
)
LLM_NUM_THREAD = whole(
    "llm.num_thread", 0, "Threads of a model; 0 leaves it to Ollama, and one core free on one that we start."
)
