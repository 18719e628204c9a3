"""A project's own pin files say the same to Nix and to Python: whole, in part, and where they are wrong."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from ragbed.errors import PinFileError
from ragbed.pins import load_model_lock, load_stack_pins
from sample_models import sample_model, write_lock_of

if TYPE_CHECKING:
    from nix_command import Nix

ROOT = Path(__file__).resolve().parents[2]
OURS = json.loads((ROOT / "models.lock.json").read_text(encoding="utf-8"))
MODELS = OURS["models"]
ONE = "all-minilm:latest"
ALONE = {"schema": 1, "default": "only", "sets": {"only": [ONE]}, "models": {ONE: MODELS[ONE]}}
PARTS = {
    "nothing": {},
    "default": {"default": "large"},
    "set": {"sets": {"own": [ONE]}},
    "set-of-ours": {"sets": {"small": [ONE]}},
    "model": {"models": {ONE: {**MODELS[ONE], "dimensions": 7}}},
    "sets-and-models": {key: ALONE[key] for key in ("schema", "sets", "models")},
}
WRONG = {
    "whole-without-schema": {key: value for key, value in ALONE.items() if key != "schema"},
    "whole-with-unknown-key": {**ALONE, "extra": 1},
    "whole-with-text-for-sets": {**ALONE, "sets": "only"},
    "part-with-unknown-key": {"extra": 1},
    "part-of-a-model": {"models": {ONE: {"digest": f"sha256:{'0' * 64}"}}},
    "other-schema": {**ALONE, "schema": 2},
}
STACKS = {
    "port": "[services.qdrant]\nport = 7333\n",
    "accept": '[services.redis.accept]\nredis = ">=7,<9"\n',
    "channel": '[services.redis.channels.nix]\nattribute = "valkey"\nversion = "8.0.1"\n',
    "whole": (ROOT / "stack.toml").read_text(encoding="utf-8").replace("port = 6379", "port = 7379"),
}


@pytest.fixture
def lock(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The lock that the project names, still to be written."""
    monkeypatch.setenv("RAGBED_MODELS_LOCK", str(tmp_path / "models.lock.json"))
    return tmp_path / "models.lock.json"


def read_by_nix(nix: Nix, lock: Path) -> dict[str, Any]:
    """Return default, sets and models of a project's lock as Nix reads it."""
    models = f"(import ./nix/lib {{ lockFile = {lock}; }}).models"
    value: dict[str, Any] = nix.eval(
        f"""let models = {models}; in {{
              inherit (models) default sets;
              models = builtins.listToAttrs (map (one: {{
                name = one.fullName;
                value = {{ inherit (one) digest; dimensions = one.dimensions or null; }};
              }}) models.all);
            }}"""
    )
    return value


def read_by_python(lock: Path) -> dict[str, Any]:
    """Return the same of the lock in force, which is that file."""
    own = load_model_lock()
    assert own.path == lock
    return {
        "default": own.default,
        "sets": {name: list(members) for name, members in own.sets.items()},
        "models": {
            name: {"digest": pin.digest, "dimensions": pin.dimensions} for name, pin in own.models.items()
        },
    }


def test_a_whole_lock_counts_alone_for_both(nix: Nix, lock: Path) -> None:
    """A lock with `default`, `sets` and `models` is not completed by ours."""
    lock.write_text(json.dumps(ALONE), encoding="utf-8")

    seen = read_by_nix(nix, lock)

    assert seen == read_by_python(lock)
    assert (seen["default"], seen["sets"], list(seen["models"])) == ("only", {"only": [ONE]}, [ONE])


def test_a_whole_lock_of_another_model_counts_alone_for_both(nix: Nix, lock: Path) -> None:
    """None of our models is there beside it."""
    write_lock_of(lock, sample_model())

    seen = read_by_nix(nix, lock)

    assert seen == read_by_python(lock)
    assert list(seen["models"]) == ["tiny:latest"]


@pytest.mark.parametrize("name", PARTS)
def test_a_part_of_a_lock_is_completed_by_ours_for_both(nix: Nix, lock: Path, name: str) -> None:
    """All our models are there; what the part says is in their place."""
    lock.write_text(json.dumps(PARTS[name]), encoding="utf-8")

    seen = read_by_nix(nix, lock)

    assert seen == read_by_python(lock)
    assert set(seen["models"]) == set(MODELS)


@pytest.mark.parametrize("name", WRONG)
def test_a_wrong_lock_is_refused_by_both(nix: Nix, lock: Path, name: str) -> None:
    """Neither reads it half; both name the file."""
    lock.write_text(json.dumps(WRONG[name]), encoding="utf-8")

    with pytest.raises(PinFileError, match=r"models\.lock\.json"):
        load_model_lock()

    assert "models.lock.json" in nix.refusal(f"(import ./nix/lib {{ lockFile = {lock}; }}).models.all")


@pytest.mark.parametrize("name", STACKS)
def test_a_stack_file_is_laid_over_ours_by_both(
    nix: Nix, tmp_path: Path, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whole or in part: key by key, a channel as one."""
    path = tmp_path / "stack.toml"
    path.write_text(STACKS[name], encoding="utf-8")
    monkeypatch.setenv("RAGBED_STACK_FILE", str(path))

    seen = nix.eval(f"(import ./nix/lib {{ stackFile = {path}; }}).services")

    assert seen != nix.eval("(import ./nix/lib { }).services")
    assert seen == {
        service: {
            "port": pin.port,
            "accept": dict(pin.accept),
            "readyTimeout": math.ceil(pin.ready_timeout_s),
            "attribute": pin.channels.nix.attribute,
            "version": pin.channels.nix.version,
        }
        for service, pin in load_stack_pins().services.items()
    }
