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
        ["services.qdrant.settings.service sets an address", "Set those instead"],
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

    assert (
        f"services.qdrant.package is 1.9.0, outside what ragbed accepts: embedded-qdrant {accepted}"
        in message
    )
    assert 'inputs.nixpkgs.follows = "ragbed/nixpkgs"' in message


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
