"""What is this project's own: ports that move, probes that say what is wrong, services given, left out or had twice."""

from __future__ import annotations

import json
import os
import re
import shutil
import socket
import subprocess
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import TYPE_CHECKING, ClassVar

import pytest
from evaluated import ADDRESSES, BACKING, Shown, evaluate
from nix_command import ROOT

from ragbed.pins import load_model_lock

if TYPE_CHECKING:
    from pathlib import Path

    from nix_command import Nix


class Tags(BaseHTTPRequestHandler):
    """What an Ollama lists, as a test wants it."""

    listed: ClassVar[list[dict[str, str]]] = []

    def do_GET(self) -> None:
        """Answer /api/tags."""
        self.send_response(200)
        self.end_headers()
        self.wfile.write(json.dumps({"models": self.listed}).encode())

    def log_message(self, *_: object) -> None:
        """Be quiet."""


def ollamas_answer(nix: Nix, folder: Path, listed: list[dict[str, str]]) -> tuple[int, str]:
    """Run the probe of an Ollama that lists some models; its pid is this process's, which listens."""
    Tags.listed = listed
    with ThreadingHTTPServer(("127.0.0.1", 0), Tags) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        options = f'{{ services.ollama = {{ dataDir = "{folder}"; port = {server.server_port}; }}; }}'
        text = evaluate(nix, f"[ ./devenv.nix {options} ]").probe("ollama")
        (folder / "pid").write_text(str(os.getpid()))
        (folder / "not-ready").touch()
        script = re.sub(r"([^\s(]+/store/\w+-whose-port)", r"bash \1", text)
        done = subprocess.run(["bash", "-c", script], capture_output=True, text=True, check=False)
        server.shutdown()
    return done.returncode, done.stderr


@pytest.mark.skipif(
    not (shutil.which("jq") and shutil.which("lsof")), reason="there is no jq or lsof on PATH"
)
def test_ollamas_probe_says_which_model_or_digest_is_missing(nix: Nix, tmp_path: Path) -> None:
    """Its words come into the log of Ollama too, once as long as they stay the same."""
    pins = load_model_lock(ROOT / "models.lock.json").select()
    listed = [{"name": pin.full_name, "digest": pin.digest.removeprefix("sha256:")} for pin in pins]
    moved = [listed[0], {**listed[1], "digest": "0" * 64}]

    assert ollamas_answer(nix, tmp_path, listed) == (0, "")
    assert ollamas_answer(nix, tmp_path, listed[1:]) == (1, f"ollama: {listed[0]['name']} is missing\n")
    code, said = ollamas_answer(nix, tmp_path, moved)
    assert code == 1
    assert said == (
        f"ollama: {moved[1]['name']} has the digest 000000000000, and {listed[1]['digest'][:12]} is pinned\n"
    )
    assert (tmp_path / "not-ready").read_text().splitlines()[-1] == said.strip()


def test_an_offset_moves_every_port(nix: Nix, project: Shown) -> None:
    """Variables follow; a port that is set by itself stays."""
    shown = evaluate(
        nix, "[ ./devenv.nix { services.ragbed.portOffset = 100; services.ollama.port = 7000; } ]"
    )

    def ports(one: Shown) -> dict[str, dict[str, int]]:
        return {name: process["ports"] for name, process in one["processes"].items()}

    moved = {name: {kind: port + 100 for kind, port in one.items()} for name, one in ports(project).items()}
    assert ports(shown) == {**moved, "ollama": {"main": 7000}}
    for name in ("DATABASE_URL", "REDIS_URL", "QDRANT_URL"):
        assert f":{int(re.findall(r':([0-9]+)', ADDRESSES[name])[-1]) + 100}" in shown["env"][name]


def test_a_service_by_its_address_is_not_started(nix: Nix) -> None:
    """Its variable leads there, the RAG API waits for the others, and only those are adopted."""
    url = "http://127.0.0.1:7000"
    shown = evaluate(nix, f'[ ./devenv.nix {{ services.ragbed.urls.qdrant = "{url}"; }} ]')

    assert shown["failed"] == []
    assert "qdrant" not in shown["processes"]
    assert shown["env"]["QDRANT_URL"] == url
    assert "devenv:processes:qdrant" not in shown["processes"]["rag-api"]["after"]
    adoption = shown.script(shown["tasks"]["ragbed:adopt"]["exec"]).read_text()
    assert url not in adoption
    assert shown["env"]["REDIS_URL"] in adoption


