"""`devenv.nix` and the modules that other projects import: processes, order, readiness, environment, refusals."""

from __future__ import annotations

import json
import subprocess
from typing import TYPE_CHECKING

import pytest
from evaluated import ADDRESSES, BACKING, PINS, Shown, evaluate
from nix_command import ROOT

from ragbed.pins import load_model_lock

if TYPE_CHECKING:
    from pathlib import Path

    from nix_command import Nix


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
    assert {name: project["env"][name] for name in ADDRESSES} == ADDRESSES


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


@pytest.mark.parametrize("service", [*BACKING, "rag-api"])
def test_a_busy_service_has_as_long_for_an_answer_under_process_compose(project: Shown, service: str) -> None:
    """Devenv does not hand it on, and process-compose would end who does not answer within a second.

    Where something comes before the server (initdb, the migration), the probe waits for its start, and has longer.
    """
    process = project["processes"][service]

    limit = 60 if service in {"postgres", "rag-api"} else 4
    assert (
        process["compose"]["readiness_probe"]["timeout_seconds"] == process["ready"]["probe_timeout"] == limit
    )


def test_qdrant_is_ready_when_its_shards_are_loaded(project: Shown) -> None:
    """It is asked for readiness, not for life."""
    assert f'"http://127.0.0.1:{PINS["qdrant"].port}/readyz"' in project.probe("qdrant")


def test_services_can_listen_on_the_loopback_of_ipv6(nix: Nix) -> None:
    """Servers have the bare address, probes and variables the one that a URL has."""
    six = "; ".join(
        [
            'postgres.listen_addresses = "::1"',
            *(f'{name} = "::1"' for name in ("redis.bind", "qdrant.host", "ollama.host")),
        ]
    )
    shown = evaluate(nix, f"[ ./devenv.nix {{ services = {{ {six}; }}; }} ]")

    assert shown["failed"] == []
    assert f'"http://[::1]:{PINS["qdrant"].port}/readyz"' in shown.probe("qdrant")
    assert shown["processes"]["qdrant"]["env"]["QDRANT__SERVICE__HOST"] == "::1"
    assert shown["processes"]["ollama"]["env"]["OLLAMA_HOST"].startswith("[::1]:")
    assert {name: shown["env"][name] for name in ADDRESSES} == {
        name: value.replace("127.0.0.1", "[::1]") for name, value in ADDRESSES.items()
    }


def test_the_rag_api_is_ready_when_its_services_answer(project: Shown) -> None:
    """It is asked for its health."""
    assert f'"http://127.0.0.1:{PINS.app.port}/health"' in project.probe("rag-api")


def test_ollama_is_ready_when_it_lists_every_pinned_model(project: Shown) -> None:
    """Names and digests are looked for."""
    lock = load_model_lock(ROOT / "models.lock.json")

    script = project.probe("ollama")

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


def test_stores_are_adopted_without_the_rag_api_too(nix: Nix, project: Shown) -> None:
    """The RAG API's tasks adopt them; where it is not served, a process does once all services are ready."""
    shown = evaluate(nix, "[ ./devenv.nix { services.ragbed.api.enable = false; } ]")

    adoption = shown["processes"]["adoption"]
    assert adoption["exec"] == adoption["compose"]["command"] == shown["tasks"]["ragbed:adopt"]["exec"]
    assert adoption["after"] == [f"devenv:processes:{name}" for name in BACKING]
    assert "rag-api" not in shown["processes"]
    assert "adoption" not in project["processes"]


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
    assert "ragbed models store '--model=all-minilm:latest' '--model=qwen2.5:0.5b' models" in script


@pytest.mark.parametrize("acceleration", ["cuda", "rocm", "vulkan"])
def test_acceleration_chooses_the_package(nix: Nix, acceleration: str) -> None:
    """The package is nixpkgs' own for it."""
    shown = evaluate(
        nix,
        f'[ ./nix/modules/ollama.nix {{ services.ollama = {{ enable = true; acceleration = "{acceleration}"; }}; }} ]',
    )

    assert shown["packages"] == [f"ollama-{acceleration}"]


def test_acceleration_can_be_chosen_for_this_project_too(nix: Nix) -> None:
    """The pinned package is for the processor; a choice of another is not overruled by it."""
    shown = evaluate(nix, '[ ./devenv.nix { services.ollama.acceleration = "vulkan"; } ]')

    assert "ollama-vulkan" in shown["packages"]
    assert PINS["ollama"].channels.nix.attribute not in shown["packages"]
    assert shown["failed"] == []


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
    assert ":16333/readyz" in shown.probe("qdrant")
    assert shown["env"]["QDRANT_URL"] == "http://127.0.0.1:16333"


def test_a_project_may_bring_its_own_lock_of_models(nix: Nix, tmp_path: Path) -> None:
    """Ollama gets its models, and ragbed's own commands are told of the lock."""
    lock = tmp_path / "models.lock.json"
    lock.write_text(
        (ROOT / "models.lock.json").read_text().replace('"default": "small"', '"default": "large"')
    )

    shown = evaluate(nix, f"[ ./devenv.nix {{ services.ollama.lockFile = {lock}; }} ]")

    assert shown["services"]["ollama"]["models"] == ["nomic-embed-text:latest", "llama3.2:1b"]
    assert shown["env"]["RAGBED_MODELS_LOCK"] == str(lock)


def test_a_project_may_take_another_set_of_models(nix: Nix, project: Shown) -> None:
    """Ollama gets its models, and ragbed's own commands are told of the set, as they are of the default one."""
    shown = evaluate(nix, '[ ./devenv.nix { services.ragbed.modelSet = "full"; } ]')

    assert shown["services"]["ollama"]["models"] == ["nomic-embed-text:latest", "llama3.1:8b"]
    assert shown["env"]["RAGBED_MODELS__SET"] == "full"
    assert project["env"]["RAGBED_MODELS__SET"] == load_model_lock(ROOT / "models.lock.json").default


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
