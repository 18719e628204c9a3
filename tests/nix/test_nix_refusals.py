"""Wrong values of the modules' options: refused by the option's name and the way out."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest
from evaluated import complaints
from nix_command import ROOT

from ragbed.pins import load_stack_pins

if TYPE_CHECKING:
    from pathlib import Path

    from nix_command import Nix

REFUSALS = {
    "qdrant on every address": (
        '{ services.qdrant.host = "0.0.0.0"; }',
        ["services.qdrant.host is 0.0.0.0", "Set it to 127.0.0.1 or ::1"],
    ),
    "a name as qdrant's address": (
        '{ services.qdrant.host = "localhost"; }',
        ["services.qdrant.host is localhost", "Set it to 127.0.0.1 or ::1"],
    ),
    "qdrant's two ports the same": (
        "{ services.qdrant = { httpPort = 7000; grpcPort = 7000; }; }",
        [
            "services.qdrant.grpcPort and services.qdrant.httpPort are both 7000",
            "Set services.qdrant.grpcPort",
        ],
    ),
    "qdrant's address in its settings": (
        "{ services.qdrant.settings.service.http_port = 7000; }",
        ["services.qdrant.settings sets service.http_port", "Set services.qdrant.host, httpPort"],
    ),
    "qdrant's folder in its settings": (
        '{ services.qdrant.settings.storage.storage_path = "/data"; }',
        ["services.qdrant.settings sets storage.storage_path", "httpPort, grpcPort or dataDir instead"],
    ),
    "tls, which no address of qdrant's says": (
        "{ services.qdrant.settings.service.enable_tls = true; }",
        ["services.qdrant.settings sets service.enable_tls", "telemetry and TLS are off"],
    ),
    "a further qdrant on every address": (
        '{ services.qdrant.instances.b = { httpPort = 7000; host = "0.0.0.0"; }; }',
        ["services.qdrant.instances.b.host is 0.0.0.0", "services.ragbed.exposed"],
    ),
    "a socket of postgres": (
        '{ services.postgres.listen_addresses = ""; }',
        ["services.postgres.listen_addresses is empty", "a socket only", "Set it to 127.0.0.1 or ::1"],
    ),
    "two addresses of postgres": (
        '{ services.postgres.listen_addresses = "127.0.0.1,::1"; }',
        ["services.postgres.listen_addresses is 127.0.0.1,::1", "Set it to 127.0.0.1 or ::1"],
    ),
    "postgres' files elsewhere": (
        '{ services.postgres.settings.data_directory = "/data"; }',
        ["services.postgres.settings sets data_directory", "Leave it out"],
    ),
    "redis on every address": (
        "{ services.redis.bind = null; }",
        ["services.redis.bind is 0.0.0.0", 'name "redis" in services.ragbed.exposed'],
    ),
    "a socket of redis": (
        "{ services.redis.port = 0; }",
        ["services.redis.port is 0", "REDIS_URL", "Set services.redis.port"],
    ),
    "a password of redis in its further lines": (
        '{ services.redis.extraConfig = "maxmemory 64mb\\nrequirepass secret"; }',
        ["services.redis.extraConfig sets requirepass", "Set services.redis.port"],
    ),
    "qdrant by address and started": (
        '{ services.ragbed.urls.qdrant = "http://127.0.0.1:7000"; services.qdrant.enable = true; }',
        ["services.ragbed.urls.qdrant is given", "services.qdrant.enable", "Leave out one"],
    ),
    "the rag api without a store": (
        "{ services.redis.enable = false; }",
        [
            "services.ragbed.api needs redis",
            "services.ragbed.urls.redis",
            "services.ragbed.api.enable = false",
        ],
    ),
    "no ragbed": (
        "{ services.ragbed.package = null; }",
        ["`ragbed`, which is not in this shell", "services.ragbed.package", "services.ragbed.command"],
    ),
    "models to get, and none named": (
        '{ services.ollama.instances.b = { port = 7001; modelsFrom = "store"; }; }',
        ['services.ollama.instances.b.modelsFrom = "store"', "names none to get"],
    ),
    "a registry for what asks none": (
        '{ services.ollama = { modelsFrom = "ragbed"; registry = "file:///mnt"; }; }',
        ['services.ollama.registry is for services.ollama.modelsFrom = "store"', "models.registry"],
    ),
    "an acceleration that the package overrules": (
        '({ pkgs, ... }: { services.ollama = { acceleration = "cuda"; package = pkgs.ollama-rocm; }; })',
        ["services.ollama.package is set", 'services.ollama.acceleration = "cuda"', "Leave out one"],
    ),
    "ollama on every address": (
        '{ services.ollama.host = "0.0.0.0"; }',
        ["services.ollama.host is 0.0.0.0", "Set it to 127.0.0.1 or ::1"],
    ),
    "a model that is not pinned": (
        '{ services.ollama.models = [ "nosuch:1b" ]; }',
        ["services.ollama.models names nosuch:1b", "ragbed models lock NAME", "all-minilm:latest"],
    ),
    "models that nothing gets": (
        '{ services.ollama.modelsFrom = "none"; }',
        ['services.ollama.modelsFrom = "none"', 'Set services.ollama.modelsFrom to "store" or "ragbed"'],
    ),
    "ollama's address in its settings": (
        '{ services.ollama.settings.OLLAMA_HOST = "0.0.0.0"; }',
        ["services.ollama.settings sets OLLAMA_HOST", "Set services.ollama.host"],
    ),
    "ollama's home in its settings": (
        '{ services.ollama.settings.HOME = "/root"; }',
        ["services.ollama.settings sets HOME", "dataDir"],
    ),
}


@pytest.mark.parametrize("case", REFUSALS)
def test_a_wrong_value_is_refused_with_the_option_and_the_way_out(nix: Nix, case: str) -> None:
    """One assertion fails, and its message names both."""
    module, said = REFUSALS[case]

    messages = complaints(nix, module)

    assert len(messages) == 1
    assert [part for part in said if part not in messages[0]] == []


def test_acceleration_that_needs_linux_is_refused_on_macos(nix: Nix) -> None:
    """The message says that Metal is used all the same."""
    (message,) = complaints(
        nix, '{ services.ollama.acceleration = "cuda"; }', more='system = "aarch64-darwin";'
    )

    assert 'services.ollama.acceleration = "cuda" needs Linux' in message
    assert "Metal" in message


def test_a_package_outside_the_accepted_range_is_refused(nix: Nix) -> None:
    """Another project's nixpkgs may be older or newer than ragbed accepts."""
    accepted = load_stack_pins(ROOT / "stack.toml")["qdrant"].accept["embedded-qdrant"]

    (message,) = complaints(nix, "{ }", more='versions.qdrant = "1.9.0";')

    outside = f"outside what ragbed accepts: embedded-qdrant {accepted}"
    assert f"services.qdrant.package is qdrant 1.9.0, {outside}" in message
    assert "services.ragbed.accept.qdrant" in message
    assert 'inputs.nixpkgs.follows = "ragbed/nixpkgs"' in message