def test_without_an_ollama_the_rag_api_answers_by_the_mock(nix: Nix) -> None:
    """It is the one service that has a stand-in of ragbed's own."""
    shown = evaluate(nix, "[ ./devenv.nix { services.ollama.enable = false; } ]")

    assert shown["failed"] == []
    assert shown["processes"]["rag-api"]["env"]["MODEL_PROVIDER"] == "mock"
    assert {"ollama", "ollama-models"} & set(shown["processes"]) == set()
    assert "ragbed:models-verify" not in shown["tasks"]


def test_a_further_instance_has_a_process_files_and_a_variable_of_its_own(nix: Nix) -> None:
    """Beside the first, or alone."""
    options = """{ services.qdrant.instances.old-index = { httpPort = 7333; extraArgs = [ "--force-snapshot" ]; };
                   services.ollama.instances.chat = { models = [ "qwen2.5:0.5b" ]; port = 7434; }; }"""
    shown = evaluate(nix, f"[ ./devenv.nix {options} ]")

    assert shown["failed"] == []
    assert shown["env"]["QDRANT_OLD_INDEX_URL"] == "http://127.0.0.1:7333"
    assert shown["env"]["OLLAMA_CHAT_HOST"] == "http://127.0.0.1:7434"
    assert shown["processes"]["qdrant-old-index"]["ports"] == {"http": 7333, "grpc": 7334}
    start = shown.script(shown["processes"]["qdrant-old-index"]["exec"]).read_text()
    assert "/state/qdrant-old-index'" in start
    assert start.rstrip().endswith("'--force-snapshot'")
    assert shown["processes"]["ollama-chat"]["after"] == ["devenv:processes:ollama-chat-models@completed"]


def test_a_downstream_shell_has_ragbed(nix: Nix) -> None:
    """Tasks and processes call the very program that the shell has."""
    shown = evaluate(nix, "[ ./nix/modules/ragbed.nix { services.ragbed.enable = true; } ]")

    assert "python" in shown["packages"]  # the folder of the package's recipe
    assert re.match(r"exec /\S+/bin/ragbed migrate", shown["tasks"]["ragbed:migrate"]["exec"])


def test_models_by_ragbed_come_by_the_commands_path(nix: Nix) -> None:
    """In a project that has no `ragbed` on PATH, too."""
    options = 'services.ollama = { enable = true; models = [ "all-minilm" ]; modelsFrom = "ragbed"; };'
    shown = evaluate(nix, f"[ ./nix/modules/ollama.nix {{ {options} }} ]")

    script = shown.script(shown["processes"]["ollama-models"]["exec"]).read_text()
    assert shown["failed"] == []
    assert re.search(r"^/\S+/bin/ragbed models fetch ", script, re.MULTILINE)


def test_the_time_to_be_ready_counts_from_the_servers_start(nix: Nix, tmp_path: Path) -> None:
    """Postgres' probe waits for initdb, and fails none of its asks meanwhile; unless somebody else answers."""
    with socket.create_server(("127.0.0.1", 0)) as held:
        port = held.getsockname()[1]
        shown = evaluate(nix, f"[ ./devenv.nix {{ services.postgres.port = {port}; }} ]")
        words = ["bash", "-c", shown.probe("postgres")]
        environ = {"PATH": os.environ["PATH"], "PGDATA": str(tmp_path / "none")}
        taken = subprocess.run(words, env=environ, capture_output=True, text=True, check=False)

    with pytest.raises(subprocess.TimeoutExpired):
        subprocess.run(words, env=environ, capture_output=True, timeout=2, check=False)
    assert taken.returncode == 1
    assert f"postgres: the server on port {port} does not let us in" in taken.stderr


def test_a_service_that_is_not_ready_in_time_is_started_again(project: Shown, nix: Nix) -> None:
    """devenv-tasks ends with 0 when it is told to: only `always` starts it again."""
    restarts = nix.eval(
        "builtins.mapAttrs (_: one: one.restart.on)"
        " (import ./tests/nix/mini { modules = [ ./devenv.nix ]; }).config.processes"
    )

    ready = {name for name, process in project["processes"].items() if process["ready"]}
    assert {name for name, on in restarts.items() if on == "always"} == ready


@pytest.mark.parametrize("service", [*BACKING, "rag-api"])
def test_a_taken_port_ends_the_start_at_once(project: Shown, service: str) -> None:
    """Before devenv-tasks is run, so that nothing is made for a server that cannot be."""
    process = project["processes"][service]

    command = process["compose"]["command"]
    port = next(iter(process["ports"].values()))
    port = process["ports"].get("http", port)
    assert re.match(
        rf"\S+-whose-port free '{service}' '127.0.0.1' '{port}' 'services\.\S+' && exec ", command
    )
