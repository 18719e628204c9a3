"""Fingerprints of a server: what is asked, what it runs on, what is recorded and what is refused."""

from __future__ import annotations

import json
import sys
from contextlib import ExitStack
from typing import TYPE_CHECKING

import pytest
from vector_ollama import VectorOllama, embedding

from ragbed.errors import CheckFailed, ExitCode, ServiceMissing
from ragbed.events import SILENT
from ragbed.models.fingerprint import (
    FingerprintFile,
    check_fingerprint,
    load_canaries,
    load_fingerprints,
    record_fingerprint,
)
from ragbed.pins import Provenance
from ragbed.settings import resolve_settings
from ragbed.smoke import stack_stages
from ragbed.smoke.plan import SmokeOptions, SmokePlan
from ragbed.stack import Endpoint, Stack, num_thread
from ragbed.stack.record import StackRecord
from ragbed.state import StateFolder
from ragbed_command import RagbedCommand
from sample_models import sample_model, write_lock_of

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path
    from typing import Literal

    from ragbed.models.fingerprint import Fingerprint


@pytest.fixture
def ollama() -> Iterator[VectorOllama]:
    """A server with one embedding model."""
    with embedding(VectorOllama()) as ollama:
        yield ollama


@pytest.fixture
def nothing(tmp_path: Path) -> FingerprintFile:
    """A file that is not there yet."""
    return FingerprintFile(path=tmp_path / "models.fingerprints.json")


@pytest.fixture
def command(tmp_path: Path, ollama: VectorOllama) -> RagbedCommand:
    """The command line with a lock of that model, and that server."""
    lock = write_lock_of(tmp_path / "models.lock.json", sample_model())
    environ = {"RAGBED_MODELS_LOCK": str(lock.path), "OLLAMA_HOST": ollama.url}
    return RagbedCommand(state=tmp_path / "state", folder=tmp_path, environ=environ)


def endpoint_of(ollama: VectorOllama, launcher: Literal["attach", "process"]) -> Endpoint:
    """Return the server as one that we started, or found."""
    return Endpoint(
        service="ollama",
        url=ollama.url,
        launcher=launcher,
        product="ollama",
        version=ollama.version,
        real=True,
        provenance=Provenance(channel="external"),
    )


def recorded(ollama: VectorOllama, known: FingerprintFile) -> Fingerprint:
    """Record the server's model, and return its fingerprint."""
    (fingerprint,) = record_fingerprint(ollama.url, "tiny", known=known)[0].fingerprints
    return fingerprint


def test_a_fingerprint_tells_of_what_it_is(ollama: VectorOllama, nothing: FingerprintFile) -> None:
    """Model, digest, runtime, and a mark per canary."""
    seen = recorded(ollama, nothing)

    setup = seen.setup
    told = (setup.model, setup.digest, setup.runtime)
    assert told == ("tiny:latest", f"sha256:{'1' * 64}", "ollama 0.24.0")
    assert list(seen.marks) == list(load_canaries().texts)


@pytest.mark.parametrize(
    ("gpu_bytes", "kind"), [(0, "cpu"), (100, "gpu"), (40, "cpu+gpu")], ids=["none", "all", "a part"]
)
def test_the_backend_is_where_the_model_lies(
    ollama: VectorOllama, nothing: FingerprintFile, gpu_bytes: int, kind: str
) -> None:
    """As `/api/ps` tells, with the system and machine."""
    ollama.gpu_bytes = gpu_bytes

    backend = recorded(ollama, nothing).setup.backend

    assert backend.startswith(f"{kind} {sys.platform}-")


def test_a_chat_model_is_asked_for_answers(ollama: VectorOllama, nothing: FingerprintFile) -> None:
    """The purpose is the server's word: what cannot embed chats."""
    ollama.embeds = False

    seen = recorded(ollama, nothing)

    expected = {name: f"You said: {prompt}" for name, prompt in load_canaries().prompts.items()}
    assert (seen.purpose, seen.marks, seen.answers) == ("chat", {}, expected)


@pytest.mark.parametrize("embeds", [True, False], ids=["embedding", "chat"])
def test_a_model_that_disagrees_with_itself_is_not_recorded(
    ollama: VectorOllama, nothing: FingerprintFile, embeds: bool
) -> None:
    """Every later comparison with it would be chance."""
    ollama.steady, ollama.embeds = False, embeds

    with pytest.raises(CheckFailed, match="tiny:latest does not give the same twice") as caught:
        record_fingerprint(ollama.url, "tiny", known=nothing)

    assert len(caught.value.details) > 1


def test_a_model_that_is_not_there_is_said(ollama: VectorOllama, nothing: FingerprintFile) -> None:
    """With what is there, and how to fetch the other."""
    with pytest.raises(ServiceMissing, match="has no other:latest") as caught:
        check_fingerprint(ollama.url, "other", known=nothing)

    assert caught.value.details == ("it has: tiny:latest",)
    assert "ragbed models fetch" in caught.value.hint


