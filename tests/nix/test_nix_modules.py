"""`devenv.nix` and the modules that other projects import: processes, order, readiness, environment, refusals."""

from __future__ import annotations

import json
import subprocess
from typing import TYPE_CHECKING

import pytest
from evaluated import Shown, complaints, evaluate
from nix_command import ROOT

from ragbed.pins import load_model_lock, load_stack_pins

if TYPE_CHECKING:
    from pathlib import Path

    from nix_command import Nix

PINS = load_stack_pins(ROOT / "stack.toml")
BACKING = ["postgres", "redis", "qdrant", "ollama"]


@pytest.fixture(scope="module")
def project(nix: Nix) -> Shown:
    """This repository's `devenv.nix`."""
    return evaluate(nix, "[ ./devenv.nix ]")


@pytest.fixture(scope="module")
def second(nix: Nix) -> Shown:
    """Another project, in five lines of its own."""
    return evaluate(
        nix,
        """[ {
             imports = with (import ./nix/outputs.nix { self = null; nixpkgs = null; devenv = null; }).devenvModules;
               [ qdrant ollama ];
             services.qdrant.enable = true;
             services.ollama = { enable = true; models = [ "all-minilm" ]; };
           } ]""",
    )


def test_the_project_evaluates_without_complaint_or_warning(project: Shown) -> None:
    """No assertion fails, and nothing is warned of."""
    assert (project["failed"], project["warnings"]) == ([], [])


def test_the_project_has_the_pinned_versions(project: Shown) -> None:
    """Each service's package is the one that the Nix channel pins."""
    assert project["services"]["versions"] == {name: PINS[name].channels.nix.version for name in BACKING}


def test_every_process_has_its_pinned_port(project: Shown) -> None:
    """No two processes ask for the same one."""
    ports = {name: process["ports"] for name, process in project["processes"].items() if process["ports"]}

    assert ports == {
        "postgres": {"main": PINS["postgres"].port},
        "redis": {"main": PINS["redis"].port},
        "qdrant": {"http": PINS["qdrant"].port, "grpc": PINS["qdrant"].port + 1},
        "ollama": {"main": PINS["ollama"].port},
        "rag-api": {"http": PINS.app.port},
    }
    flat = [port for one in ports.values() for port in one.values()]
    assert len(set(flat)) == len(flat)


def test_every_service_listens_on_loopback_only(project: Shown) -> None:
    """Postgres, Redis, Qdrant and Ollama are told so, and Qdrant by variables, which nothing overrules."""
    processes = project["processes"]

    assert project["services"]["postgres"]["listen_addresses"] == "127.0.0.1"
    assert project["services"]["redis"]["bind"] == "127.0.0.1"
    assert processes["qdrant"]["env"]["QDRANT__SERVICE__HOST"] == "127.0.0.1"
    assert processes["ollama"]["env"]["OLLAMA_HOST"] == f"127.0.0.1:{PINS['ollama'].port}"


def test_nothing_reports_to_its_vendor(project: Shown) -> None:
    """Telemetry and clouds are off."""
    processes = project["processes"]

    assert processes["qdrant"]["env"]["QDRANT__TELEMETRY_DISABLED"] == "true"
    assert processes["ollama"]["env"]["OLLAMA_NO_CLOUD"] == "1"
    assert project["env"]["DO_NOT_TRACK"] == "1"


def test_the_shell_has_the_address_of_every_service(project: Shown) -> None:
    """Applications find the services by the usual variables."""
    assert {
        name: project["env"][name] for name in ("DATABASE_URL", "REDIS_URL", "QDRANT_URL", "OLLAMA_HOST")
    } == {
        "DATABASE_URL": f"postgresql://ragbed:ragbed@127.0.0.1:{PINS['postgres'].port}/ragbed",
        "REDIS_URL": f"redis://127.0.0.1:{PINS['redis'].port}/0",
        "QDRANT_URL": f"http://127.0.0.1:{PINS['qdrant'].port}",
        "OLLAMA_HOST": f"http://127.0.0.1:{PINS['ollama'].port}",
    }


def test_the_database_has_its_user_and_pgvector(project: Shown) -> None:
    """The first start makes what `DATABASE_URL` names."""
    assert project["services"]["postgres"]["initialDatabases"] == [
        {
            "name": "ragbed",
            "user": "ragbed",
            "pass": "ragbed",
            "initialSQL": "CREATE EXTENSION IF NOT EXISTS vector;",
        }
    ]


@pytest.mark.parametrize("service", [*BACKING, "rag-api"])
def test_every_service_is_asked_each_second_until_its_pinned_time_is_over(
    project: Shown, service: str
) -> None:
    """A probe comes at once, and then as often as the pin's seconds allow."""
    ready = project["processes"][service]["ready"]

    limit = PINS["ollama" if service == "rag-api" else service].ready_timeout_s
    assert (ready["initial_delay"], ready["period"], ready["failure_threshold"]) == (0, 1, limit)


