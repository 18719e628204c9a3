"""`compose.yaml`: checked in, current, loopback alone, healthy without curl."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
import yaml

from ragbed.containers.compose import compose_text, override_text
from ragbed.containers.workshop import CHECKOUT
from ragbed.pins import load_stack_pins
from ragbed.pins.in_force import our_pin_file

if TYPE_CHECKING:
    from ragbed.pins import StackPins

IMAGES = {name: f"127.0.0.1:5051/ragbed.local/{name}:1@sha256:{'0' * 64}" for name in
          ("postgres", "redis", "qdrant", "ollama", "mock-llm", "app")}  # fmt: skip


@pytest.fixture(scope="module")
def pins() -> StackPins:
    """Ours, whatever the project at hand brings."""
    return load_stack_pins(our_pin_file("stack.toml"))


@pytest.fixture(scope="module")
def services(pins: StackPins) -> dict[str, Any]:
    """The services of the compose file."""
    return dict(yaml.safe_load(compose_text(pins))["services"])


def in_profile(services: dict[str, Any], profile: str) -> set[str]:
    """The services of a profile."""
    return {name for name, service in services.items() if profile in service["profiles"]}


def test_file_is_what_the_pins_give(pins: StackPins) -> None:
    """A changed pin needs `ragbed compose` before it is committed."""
    assert (CHECKOUT / "compose.yaml").read_text(encoding="utf-8") == compose_text(pins)


def test_ports_are_bound_to_loopback(services: dict[str, Any]) -> None:
    """No port is open to other machines."""
    ports = [port for service in services.values() for port in service.get("ports", [])]

    assert ports
    assert all(port.startswith("127.0.0.1:") for port in ports)


def test_pulled_images_are_named_by_digest(services: dict[str, Any], pins: StackPins) -> None:
    """A tag may move; ours are built."""
    for name, service in services.items():
        if "build" not in service:
            assert service["image"].endswith(pins[name.removesuffix("-test")].channels.image.digest)


def test_every_service_is_checked_without_curl_and_limited(services: dict[str, Any]) -> None:
    """Qdrant's and Ollama's images have none."""
    for name, service in services.items():
        assert service["mem_limit"]
        if name.startswith("setup"):
            continue  # ends; the app waits for that
        assert service["healthcheck"]["test"][0] == "CMD"
        assert not {"curl", "wget"} & set(" ".join(service["healthcheck"]["test"]).split())


def test_profiles_have_their_services(services: dict[str, Any]) -> None:
    """`live` has Ollama, `mock` the mock LLM, and `test` no state."""
    assert in_profile(services, "live") == {"postgres", "redis", "qdrant", "ollama", "setup", "app"}
    assert in_profile(services, "mock") == {
        "postgres",
        "redis",
        "qdrant",
        "mock-llm",
        "setup-mock",
        "app-mock",
    }
    assert in_profile(services, "test") == {"postgres-test", "redis-test", "mock-llm"}


@pytest.mark.parametrize(
    ("service", "port"), [("postgres-test", 5433), ("redis-test", 6380), ("mock-llm", 8001)]
)
def test_profile_test_has_the_usual_ports_and_checks(
    services: dict[str, Any], service: str, port: int
) -> None:
    """The field's guides expect these numbers."""
    check = services[service]["healthcheck"]

    assert f":-{port}}}:" in services[service]["ports"][0]
    assert (check["interval"], check["timeout"], check["retries"]) == ("10s", "5s", 5)


def test_recordings_are_mounted(services: dict[str, Any]) -> None:
    """The mock LLM has the folder of recordings."""
    assert services["mock-llm"]["volumes"] == ["${RAGBED_RECORDINGS:-./tests/recordings}:/recordings"]


def test_volumes_bear_the_usual_names(pins: StackPins) -> None:
    """Qdrant's data and Ollama's models outlive their containers."""
    assert {"qdrant_data", "ollama_models"} <= set(yaml.safe_load(compose_text(pins))["volumes"])


def test_override_names_local_images_alone(pins: StackPins, services: dict[str, Any]) -> None:
    """With it nothing is pulled: each service has an image that was built here."""
    override = yaml.safe_load(override_text(pins, IMAGES))["services"]

    assert set(override) == set(services)
    assert {service["image"] for service in override.values()} == set(IMAGES.values())
    assert {service["pull_policy"] for service in override.values()} == {"never"}
