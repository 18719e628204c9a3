"""`compose.yaml`, made from the pins: which images, on which ports, healthy when, in which profile."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import yaml

from ragbed.containers.probes import http_probe, postgres_probe, redis_probe

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ragbed.pins import ServicePins, StackPins

TEST_PORTS = {"postgres": 5433, "redis": 6380, "mock-llm": 8001}
"""Of the profile `test`, which runs beside the others."""

PROJECT = "ragbed"
NAME = "compose.yaml"
OVERRIDE = "compose.local.yaml"
_PLACES = {
    "postgres": "postgresql://ragbed:ragbed@postgres:5432/ragbed",
    "redis": "redis://redis:6379/0",
    "qdrant": "http://qdrant:6333",
}
_SET_UP = "ragbed adopt --yes --started-by compose {stores} && ragbed migrate"
_APP_STATE = "app_state:/var/lib/ragbed/.ragbed"
_HEADER = """\
# Written by `ragbed compose` from stack.toml: change that, and write it anew.
#   docker compose --profile mock up --wait    Postgres, Redis, Qdrant, the mock LLM, the app
#   docker compose --profile live up --wait    the same with Ollama
#   docker compose --profile test up --wait    Postgres, Redis and the mock LLM, on ports of their own, in memory
# Then ./scripts/seed, and `ragbed smoke` uses what runs.
"""
_OVERRIDE_HEADER = """\
# Written by `ragbed compose --images local`: the images of scripts/build-images in place of upstream's.
#   docker compose --file compose.yaml --file compose.local.yaml --profile mock up --wait
"""


def compose_text(pins: StackPins) -> str:
    """Return `compose.yaml` for these pins."""
    document = {
        "name": PROJECT,
        "services": _services(pins),
        "volumes": {"postgres_data": {}, "qdrant_data": {}, "ollama_models": {}, "app_state": {}},
    }
    return _HEADER + _yaml(document)


def override_text(pins: StackPins, images: Mapping[str, str]) -> str:
    """Return the file that has local images in place of upstream's, and asks more often whether they are well.

    Args:
        pins: Of the compose file that is overridden.
        images: Reference and digest by the image's name, for example `postgres`.
    """
    services: dict[str, Any] = {}
    for name, service in _services(pins).items():
        image = images[_image_name(name)]
        checked = {"healthcheck": {"interval": "1s", "retries": 60}} if "healthcheck" in service else {}
        services[name] = {"image": image, "pull_policy": "never", **checked}
    return _OVERRIDE_HEADER + _yaml({"services": services})


def _services(pins: StackPins) -> dict[str, Any]:
    dev, test = ["live", "mock"], ["test"]
    return {
        "postgres": _postgres(pins["postgres"], dev, pins["postgres"].port, data="postgres_data"),
        "redis": _redis(pins["redis"], dev, pins["redis"].port),
        "qdrant": _qdrant(pins["qdrant"], dev),
        "ollama": _ollama(pins["ollama"], ["live"]),
        "mock-llm": _mock_llm(pins["ollama"]),
        "setup": _set_up(["live"], llm="ollama"),
        "setup-mock": _set_up(["mock"], llm="mock-llm"),
        "app": _app(pins, ["live"], llm="ollama", after="setup"),
        "app-mock": _app(pins, ["mock"], llm="mock-llm", after="setup-mock"),
        "postgres-test": _postgres(pins["postgres"], test, TEST_PORTS["postgres"], data=""),
        "redis-test": _redis(pins["redis"], test, TEST_PORTS["redis"]),
    }


def _postgres(pins: ServicePins, profiles: list[str], port: int, *, data: str) -> dict[str, Any]:
    # In memory at a path of its own: over a volume of the image, Docker gives the folder to root.
    place = "/var/lib/postgresql" if data else "/run/postgres-data"
    return {
        **_common(pins, profiles, "postgres", port, 5432, test=not data),
        "command": ["postgres", "-c", f"max_connections={pins.limits.connections}"],
        "environment": {
            "POSTGRES_USER": "ragbed",
            "POSTGRES_PASSWORD": "ragbed",
            "POSTGRES_DB": "ragbed",
            "PGDATA": f"{place}/ragbed",
        },
        **({"volumes": [f"{data}:{place}"]} if data else {"tmpfs": [f"{place}:mode=1777"]}),
        "shm_size": "128m",
        "healthcheck": _health(postgres_probe("ragbed", "ragbed")),
    }


def _redis(pins: ServicePins, profiles: list[str], port: int) -> dict[str, Any]:
    test = profiles == ["test"]
    return {
        **_common(pins, profiles, "redis", port, 6379, test=test),
        "command": ["redis-server", "--save", "", "--maxclients", str(pins.limits.connections)],
        "healthcheck": _health(redis_probe()),
    }


def _qdrant(pins: ServicePins, profiles: list[str]) -> dict[str, Any]:
    return {
        **_common(pins, profiles, "qdrant", pins.port, 6333),
        "environment": {"QDRANT__TELEMETRY_DISABLED": "true", "RAGBED_SERVE__ALLOWED_NAMES": "qdrant"},
        "volumes": ["qdrant_data:/qdrant/storage"],
        "healthcheck": _health(http_probe(6333, "/readyz")),
    }


def _ollama(pins: ServicePins, profiles: list[str]) -> dict[str, Any]:
    return {
        **_common(pins, profiles, "ollama", pins.port, 11434),
        "environment": {"OLLAMA_HOST": "0.0.0.0:11434", "OLLAMA_MODELS": "/models", "OLLAMA_NO_CLOUD": "1"},
        "volumes": ["ollama_models:/models"],
        "healthcheck": _health(http_probe(11434, "/api/version")),
    }


def _mock_llm(pins: ServicePins) -> dict[str, Any]:
    return {
        **_built("mock-llm", ["mock", "test"]),
        "environment": {"RAGBED_SERVE__ALLOWED_NAMES": "mock-llm"},
        "ports": [_port("mock-llm", TEST_PORTS["mock-llm"], 11434)],
        "volumes": ["${RAGBED_RECORDINGS:-./tests/recordings}:/recordings"],
        "mem_limit": f"{min(512, pins.limits.memory_mb)}m",
        "healthcheck": _health(http_probe(11434, "/api/version")),
    }


def _set_up(profiles: list[str], *, llm: str) -> dict[str, Any]:
    """Return the service that lets the app's project write to the stores that this file creates, and then ends."""
    return {
        **_built("app", profiles),
        "command": ["sh", "-c", _SET_UP.format(stores=" ".join(_PLACES.values()))],
        "environment": _environment(llm),
        "volumes": [_APP_STATE],
        "depends_on": {name: {"condition": "service_healthy"} for name in _PLACES},
        "mem_limit": "512m",
    }


