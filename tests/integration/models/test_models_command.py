"""`ragbed models` in processes of its own: what it prints, what it leaves, what it exits with."""

from __future__ import annotations

import json
import os
import signal
from threading import Event
from typing import TYPE_CHECKING

import pytest
from click.testing import CliRunner
from faulty_registry import Registry, running
from listing_ollama import Listed, listing

from ragbed.cli.models import models
from ragbed.errors import ExitCode
from ragbed.models import BlobFolder, verify_store
from ragbed_command import RagbedCommand
from sample_models import digest_of, sample_model, write_lock_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from ragbed.pins import ModelLock

MODEL = sample_model()
WEIGHTS = digest_of(dict(MODEL.layers)["model"])


@pytest.fixture
def lock(tmp_path: Path) -> ModelLock:
    """The lock in force."""
    return write_lock_of(tmp_path / "models.lock.json", MODEL, license="MIT")


@pytest.fixture
def ragbed(tmp_path: Path, lock: ModelLock) -> RagbedCommand:
    """The command line with a state folder of this test's own, and that lock."""
    environ = {"RAGBED_MODELS_LOCK": str(lock.path)}
    return RagbedCommand(state=tmp_path / "state", folder=tmp_path, environ=environ)


@pytest.fixture
def registry() -> Iterator[Registry]:
    """A registry that has the model."""
    with running(Registry(models=[MODEL])) as registry:
        yield registry


@pytest.fixture
def fetched(ragbed: RagbedCommand, registry: Registry) -> RagbedCommand:
    """The command line once it has fetched everything."""
    done = ragbed.run("models", "fetch", "--registry", registry.url)
    assert done.returncode == 0, done.stderr
    return ragbed


def blobs_of(ragbed: RagbedCommand) -> BlobFolder:
    """Return where it keeps blobs."""
    return BlobFolder(ragbed.state / "models")


@pytest.mark.parametrize("name", list(models.commands))
def test_every_command_explains_itself_with_an_example(name: str) -> None:
    """Help ends in an example that names the command."""
    shown = CliRunner().invoke(models, [name, "--help"]).output

    assert f"ragbed models {name}" in shown.rpartition("Example: ")[2]


def test_a_dry_run_shows_sizes_and_leaves_nothing(ragbed: RagbedCommand) -> None:
    """No connection, no folder: only what would come."""
    done = ragbed.run("models", "fetch", "--dry-run")

    rows = [line.split() for line in done.stdout.splitlines()]
    assert ["tiny:latest", "model", "40", "kB", "40", "kB", WEIGHTS] in rows
    assert not ragbed.state.exists()


def test_what_was_fetched_is_listed(fetched: RagbedCommand) -> None:
    """List says which models are here."""
    (entry,) = fetched.json("models", "list")["models"]

    assert (entry["model"], entry["state"], entry["license"]) == ("tiny:latest", "yes", "MIT")


def test_a_fetch_says_how_far_it_is_on_stderr(ragbed: RagbedCommand, registry: Registry) -> None:
    """Progress goes to stderr, the one JSON document to stdout."""
    done = ragbed.run("models", "fetch", "--registry", registry.url, "--json")

    assert json.loads(done.stdout)["total_bytes"] == sum(map(len, MODEL.blobs.values()))
    assert "(100%)" in done.stderr


def test_production_may_fetch(ragbed: RagbedCommand, registry: Registry) -> None:
    """Fetching writes only local files."""
    done = ragbed.run("models", "fetch", "--registry", registry.url, APP_ENV="production")

    assert done.returncode == 0, done.stderr


def test_a_laid_out_folder_is_printed_and_right(
    fetched: RagbedCommand, lock: ModelLock, tmp_path: Path
) -> None:
    """Stdout is the path and nothing else, so that a shell can use it."""
    done = fetched.run("models", "store", str(tmp_path / "served"))

    assert done.stdout == f"{tmp_path / 'served'}\n"
    assert verify_store(lock.select(), tmp_path / "served") == []