VALKEY = """({ pkgs, ... }: {
    services.redis.package = pkgs.redis // { pname = "valkey"; version = "%s"; };
})"""


@pytest.mark.parametrize(("version", "fits"), [("9.1.2", True), ("7.2.4", False)])
def test_valkey_is_judged_as_valkey(nix: Nix, version: str, fits: bool) -> None:
    """It starts as `redis-server` too, and Redis' range says nothing of it."""
    messages = complaints(nix, VALKEY % version)

    assert (messages == []) == fits
    assert all(f"services.redis.package is valkey {version}" in one for one in messages)


def test_what_is_exposed_by_name_may_listen_elsewhere(nix: Nix) -> None:
    """Its clients on this machine still call it by loopback."""
    module = '{ services.qdrant.host = "0.0.0.0"; services.ragbed.exposed = [ "qdrant" ]; }'

    assert complaints(nix, module) == []
    url = nix.eval(
        f"(import ./tests/nix/mini {{ modules = [ ./devenv.nix {module} ]; }}).shown.env.QDRANT_URL"
    )
    assert url.startswith("http://127.0.0.1:")


def test_a_set_without_an_embedding_model_is_refused(nix: Nix, tmp_path: Path) -> None:
    """The message names the option, the sets and the command that adds one."""
    value = json.loads((ROOT / "models.lock.json").read_text())
    value["sets"]["chats"] = ["qwen2.5:0.5b"]
    lock = tmp_path / "models.lock.json"
    lock.write_text(json.dumps(value))

    (message,) = complaints(
        nix, f'{{ services.ollama.lockFile = {lock}; services.ragbed.modelSet = "chats"; }}'
    )

    assert 'services.ragbed.modelSet = "chats" has no embedding model' in message
    assert "Name another of chats, full, large, small" in message
    assert "ragbed models lock NAME --set chats" in message