def test_qdrant_is_ready_when_its_shards_are_loaded(project: Shown) -> None:
    """It is asked for readiness, not for life."""
    ready = project["processes"]["qdrant"]["ready"]

    assert ready["http"] == {
        "host": "127.0.0.1",
        "port": PINS["qdrant"].port,
        "path": "/readyz",
        "scheme": "http",
    }


def test_the_rag_api_is_ready_when_its_services_answer(project: Shown) -> None:
    """It is asked for its health."""
    assert project["processes"]["rag-api"]["ready"]["http"]["path"] == "/health"


def test_ollama_is_ready_when_it_lists_every_pinned_model(project: Shown) -> None:
    """Names and digests are looked for."""
    lock = load_model_lock(ROOT / "models.lock.json")

    script = project.script(project["processes"]["ollama"]["ready"]["exec"]).read_text()

    for pin in lock.select():
        assert pin.full_name in script
        assert pin.digest.removeprefix("sha256:") in script


def test_ollama_waits_for_its_models_and_the_rag_api_for_everything(project: Shown) -> None:
    """The order is models, Ollama, and after all four services the tasks and the RAG API."""
    processes = project["processes"]

    assert processes["ollama"]["after"] == ["devenv:processes:ollama-models@completed"]
    condition = processes["ollama"]["compose"]["depends_on"]["ollama-models"]["condition"]
    assert condition == "process_completed_successfully"
    assert processes["rag-api"]["after"] == [
        *(f"devenv:processes:{name}" for name in BACKING),
        "ragbed:migrate",
    ]
    assert project["tasks"]["ragbed:migrate"]["after"] == ["ragbed:adopt"]


def test_what_ends_by_itself_is_run_by_process_compose_itself(project: Shown) -> None:
    """devenv-tasks stays when the process that it watches has ended: who waits for the end would wait for ever."""
    processes = project["processes"]
    awaited = {
        name
        for process in processes.values()
        for name, wanted in process["compose"].get("depends_on", {}).items()
        if wanted["condition"] == "process_completed_successfully"
    }

    assert awaited == {"ollama-models", "python-environment"}
    assert all(processes[name]["compose"]["command"] == processes[name]["exec"] for name in awaited)


def test_every_name_in_an_order_exists(project: Shown) -> None:
    """No process or task comes after something that is not there."""
    known = {f"devenv:processes:{name}" for name in project["processes"]} | set(project["tasks"])
    members = [*project["processes"].values(), *project["tasks"].values()]

    assert {name.split("@")[0] for one in members for name in one["after"] + one["before"]} <= known


def test_tasks_do_not_start_processes_a_second_time(nix: Nix, project: Shown) -> None:
    """process-compose starts processes and tasks name none; devenv's own manager is told the order by them."""
    native = evaluate(nix, '[ ./devenv.nix { process.manager.implementation = "native"; } ]')

    assert project["manager"] == "process-compose"
    assert project["tasks"]["ragbed:adopt"]["after"] == []
    assert native["tasks"]["ragbed:adopt"]["after"] == [f"devenv:processes:{name}" for name in BACKING]


def test_the_tasks_are_those_that_the_docs_name(project: Shown) -> None:
    """Each says what it does."""
    assert set(project["tasks"]) == {"ragbed:adopt", "ragbed:migrate", "ragbed:seed", "ragbed:models-verify"}
    assert all(task["description"] for task in project["tasks"].values())


def test_entering_says_three_lines(project: Shown) -> None:
    """What is here, and what to type for it."""
    done = subprocess.run(["bash", "-c", project["enterShell"]], capture_output=True, text=True, check=True)

    lines = done.stdout.splitlines()
    assert [line.split()[:2] for line in lines[1:]] == [["devenv", "up"], ["ragbed", "smoke"]]
    assert f"Qdrant {PINS['qdrant'].channels.nix.version}" in lines[0]
    assert len(lines) == 3


def test_a_second_project_gets_its_qdrant_and_its_ollama(second: Shown) -> None:
    """Five lines that import our modules are enough."""
    assert second["failed"] == []
    assert set(second["processes"]) == {"qdrant", "ollama", "ollama-models"}
    assert {"qdrant", "ollama-cpu"} <= set(second["packages"])
    assert {"QDRANT_URL", "OLLAMA_HOST"} <= set(second["env"])


def test_an_ollama_without_models_has_a_folder_of_its_own(nix: Nix) -> None:
    """Nothing is fetched, and models can be pulled into it."""
    shown = evaluate(nix, "[ ./nix/modules/ollama.nix { services.ollama.enable = true; } ]")

    assert set(shown["processes"]) == {"ollama"}
    assert "OLLAMA_MODELS" not in shown.script(shown["processes"]["ollama"]["exec"]).read_text()


def test_models_can_come_by_ragbed(nix: Nix) -> None:
    """They are fetched and laid out in the project's state."""
    shown = evaluate(nix, '[ ./devenv.nix { services.ollama.modelsFrom = "ragbed"; } ]')

    script = shown.script(shown["processes"]["ollama-models"]["exec"]).read_text()
    assert "ragbed models fetch '--model=all-minilm:latest' '--model=qwen2.5:0.5b'" in script
    assert (
        '''ragbed models store '--model=all-minilm:latest' '--model=qwen2.5:0.5b' "$state/models"''' in script
    )