def test_verify_looks_at_blobs_and_the_laid_out_folder(fetched: RagbedCommand) -> None:
    """What is right exits 0 and says what was compared."""
    fetched.run("models", "store")

    done = fetched.run("models", "verify")

    assert done.returncode == 0, done.stdout
    assert f"{fetched.state}/models; {fetched.state}/models/stores/all" in done.stdout


def test_verify_exits_11_on_drift(fetched: RagbedCommand) -> None:
    """One wrong byte is named."""
    path = blobs_of(fetched).path(WEIGHTS)
    path.chmod(0o644)
    path.write_bytes(b"\0" + path.read_bytes()[1:])

    done = fetched.run("models", "verify")

    assert done.returncode == ExitCode.DRIFT
    assert f"blobs: tiny:latest model {WEIGHTS[7:19]}: corrupted blob: has bytes of " in done.stdout


def test_what_went_bad_on_the_disk_is_fetched_anew(fetched: RagbedCommand, registry: Registry) -> None:
    """Size alone does not show it; what `verify` advises mends it."""
    path = blobs_of(fetched).path(WEIGHTS)
    path.chmod(0o644)
    path.write_bytes(b"\0" + path.read_bytes()[1:])
    advised = "ragbed models fetch --rehash --model tiny:latest"
    assert f"try: {advised}" in fetched.run("models", "verify").stderr

    mended = fetched.run(*advised.split()[1:], "--registry", registry.url)

    assert f"model {WEIGHTS} was corrupted and is fetched anew" in mended.stderr
    assert fetched.run("models", "verify").returncode == 0


def test_verify_compares_a_live_server(ragbed: RagbedCommand, lock: ModelLock) -> None:
    """With --url only that is looked at; a moved tag exits 11."""
    with listing(Listed()) as listed:
        listed.add(MODEL, lock["tiny"])
        right = ragbed.run("models", "verify", "--url", listed.url)
        listed.tags["tiny:latest"]["digest"] = "0" * 64
        wrong = ragbed.json("models", "verify", "--url", listed.url)

    assert right.returncode == 0, right.stdout
    assert [found["kind"] for found in wrong["differences"]] == ["tag moved"]


def test_verify_does_not_compare_the_mock(ragbed: RagbedCommand, lock: ModelLock) -> None:
    """And says so."""
    with listing(Listed(substitute="mock-llm")) as listed:
        done = ragbed.run("models", "verify", "--url", listed.url)

    assert done.returncode == 0
    assert "is not compared: mock-llm has digests of its own" in done.stderr
    assert "there was nothing to compare" in done.stdout


def test_an_ollama_of_the_stack_that_hangs_is_named(ragbed: RagbedCommand) -> None:
    """Nobody takes a silent server for a compared one."""
    assert ragbed.run("up", "-d").returncode == 0
    pid = next(one["pid"] for one in ragbed.json("status")["services"] if one["name"] == "ollama")
    os.kill(pid, signal.SIGSTOP)
    try:
        done = ragbed.run("models", "verify")
    finally:
        os.kill(pid, signal.SIGCONT)
        ragbed.run("down", "--all")

    assert "is not compared: no Ollama answers at" in done.stderr


def test_verify_refuses_a_server_elsewhere(ragbed: RagbedCommand) -> None:
    """The local tier stays on this machine."""
    done = ragbed.run("models", "verify", "--url", "http://elsewhere.example:11434")

    assert done.returncode == ExitCode.REFUSED


def test_locking_asks_before_it_writes(ragbed: RagbedCommand, lock: ModelLock) -> None:
    """The diff is shown; without a yes the file stays as it was."""
    before = lock.path.read_bytes()
    with running(Registry(models=[sample_model("new")])) as registry:
        done = ragbed.run("models", "lock", "new", "--registry", registry.url, answer="n\n")

    assert '+    "new:latest": {' in done.stdout
    assert (done.returncode, lock.path.read_bytes()) == (ExitCode.INTERRUPTED, before)


def test_locking_writes_with_yes(ragbed: RagbedCommand) -> None:
    """The new entry is in force at once."""
    with running(Registry(models=[sample_model("new")])) as registry:
        done = ragbed.run("models", "lock", "new", "--registry", registry.url, "--set", "more", "--yes")

    assert done.returncode == 0, done.stderr
    assert ragbed.json("models", "show", "new")["sets"] == ["more"]


