"""What Nix reads of `stack.toml` and `models.lock.json` is what Python reads."""

from __future__ import annotations

import math
from hashlib import sha256
from typing import TYPE_CHECKING, Any

import pytest
from nix_command import ROOT

from ragbed.pins import load_model_lock, load_stack_pins
from sample_models import sample_model, write_lock_of

if TYPE_CHECKING:
    from pathlib import Path

    from nix_command import Nix

_LIB = "import ./nix/lib { }"
_SHOWN = f"""
  let ragbed = {_LIB}; in {{
    inherit (ragbed) services app;
    sets = ragbed.models.sets;
    digests = builtins.listToAttrs (map (m: {{
      name = m.fullName;
      value = builtins.hashString "sha256" (ragbed.manifest.encode m.manifest);
    }}) ragbed.models.all);
    repositories = map (m: m.repository) ragbed.models.all;
  }}
"""


@pytest.fixture(scope="module")
def seen(nix: Nix) -> dict[str, Any]:
    """The pins as Nix sees them."""
    value: dict[str, Any] = nix.eval(_SHOWN)
    return value


def test_nix_and_python_read_the_same_services(seen: dict[str, Any]) -> None:
    """Port, accepted range, time to be ready, attribute and version of each service are equal."""
    pins = load_stack_pins(ROOT / "stack.toml")

    assert seen["services"] == {
        name: {
            "port": pin.port,
            "accept": dict(pin.accept),
            "readyTimeout": math.ceil(pin.ready_timeout_s),
            "attribute": pin.channels.nix.attribute,
            "version": pin.channels.nix.version,
        }
        for name, pin in pins.services.items()
    }


def test_nix_and_python_read_the_same_port_of_the_application(seen: dict[str, Any]) -> None:
    """The port of the RAG API is one pin for both."""
    assert seen["app"] == {"port": load_stack_pins(ROOT / "stack.toml").app.port}


def test_nix_and_python_write_the_same_manifests(seen: dict[str, Any]) -> None:
    """Every locked model's manifest has the same bytes, and so the pinned digest."""
    models = load_model_lock(ROOT / "models.lock.json").models

    assert seen["digests"] == {
        name: sha256(pin.manifest.encode()).hexdigest() for name, pin in models.items()
    }
    assert all(f"sha256:{seen['digests'][name]}" == pin.digest for name, pin in models.items())


def test_nix_and_python_read_the_same_sets(seen: dict[str, Any]) -> None:
    """The sets and the places of models in a registry are equal."""
    lock = load_model_lock(ROOT / "models.lock.json")

    assert seen["sets"] == {name: list(members) for name, members in lock.sets.items()}
    assert seen["repositories"] == [lock.models[name].repository for name in sorted(lock.models)]


def test_a_manifest_with_origins_and_a_newline_keeps_its_bytes(nix: Nix) -> None:
    """The key `from` comes last in its part, and the newline of a model that Ollama made itself is kept."""
    written = nix.eval(
        """(import ./nix/lib/manifest.nix).encode {
             newline = true;
             config = { mediaType = "a"; digest = "sha256:1"; size = 2; };
             layers = [ { from = "/blobs/x"; size = 4; digest = "sha256:3"; mediaType = "b"; } ];
           }"""
    )

    assert written == (
        '{"schemaVersion":2,"mediaType":"application/vnd.docker.distribution.manifest.v2+json",'
        '"config":{"mediaType":"a","digest":"sha256:1","size":2},'
        '"layers":[{"mediaType":"b","digest":"sha256:3","size":4,"from":"/blobs/x"}]}\n'
    )


def test_a_digest_that_its_parts_do_not_give_is_refused(nix: Nix, tmp_path: Path) -> None:
    """The model, the digest found and the digest computed are named."""
    lock = tmp_path / "models.lock.json"
    write_lock_of(lock, sample_model())
    digest = load_model_lock(lock)["tiny"].digest
    lock.write_text(lock.read_text().replace(digest, "sha256:" + "0" * 64))

    said = nix.refusal(f"(import ./nix/lib {{ lockFile = {lock}; }}).models.all")

    assert f"models.lock.json: models.tiny:latest.digest is sha256:{'0' * 64}" in said
    assert f"its manifest's parts give {digest}" in said


def test_a_model_or_set_that_is_not_locked_is_refused_with_those_that_are(nix: Nix) -> None:
    """What may be written instead is listed."""
    assert "pins no model nosuch:latest; it has: all-minilm:latest, " in nix.refusal(
        f'({_LIB}).models.get "nosuch"'
    )
    assert "has no set huge; it has: full, large, small" in nix.refusal(f'({_LIB}).models.set "huge"')


def test_a_nixpkgs_with_another_version_than_the_pinned_one_is_refused(nix: Nix) -> None:
    """Both versions are named, and the command that moves them together."""
    said = nix.refusal(f'(({_LIB}).package {{ qdrant.version = "9.9.9"; }} "qdrant").version')

    pinned = load_stack_pins(ROOT / "stack.toml")["qdrant"].channels.nix.version
    assert f"this nixpkgs has qdrant 9.9.9, and stack.toml pins {pinned}" in said
    assert "try: scripts/update-pins" in said


def test_a_pin_file_of_another_schema_is_refused(nix: Nix, tmp_path: Path) -> None:
    """A newer form is not half read."""
    path = tmp_path / "stack.toml"
    path.write_text((ROOT / "stack.toml").read_text().replace("schema = 1", "schema = 2"))

    said = nix.refusal(f"(import ./nix/lib {{ stackFile = {path}; }}).services")

    assert "stack.toml: schema is 2, and this ragbed reads schema 1" in said
