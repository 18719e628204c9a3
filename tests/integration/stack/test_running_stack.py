"""`running_stack`: a stack for a while; nothing of it is left, whatever happens."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import ollama
import psutil
import pytest

from ragbed.errors import ServiceMissing, ServiceNotReady
from ragbed.settings import resolve_settings
from ragbed.stack import SERVICES, running_stack
from ragbed.stack.leases import Leases
from ragbed.stack.ownership import TOKEN_VARIABLE
from ragbed.stack.processes import stop
from ragbed.stack.services import free_port
from ragbed.state import StateFolder

if TYPE_CHECKING:
    from ragbed.settings import Settings
    from ragbed_command import RagbedCommand


@pytest.fixture
def folder(ragbed: RagbedCommand) -> StateFolder:
    """A state folder with warm caches."""
    return StateFolder(ragbed.state)


def settings(folder: StateFolder, **environ: str) -> Settings:
    """Resolve settings that look for nothing on default ports."""
    return resolve_settings(folder=folder.root, environ={"RAGBED_STACK__DEFAULT_PORTS": "false", **environ})


def processes_in(folder: StateFolder) -> list[str]:
    """Return our processes that work in a state folder."""
    found = []
    for process in psutil.process_iter():
        try:
            if TOKEN_VARIABLE in process.environ() and Path(process.cwd()).is_relative_to(folder.root):
                found.append(" ".join(process.cmdline()))
        except (psutil.Error, OSError):
            continue
    return found


def leftovers(folder: StateFolder) -> list[object]:
    """Return leases, data and processes that are still there."""
    return [*Leases(folder).all(), *folder.data.iterdir(), *processes_in(folder)]


def test_a_stack_has_all_services_and_leaves_nothing(folder: StateFolder) -> None:
    """While it is up every service is there; afterwards no process, lease or data is."""
    with running_stack(settings(folder), folder=folder) as stack:
        assert list(stack.endpoints) == list(SERVICES)
        assert processes_in(folder)

    assert leftovers(folder) == []


def test_an_error_inside_ends_the_stack(folder: StateFolder) -> None:
    """Whatever is raised in its body, the stack goes."""
    with pytest.raises(ZeroDivisionError), running_stack(settings(folder), folder=folder, services=["redis"]):
        _ = 1 / 0

    assert leftovers(folder) == []


def test_only_the_services_asked_for_are_started(folder: StateFolder) -> None:
    """One service is one process."""
    with running_stack(settings(folder), folder=folder, services=["redis"]) as stack:
        assert list(stack.endpoints) == ["redis"]
        assert len(list(Leases(folder).all())) == 1


def test_the_failure_of_one_service_ends_the_others(folder: StateFolder) -> None:
    """A given Redis that is not there fails the stack, is not replaced, and leaves no other service running."""
    broken = settings(folder, REDIS_URL=f"redis://127.0.0.1:{free_port()}/0")

    with (
        pytest.raises(ServiceMissing, match=r"redis does not answer at .*, which REDIS_URL names"),
        running_stack(broken, folder=folder),
    ):
        pass

    assert leftovers(folder) == []


def test_a_service_that_ends_at_its_start_is_told_with_its_last_words(
    folder: StateFolder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The error carries the end of the log and leaves nothing."""
    program = tmp_path / "bin" / "valkey-server"
    program.parent.mkdir()
    program.write_text(
        '#!/bin/sh\n[ "$1" = --version ] && echo "Server v=9.1.0" && exit\necho "no luck today" >&2\nexit 3\n',
        encoding="utf-8",
    )
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{program.parent}:{os.environ['PATH']}")

    with (
        pytest.raises(ServiceNotReady, match=r"redis ended at its start \(exit code 3\)") as caught,
        running_stack(settings(folder), folder=folder, services=["redis"]),
    ):
        pass

    assert "no luck today" in caught.value.render()
    assert leftovers(folder) == []


def test_a_tier_that_starts_nothing_says_what_to_set(folder: StateFolder) -> None:
    """In staging services are attached: the variable that is missing is named."""
    staging = settings(folder, APP_ENV="staging", MODEL_PROVIDER="mock")

    with (
        pytest.raises(ServiceMissing, match="tier staging starts none") as caught,
        running_stack(staging, folder=folder, services=["postgres"]),
    ):
        pass

    assert caught.value.hint == "set DATABASE_URL"


def test_a_run_that_may_not_start_says_what_to_type(folder: StateFolder) -> None:
    """Commands that only find a stack name the one that starts it."""
    with (
        pytest.raises(ServiceMissing, match="no redis is up") as caught,
        running_stack(settings(folder), folder=folder, services=["redis"], may_start=False),
    ):
        pass

    assert caught.value.hint == "ragbed up -d, or set REDIS_URL"