def test_why_says_who_wants_a_model_and_what_it_costs(ragbed: RagbedCommand) -> None:
    """Settings and sets, disk and memory."""
    done = ragbed.run("models", "why", "tiny", RAGBED_LLM__MODEL="tiny")

    assert (
        "tiny:latest is wanted by: setting llm.model (environment RAGBED_LLM__MODEL), set all, which is"
        in done.stdout
    )
    assert "memory: 40 kB of weights at least" in done.stdout


@pytest.mark.parametrize(
    ("words", "answer", "left"),
    [([], "n\n", True), ([], "y\n", False), (["--yes"], "", False), (["--dry-run"], "", True)],
    ids=["no", "yes", "--yes", "--dry-run"],
)
def test_pruning_removes_only_what_was_agreed_to(
    fetched: RagbedCommand, words: list[str], answer: str, left: bool
) -> None:
    """A blob that no entry wants goes once somebody has said yes; the others stay."""
    extra = blobs_of(fetched).path(digest_of(b"extra"))
    extra.write_bytes(b"extra")

    fetched.run("models", "prune", *words, answer=answer)

    assert (extra.exists(), blobs_of(fetched).path(WEIGHTS).exists()) == (left, True)


@pytest.mark.parametrize(
    "words",
    [
        ["fetch", "--set", "nope"],
        ["fetch", "--model", "nope"],
        ["show", "nope"],
        ["fetch", "--registry", "http://127.0.0.1:9", "--from", "."],
        ["fetch", "--from", "."],
        ["prune", "--json"],
        ["verify", "--store", "nope"],
    ],
    ids=" ".join,
)
def test_wrong_usage_exits_2(ragbed: RagbedCommand, words: list[str]) -> None:
    """Unknown names, flags that exclude each other, folders that are none."""
    done = ragbed.run("models", *words)

    assert (done.returncode, done.stdout) == (ExitCode.USAGE, "")


@pytest.mark.parametrize(
    ("number", "code"),
    [(signal.SIGINT, ExitCode.INTERRUPTED), (signal.SIGKILL, -signal.SIGKILL)],
    ids=["int", "kill"],
)
def test_a_fetch_that_is_ended_goes_on_where_it_stopped(
    ragbed: RagbedCommand, number: signal.Signals, code: int
) -> None:
    """Ctrl-C and kill -9 in the middle of a blob: no wrong blob, and the next run asks for the rest."""
    with running(Registry(models=[MODEL], gate=Event())) as registry:
        words = ("models", "fetch", "--registry", registry.url, "--jobs", "1")
        process = ragbed.popen(*words)
        _wait_until(lambda: bool(blobs_of(ragbed).begun()) and _begun_bytes(ragbed) > 0)
        process.send_signal(number)
        output, _ = process.communicate(timeout=20)
        came = _begun_bytes(ragbed)
        assert (process.returncode, blobs_of(ragbed).digests()) == (code, []), output
        assert registry.gate
        registry.gate.set()

        done = ragbed.run(*words)

    assert done.returncode == 0, done.stderr
    assert (f"/v2/library/tiny/blobs/{WEIGHTS}", f"bytes={came}-") in registry.asked


def _begun_bytes(ragbed: RagbedCommand) -> int:
    return sum(blobs_of(ragbed).size_bytes(digest) for digest in blobs_of(ragbed).begun())


def _wait_until(happened: Callable[[], bool]) -> None:
    """Ask again and again, as a file gives no other sign."""
    retries = Event()
    for _ in range(2000):
        if happened():
            return
        retries.wait(0.01)
    raise AssertionError("it did not happen in 20 s")


def test_no_registry_is_a_missing_service(ragbed: RagbedCommand) -> None:
    """Exit code 10, and what was tried."""
    done = ragbed.run("models", "fetch", "--registry", "http://127.0.0.1:9")

    assert done.returncode == ExitCode.SERVICE_MISSING
    assert "try 1: http://127.0.0.1:9/v2/library/tiny/blobs/" in done.stderr