@pytest.mark.parametrize("launcher", ["process", "attach"])
def test_the_stacks_server_is_asked_as_the_pipeline_asks_it(
    ollama: VectorOllama,
    nothing: FingerprintFile,
    launcher: Literal["attach", "process"],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """With another number of threads a loaded model would be loaded anew, and once more by the next question."""
    endpoint, settings = endpoint_of(ollama, launcher), resolve_settings(environ={}, folder=tmp_path)
    monkeypatch.setenv("RAGBED_STATE_DIR", str(tmp_path / "state"))
    record = StackRecord(stack="0a1b2c3d", owner=None, keep=False, endpoints={"ollama": endpoint}, leases={})
    record.save(StateFolder(tmp_path / "state").prepared())

    check_fingerprint(ollama.url, "tiny", known=nothing, settings=settings)

    assert ollama.threads == {num_thread(settings, endpoint)}


def test_the_smoke_run_asks_as_its_pipeline_will(ollama: VectorOllama, tmp_path: Path) -> None:
    """A stack of its own is in no record: the stage tells who started the server."""
    overrides = {"embedding.model": "tiny", "llm.model": "tiny"}
    endpoint = endpoint_of(ollama, "process")
    plan = SmokePlan(
        id="20260102-030405-abcdef",
        settings=resolve_settings(environ={}, folder=tmp_path, overrides=overrides),
        folder=StateFolder(tmp_path / "state"),
        options=SmokeOptions(),
        cleanup=ExitStack(),
        events=SILENT,
    )

    stack_stages.fingerprint(plan, Stack(id="s", endpoints={"ollama": endpoint}))

    assert ollama.threads == {num_thread(plan.settings, endpoint)} != {0}


def test_updating_records_and_the_next_check_is_the_same(command: RagbedCommand) -> None:
    """Unknown before, the same after; both are fine."""
    before, update, after = (command.run("models", "fingerprint", *words) for words in ([], ["--update"], []))

    assert [done.returncode for done in (before, update, after)] == [0, 0, 0]
    assert (before.stdout.split()[0], after.stdout.split()[0]) == ("unknown", "same")
    assert "try: ragbed models fingerprint --update --model tiny:latest" in before.stderr


def test_drift_is_exit_code_11_and_names_what_changed(command: RagbedCommand, ollama: VectorOllama) -> None:
    """Another version, of other vectors."""
    command.run("models", "fingerprint", "--update")
    ollama.version, ollama.dimensions = "0.30.7", 4

    done = command.run("models", "fingerprint")

    assert done.returncode == ExitCode.DRIFT
    assert done.stdout.startswith("drift    tiny:latest: 11 of 11 canaries gave other vectors")
    assert "runtime ollama 0.30.7, recorded ollama 0.24.0" in done.stdout
    assert "short: 4 dimensions, recorded 8" in done.stdout


def test_other_answers_are_drift_without_an_exit_code(command: RagbedCommand, ollama: VectorOllama) -> None:
    """A chat model's are advisory."""
    ollama.embeds = False
    command.run("models", "fingerprint", "--update")
    ollama.steady = False

    report = command.run("models", "fingerprint", "--json")

    value = json.loads(report.stdout)
    (model,) = value["models"]
    assert (report.returncode, value["drift"]) == (0, False)
    assert (model["kind"], model["advisory"]) == ("drift", True)


def test_updating_after_drift_shows_what_it_accepts(command: RagbedCommand, ollama: VectorOllama) -> None:
    """Accepted drift is exit code 0; the old record is replaced, and what it said is shown."""
    command.run("models", "fingerprint", "--update")
    ollama.dimensions = 4

    done = command.run("models", "fingerprint", "--update")

    assert done.returncode == 0
    assert "before: drift, tiny:latest: 11 of 11 canaries" in done.stdout
    assert len(load_fingerprints(command.folder / "models.fingerprints.json").fingerprints) == 1


def test_updating_what_is_known_writes_nothing(command: RagbedCommand) -> None:
    """The file keeps its bytes, and that is said."""
    command.run("models", "fingerprint", "--update")

    done = command.run("models", "fingerprint", "--update")

    assert "has all of it already" in done.stderr


def test_a_damaged_file_is_wrong_usage_and_no_drift(command: RagbedCommand) -> None:
    """Exit code 2, with the key and the way out."""
    command.run("models", "fingerprint", "--update")
    path = command.folder / "models.fingerprints.json"
    path.write_text(path.read_text().replace("0.24.0", "0.25.0"))

    done = command.run("models", "fingerprint")

    assert done.returncode == ExitCode.USAGE
    assert "fingerprints.0 (tiny:latest): checksum: found" in done.stderr


def test_without_any_ollama_it_says_how_to_name_one(command: RagbedCommand) -> None:
    """No address, no stack, no default port."""
    done = command.run("models", "fingerprint", OLLAMA_HOST="")

    assert done.returncode == ExitCode.SERVICE_MISSING
    assert "give --url, or set OLLAMA_HOST" in done.stderr


def test_the_mock_is_named_and_left_out(ragbed_up: RagbedCommand) -> None:
    """It is found by the running stack; nothing is compared, nothing recorded."""
    checked = ragbed_up.run("models", "fingerprint", "--model", "all-minilm")
    updated = ragbed_up.run("models", "fingerprint", "--model", "all-minilm", "--update")

    assert (checked.returncode, updated.returncode) == (0, ExitCode.USAGE)
    assert "all-minilm:latest: left out, mock-llm answers" in checked.stdout
    assert "--update" not in checked.stderr
    assert "mock-llm answers at" in updated.stderr