@pytest.mark.parametrize(
    ("environ", "product"),
    [
        pytest.param({"EMBEDDING_PROVIDER": "mock"}, "mock-llm", id="a-mock-for-embeddings"),
        pytest.param({"USE_MOCK_LLM": "true"}, "mock-llm", id="use-mock"),
        pytest.param({}, "mock-llm", id="pytest-follows-the-tier"),
    ],
)
def test_the_llm_is_the_one_that_was_named(
    environ: dict[str, str], product: str, folder: StateFolder
) -> None:
    """A mock that was asked for is started, and said."""
    with running_stack(settings(folder, **environ), folder=folder, services=["ollama"]) as stack:
        assert (stack["ollama"].product, stack["ollama"].real) == (product, False)
        assert stack.llm.startswith("mock-llm: ")


def test_the_mock_has_the_models_that_the_project_declares(folder: StateFolder) -> None:
    """It is started in another folder than the project's, and told."""
    declared = settings(folder, MODEL_PROVIDER="mock", RAGBED_MOCK__MODELS='{"bge-m3": {"dimensions": 1024}}')
    with (
        running_stack(declared, folder=folder, services=["ollama"]) as stack,
        ollama.Client(stack.endpoints["ollama"].url, trust_env=False) as client,
    ):
        vectors = client.embed("bge-m3", "a").embeddings

    assert [len(vector) for vector in vectors] == [1024]


def test_a_memory_url_is_the_embedded_qdrant(folder: StateFolder) -> None:
    """VECTOR_DB_URL=memory:// starts ours on a temporary folder, whatever is on PATH."""
    with running_stack(
        settings(folder, VECTOR_DB_URL="memory://"), folder=folder, services=["qdrant"]
    ) as stack:
        assert (stack["qdrant"].product, stack["qdrant"].launcher) == ("embedded-qdrant", "process")


def test_the_stack_of_up_is_shared_and_left_alone(ragbed_up: RagbedCommand) -> None:
    """A run uses the stack of `ragbed up` and does not end it; a service that died is mended first."""
    folder = StateFolder(ragbed_up.state)
    victim = next(lease for lease in Leases(folder).all() if lease.service == "redis")
    assert victim.resource.process is not None
    stop(victim.resource.process, gentle=signal.SIGKILL)  # returns once it has gone

    with running_stack(settings(folder), folder=folder, services=["redis"]) as stack:
        assert (stack.shared, stack["redis"].url) == (True, ragbed_up.urls()["REDIS_URL"])

    assert ragbed_up.run("status").returncode == 0


def test_a_private_stack_never_meets_the_shared_one(ragbed_up: RagbedCommand) -> None:
    """Somebody who asks for a private stack gets other servers."""
    folder = StateFolder(ragbed_up.state)

    with running_stack(settings(folder), folder=folder, services=["redis"], private=True) as stack:
        assert stack["redis"].url != ragbed_up.urls()["REDIS_URL"]


def test_a_killed_runs_services_go_with_the_next_command(ragbed: RagbedCommand) -> None:
    """Kill -9 leaves services behind; the next command of any kind ends them."""
    code = (
        "import sys\n"
        "from ragbed.stack import running_stack\n"
        "with running_stack(services=['redis'], caller='pytest'):\n"
        "    print('up', flush=True)\n"
        "    sys.stdin.read()\n"
    )
    with subprocess.Popen(
        [sys.executable, "-c", code],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        cwd=ragbed.folder,
        env=ragbed.variables(),
    ) as process:
        assert process.stdout is not None
        process.stdout.readline()
        process.kill()
    folder = StateFolder(ragbed.state)
    assert processes_in(folder)

    ragbed.run("status")

    assert leftovers(folder) == []


@pytest.mark.parametrize("name", ["orjson.py", "starlette.py", "ragbed/__init__.py", "sitecustomize.py"])
def test_modules_of_the_state_folder_are_not_run(folder: StateFolder, name: str) -> None:
    """A checkout may bring a state folder with Python files in it; our servers import none of them."""
    planted = folder.root / name
    planted.parent.mkdir(parents=True, exist_ok=True)
    planted.write_text(f"open({str(folder.root / 'was-run')!r}, 'w')\n")

    with running_stack(settings(folder), folder=folder) as stack:
        assert list(stack.endpoints) == list(SERVICES)

    assert not (folder.root / "was-run").exists()
