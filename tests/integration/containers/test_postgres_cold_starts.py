"""Readiness of Postgres: never of the server that initialises the data."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import psycopg
import pytest
from local_containers import LocalImages, RunningContainer, running

from ragbed.containers.probes import postgres_probe
from ragbed.guard import NotThere, WrongService
from ragbed.stack.registry import kind_of

if TYPE_CHECKING:
    from pathlib import Path

ROUNDS = int(os.environ.get("RAGBED_COLD_STARTS", "5"))


@pytest.mark.parametrize("round_", range(ROUNDS))
def test_probes_pass_on_the_real_server_alone(local_images: LocalImages, tmp_path: Path, round_: int) -> None:
    """The launchers' probe, from outside, and the health check of compose, inside, wait for the server that stays."""
    (tmp_path / "slow.sql").write_text("SELECT pg_sleep(1.5)")  # while the first server answers on its socket
    tmp_path.chmod(0o755)
    options = ("--publish", "127.0.0.1::5432", "--env", "POSTGRES_PASSWORD=secret")
    options += ("--volume", f"{tmp_path}:/docker-entrypoint-initdb.d:ro")
    with running(local_images["postgres"], options=options) as container:
        url = f"postgresql://postgres:secret@127.0.0.1:{container.port(5432)}/postgres"
        asked = wait_for_either(container, url)

        with psycopg.connect(url) as connection:
            row = connection.execute("SHOW listen_addresses").fetchone()
        assert row == ("*",)
        assert container.run("cat", "/proc/1/comm").stdout == "postgres\n"
        assert container.logs().count("ready to accept connections") == 2
        assert asked > 1  # or the first server was not there to be mistaken for the real one


def wait_for_either(container: RunningContainer, url: str) -> int:
    """Ask by both probes in turn until one passes; return how often both failed."""
    client = kind_of("postgres").client(url, timeout_s=1.0)
    words = postgres_probe("postgres", "postgres")[1:]
    failed = 0
    while container.run(*words, check=False).returncode:
        try:
            client.identify()
        except (NotThere, WrongService):
            failed += 1
        else:
            break
    return failed