def _app(pins: StackPins, profiles: list[str], *, llm: str, after: str) -> dict[str, Any]:
    return {
        **_built("app", profiles),
        "command": ["ragbed", "serve", "--port", str(pins.app.port)],
        "environment": {**_environment(llm), "RAGBED_SERVE__ALLOWED_NAMES": "app"},
        "ports": [_port("app", pins.app.port, pins.app.port)],
        "volumes": [_APP_STATE],
        "depends_on": {
            after: {"condition": "service_completed_successfully"},
            llm: {"condition": "service_healthy"},
        },
        "mem_limit": "1024m",
        "healthcheck": _health(http_probe(pins.app.port, "/health")),
    }


def _environment(llm: str) -> dict[str, str]:
    mocked = {"MODEL_PROVIDER": "mock", "MOCK_LLM_SERVER_URL": "http://mock-llm:11434"}
    return {
        "DATABASE_URL": _PLACES["postgres"],
        "REDIS_URL": _PLACES["redis"],
        "QDRANT_URL": _PLACES["qdrant"],
        "RAGBED_GUARD__ALLOWED_HOSTS": ",".join([*_PLACES, llm]),
        **(
            mocked
            if llm == "mock-llm"
            else {"MODEL_PROVIDER": "ollama", "OLLAMA_HOST": "http://ollama:11434"}
        ),
    }


def _common(
    pins: ServicePins, profiles: list[str], name: str, port: int, inside: int, *, test: bool = False
) -> dict[str, Any]:
    image = pins.channels.image
    return {
        "image": f"{image.reference}@{image.digest}",
        "profiles": profiles,
        "ports": [_port(f"{name}-test" if test else name, port, inside)],
        "mem_limit": f"{pins.limits.memory_mb}m",
    }


def _built(target: str, profiles: list[str]) -> dict[str, Any]:
    return {"image": f"{PROJECT}/{target}", "build": {"context": ".", "target": target}, "profiles": profiles}


def _port(name: str, port: int, inside: int) -> str:
    variable = f"RAGBED_{name.upper().replace('-', '_')}_PORT"
    return f"127.0.0.1:${{{variable}:-{port}}}:{inside}"


def _image_name(service: str) -> str:
    """Return the name of the image of a service: several may have the same."""
    name = service.removesuffix("-test").removesuffix("-mock")
    return "app" if name == "setup" else name


def _health(test: list[str]) -> dict[str, Any]:
    return {"test": test, "interval": "10s", "timeout": "5s", "retries": 5}


class _Dumper(yaml.SafeDumper):
    """Writes lists indented below their key, and repeats what occurs twice."""

    def increase_indent(self, flow: bool = False, indentless: bool = False) -> None:
        del indentless
        super().increase_indent(flow, False)

    def ignore_aliases(self, data: Any) -> bool:
        del data
        return True


def _yaml(document: Mapping[str, Any]) -> str:
    return yaml.dump(document, Dumper=_Dumper, sort_keys=False, width=200)
