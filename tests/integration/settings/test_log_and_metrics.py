"""`LOG_LEVEL`, `DEBUG`, `METRICS_ENABLED` and `TEST_MODE` on real processes: our servers and the command line."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING

import httpx
import pytest

from ragbed_command import RagbedCommand

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

SERVERS = ["qdrant", "gateway"]
BUDGETS = (
    "budget.daily_usd = 1.0 (environment DAILY_COST_LIMIT_USD):"
    " budgets are not kept yet, and no paid provider can be called"
)
OFF = "metrics are switched off by METRICS_ENABLED"


@contextmanager
def serving(
    server: str, folder: Path, **environ: str
) -> Iterator[tuple[httpx.Client, subprocess.Popen[str]]]:
    """Yield a client of one of our servers, and its process."""
    words = ["--data", str(folder / "data")] if server == "qdrant" else []
    with subprocess.Popen(
        [sys.executable, "-P", "-m", f"ragbed.{server}", "--port", "0", *words],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        cwd=folder,
        env={**os.environ, **environ},
    ) as process:
        try:
            assert process.stdout is not None
            with httpx.Client(base_url=process.stdout.readline().split()[-1], timeout=30) as client:
                yield client, process
        finally:
            process.terminate()


@pytest.fixture
def ragbed(tmp_path: Path) -> RagbedCommand:
    """The command line in a project of its own."""
    (project := tmp_path / "project").mkdir()
    (project / "ragbed.toml").touch()
    return RagbedCommand(state=tmp_path / "state", folder=project, environ={"MODEL_PROVIDER": "mock"})


def log_of(server: str, folder: Path, **environ: str) -> str:
    """Return what a server logs while it answers one request with a query and one without a route."""
    with serving(server, folder, **environ) as (client, process):
        client.get("/", params={"api_key": "hidden"})
        client.get("/nowhere")
        process.terminate()
        return process.communicate()[1]


@pytest.mark.parametrize("server", SERVERS)
def test_requests_are_logged_from_info_on(server: str, tmp_path: Path) -> None:
    """A line each, with time, level and logger; a query, where a key may stand, is left out."""
    lines = log_of(server, tmp_path, LOG_LEVEL="info").splitlines()

    assert [re.sub(r"^\S+ \S+ |[\d.]+ s$", "", line) for line in lines] == [
        "INFO ragbed.request_log: GET '/' 200 in ",
        "INFO ragbed.request_log: GET '/nowhere' 404 in ",
    ]


@pytest.mark.parametrize("server", SERVERS)
def test_nothing_is_logged_by_default(server: str, tmp_path: Path) -> None:
    """As before there was a level to choose."""
    assert log_of(server, tmp_path) == ""


def test_a_level_that_is_none_keeps_a_server_from_starting(tmp_path: Path) -> None:
    """It says which there are."""
    command = [sys.executable, "-P", "-m", "ragbed.gateway", "--port", "0"]
    environ = {**os.environ, "RAGBED_LOG__LEVEL": "loud"}

    done = subprocess.run(
        command, capture_output=True, text=True, check=False, timeout=60, cwd=tmp_path, env=environ
    )

    assert done.returncode == 2
    assert "'loud'" in done.stderr.lower()
    assert "DEBUG, INFO, WARNING, ERROR, CRITICAL" in done.stderr


@pytest.mark.parametrize(
    ("environ", "shown"),
    [
        ({}, False),
        ({"LOG_LEVEL": "DEBUG"}, True),
        ({"DEBUG": "true"}, True),
        ({"LOG_LEVEL": "ERROR", "DEBUG": "1"}, False),
    ],
    ids=["default", "level", "debug", "level-before-debug"],
)
def test_an_error_shows_where_it_comes_from_at_debug(
    ragbed: RagbedCommand, environ: dict[str, str], shown: bool
) -> None:
    """The message is the same; a traceback stands above it."""
    done = ragbed.run("env", **environ)

    assert done.returncode == 10
    assert done.stderr.endswith("ragbed: nothing is up\ntry: ragbed up -d\n")
    assert ("Traceback (most recent call last)" in done.stderr) == shown


def test_a_level_of_the_project_reaches_the_servers_of_a_stack(ragbed: RagbedCommand) -> None:
    """They read no file: the command tells them. Their requests stand in `ragbed logs`."""
    (ragbed.folder / "ragbed.toml").write_text(
        '[log]\nlevel = "INFO"\n[metrics]\nenabled = false\n[app]\ntest_mode = true\n', encoding="utf-8"
    )
    up = ragbed.run("up", "-d")
    try:
        environ = json.loads(ragbed.run("env", "--format", "json").stdout)
        pages = [httpx.get(f"{environ[name]}/metrics") for name in ("QDRANT_URL", "OLLAMA_HOST")]
        logs = ragbed.run("logs", "qdrant").stdout
    finally:
        ragbed.run("down")

    started = re.findall(
        r"INFO ragbed\.stack\.launchers\.process_start: (\S+) \S+ started as process \d+ in", up.stderr
    )
    assert sorted(started) == ["embedded-qdrant", "mock-llm", "postgres", "valkey"]
    assert environ["TEST_MODE"] == "true"
    assert [page.status_code for page in pages] == [404, 404]
    assert "INFO ragbed.request_log: GET '/metrics' 404 in" in logs


def test_metrics_can_be_switched_off(tmp_path: Path) -> None:
    """The page is gone, in the server's own shape of a refusal; everything else is there."""
    with serving("qdrant", tmp_path, METRICS_ENABLED="false") as (client, _):
        gone, there = client.get("/metrics"), client.get("/collections")
    with serving("gateway", tmp_path, METRICS_ENABLED="0") as (client, _):
        mock = client.get("/metrics")

    assert (gone.status_code, gone.json()["status"]["error"]) == (404, f"Bad request: {OFF}")
    assert there.status_code == 200
    assert (mock.status_code, mock.json()) == (404, {"error": OFF})


def test_what_is_not_there_yet_is_told_once_on_stderr(ragbed: RagbedCommand) -> None:
    """Tier `ci` goes on with processes; stdout stays what it was."""
    done = ragbed.run("env", APP_ENV="ci", DAILY_COST_LIMIT_USD="1.0")

    assert done.stdout == ""
    told = [line for line in done.stderr.splitlines() if " yet" in line]
    assert told == [f"ragbed: {BUDGETS}"]