@pytest.mark.parametrize("acceleration", ["cuda", "rocm", "vulkan"])
def test_acceleration_chooses_the_package(nix: Nix, acceleration: str) -> None:
    """The package is nixpkgs' own for it."""
    shown = evaluate(
        nix,
        f'[ ./nix/modules/ollama.nix {{ services.ollama = {{ enable = true; acceleration = "{acceleration}"; }}; }} ]',
    )

    assert shown["packages"] == [f"ollama-{acceleration}"]


def test_the_web_interface_is_served_when_it_is_wanted(nix: Nix, project: Shown) -> None:
    """Its folder is in the configuration then, and off otherwise."""
    with_ui = evaluate(nix, "[ ./devenv.nix { services.qdrant.webUI.enable = true; } ]")

    def service(shown: Shown) -> dict[str, object]:
        start = shown.script(shown["processes"]["qdrant"]["exec"]).read_text()
        file = start.partition("--config-path ")[2].split()[0]
        configured: dict[str, object] = json.loads(shown.script(file).read_text())["service"]
        return configured

    assert service(project) == {"enable_static_content": False}
    assert service(with_ui)["enable_static_content"] is True
    assert str(service(with_ui)["static_content_dir"]).endswith("-qdrant-web-ui")


def test_a_port_that_is_changed_is_changed_everywhere(nix: Nix) -> None:
    """Listener, probe, neighbour and environment follow the option."""
    shown = evaluate(nix, "[ ./devenv.nix { services.qdrant.httpPort = 16333; } ]")

    qdrant = shown["processes"]["qdrant"]
    assert qdrant["env"]["QDRANT__SERVICE__HTTP_PORT"] == "16333"
    assert qdrant["env"]["QDRANT__SERVICE__GRPC_PORT"] == "16334"
    assert qdrant["ready"]["http"]["port"] == 16333
    assert shown["env"]["QDRANT_URL"] == "http://127.0.0.1:16333"


def test_a_project_may_bring_its_own_lock_of_models(nix: Nix, tmp_path: Path) -> None:
    """Ollama gets its models, and ragbed's own commands are told of the lock."""
    lock = tmp_path / "models.lock.json"
    lock.write_text(
        (ROOT / "models.lock.json").read_text().replace('"default": "small"', '"default": "large"')
    )

    shown = evaluate(nix, f"[ ./devenv.nix {{ services.ollama.lockFile = {lock}; }} ]")

    assert shown["services"]["ollama"]["models"] == ["nomic-embed-text:latest", "llama3.2:1b"]
    assert shown["env"]["RAGBED_MODELS_LOCK"].endswith("-models.lock.json")


def test_a_project_may_take_another_set_of_models(nix: Nix, project: Shown) -> None:
    """Ollama gets its models, and ragbed's own commands are told of the set, as they are of the default one."""
    shown = evaluate(nix, '[ ./devenv.nix { services.ragbed.modelSet = "full"; } ]')

    assert shown["services"]["ollama"]["models"] == ["nomic-embed-text:latest", "llama3.1:8b"]
    assert shown["env"]["RAGBED_MODELS__SET"] == "full"
    assert project["env"]["RAGBED_MODELS__SET"] == load_model_lock(ROOT / "models.lock.json").default


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


REFUSALS = {
    "qdrant on every address": (
        '{ services.qdrant.host = "0.0.0.0"; }',
        ["services.qdrant.host is 0.0.0.0", "Set it to one of 127.0.0.1, ::1, localhost"],
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
        ["services.ollama.host is 0.0.0.0", "Set it to one of 127.0.0.1, ::1, localhost"],
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
    (message,) = complaints(nix, "{ }", more='versions.qdrant = "1.9.0";')

    assert (
        f"services.qdrant.package is 1.9.0, outside what ragbed accepts: embedded-qdrant {_range()}"
        in message
    )
    assert 'inputs.nixpkgs.follows = "ragbed/nixpkgs"' in message


def _range() -> str:
    return PINS["qdrant"].accept["embedded-qdrant"]


@pytest.mark.parametrize("version", ["17", "17.0", "18.4", "18.99", "16.9", "19", "19.0", "19.0.1", "2"])
def test_nix_judges_ranges_as_python_does(nix: Nix, version: str) -> None:
    """A version lies in a range for both, or for neither."""
    accepted = nix.eval(
        f'(import ./nix/lib {{ }}).inRange "{PINS["postgres"].accept["postgres"]}" "{version}"'
    )

    assert accepted == PINS["postgres"].accepts("postgres", version)


def test_every_option_is_described_and_has_an_example(project: Shown) -> None:
    """What a reader of the options' documentation needs."""
    assert [one["name"] for one in project["options"] if not (one["described"] and one["exampled"])] == []
    assert len(project["options"]) > 20
