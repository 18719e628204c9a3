"""The local images: each serves what it says, and holds nothing that it does not need."""

from __future__ import annotations

import urllib.request
from typing import TYPE_CHECKING

import psycopg
import pytest
from local_containers import LocalImages, RunningContainer, docker, running, wait_for

from ragbed.containers import daemon
from ragbed.containers.workshop import Workshop
from ragbed.pins import load_stack_pins, satisfies
from ragbed.pins.in_force import our_pin_file

if TYPE_CHECKING:
    from pathlib import Path

SERVED = {
    "postgres": (5432, "postgresql://postgres:secret@127.0.0.1:{port}/postgres"),
    "redis": (6379, "redis://127.0.0.1:{port}/0"),
    "qdrant": (6333, "http://127.0.0.1:{port}"),
    "ollama": (11434, "http://127.0.0.1:{port}"),
}


def published(inside: int, *more: str) -> tuple[str, ...]:
    """Options of a container whose port is on loopback."""
    return ("--publish", f"127.0.0.1::{inside}", *more)


@pytest.mark.parametrize("service", list(SERVED))
def test_service_answers_from_outside_as_pinned(local_images: LocalImages, service: str) -> None:
    """What answers is of the version that the written pins name, and in the range that ours accept."""
    inside, address = SERVED[service]
    options = published(inside, "--env", "POSTGRES_PASSWORD=secret")
    with running(local_images[service], options=options) as container:
        identity = wait_for(service, address.format(port=container.port(inside))).identify()

    assert satisfies(identity.version, f"=={local_images.images[service]['version']}")
    assert load_stack_pins(our_pin_file("stack.toml"))[service].accepts(identity.product, identity.version)


def test_written_pins_override_the_channel(
    local_images: LocalImages, monkeypatch: pytest.MonkeyPatch
) -> None:
    """`RAGBED_STACK_FILE` of the written part gives local images, and ours for all the rest."""
    monkeypatch.setenv("RAGBED_STACK_FILE", str(Workshop(local_images.folder).stack_file))
    pins = load_stack_pins()

    for service in SERVED:
        image = pins[service].channels.image
        assert (image.reference, image.digest) == (
            local_images.images[service]["reference"],
            local_images.images[service]["digest"],
        )
        assert "/ragbed.local/" in image.reference
    assert (
        pins["postgres"].channels.nix == load_stack_pins(our_pin_file("stack.toml"))["postgres"].channels.nix
    )


def test_substitutes_say_so(local_images: LocalImages) -> None:
    """The embedded Qdrant and the mock LLM are named by a label, and by a header of each answer."""
    labels = {name: daemon_label(local_images[name]) for name in ("qdrant", "mock-llm", "postgres", "app")}
    with running(local_images["qdrant"], options=published(6333)) as container:
        url = f"http://127.0.0.1:{container.port(6333)}"
        wait_for("qdrant", url)
        with urllib.request.urlopen(url) as answer:
            header = answer.headers["X-Ragbed-Substitute"]

    assert labels == {"qdrant": "embedded-qdrant", "mock-llm": "mock-llm", "postgres": "", "app": ""}
    assert header == "embedded-qdrant"


def daemon_label(image: str) -> str:
    """What an image says it is a substitute for the real service by."""
    return docker(
        "image", "inspect", "--format", '{{index .Config.Labels "dev.ragbed.substitute"}}', image
    ).stdout.strip()


@pytest.mark.parametrize("image", ["app", "mock-llm", "qdrant"])
def test_our_servers_run_unprivileged_without_build_tools(local_images: LocalImages, image: str) -> None:
    """No root, no installer, no compiler, no package manager."""
    script = "id -u; command -v pip pip3 uv gcc cc make apt apt-get curl wget; python -c 'import pip' 2>&1 | tail -1"
    said = docker("run", "--rm", local_images[image], "bash", "-c", script).stdout.splitlines()

    assert said == ["1000", "ModuleNotFoundError: No module named 'pip'"]


def test_postgres_has_pgvector(local_images: LocalImages) -> None:
    """The extension that the pipeline's migrations ask for, at 0.8."""
    options = published(5432, "--env", "POSTGRES_PASSWORD=secret")
    query = "SELECT extversion FROM pg_extension WHERE extname = 'vector'"
    with (
        running(local_images["postgres"], options=options) as container,
        connected(container, password="secret") as connection,
    ):
        connection.execute("CREATE EXTENSION vector")
        row = connection.execute(query).fetchone()

    assert row
    assert row[0].startswith("0.8.")


def connected(container: RunningContainer, *, password: str, user: str = "postgres") -> psycopg.Connection:
    """Connect once it answers."""
    url = f"postgresql://{user}:{password}@127.0.0.1:{container.port(5432)}/{user}"
    wait_for("postgres", url)
    return psycopg.connect(url)


def test_postgres_initialises_as_upstreams_image_does(local_images: LocalImages, tmp_path: Path) -> None:
    """User, database, a password from a file, scripts; and the data is kept at the next start."""
    (tmp_path / "password").write_text("from-a-file\n")
    (tmp_path / "10-table.sql").write_text("CREATE TABLE made (number int); INSERT INTO made VALUES (1);")
    (tmp_path / "20-row.sh").write_text("psql --quiet --command='INSERT INTO made VALUES (2)'\n")
    tmp_path.chmod(0o755)
    scripts = f"{tmp_path}:/docker-entrypoint-initdb.d:ro"
    options = published(5432, "--volume", scripts, "--env", "POSTGRES_USER=me")
    options += ("--env", "POSTGRES_PASSWORD_FILE=/docker-entrypoint-initdb.d/password")
    with running(local_images["postgres"], "-c", "fsync=off", options=options) as container:
        with connected(container, user="me", password="from-a-file") as connection:
            assert connection.execute("SELECT number FROM made ORDER BY 1").fetchall() == [(1,), (2,)]
            assert connection.execute("SHOW fsync").fetchone() == ("off",)
            connection.execute("INSERT INTO made VALUES (3)")
        docker("restart", container.name)
        with connected(container, user="me", password="from-a-file") as connection:
            assert connection.execute("SELECT number FROM made ORDER BY 1").fetchall() == [(1,), (2,), (3,)]


def test_first_start_of_postgres_that_was_killed_is_begun_again(
    local_images: LocalImages, tmp_path: Path
) -> None:
    """What it leaves half done does not pass for a whole cluster."""
    script = tmp_path / "10-table.sql"
    script.write_text("CREATE TABLE made (number int); SELECT pg_sleep(600);")
    tmp_path.chmod(0o755)
    options = published(5432, "--volume", f"{tmp_path}:/docker-entrypoint-initdb.d:ro")
    options += ("--env", "POSTGRES_PASSWORD=secret")
    with running(local_images["postgres"], options=options) as container:
        made = ("psql", "--username=postgres", "--command=TABLE made")
        while container.run(*made, check=False).returncode:
            pass
        docker("kill", container.name)
        script.write_text("CREATE TABLE made (number int); INSERT INTO made VALUES (1);")
        docker("start", container.name)

        with connected(container, password="secret") as connection:
            assert connection.execute("SELECT number FROM made").fetchall() == [(1,)]
        assert "the first start was interrupted" in container.logs()


def test_postgres_without_a_password_is_refused(local_images: LocalImages) -> None:
    """One line says what to give."""
    done = docker("run", "--rm", local_images["postgres"], check=False)

    assert done.returncode == 1
    assert "POSTGRES_PASSWORD is not given" in done.stderr


def test_daemon_has_what_was_built(local_images: LocalImages) -> None:
    """The daemon knows each image by the digest of the manifest that was written here."""
    for name, image in local_images.images.items():
        assert daemon.has(local_images[name])
        assert (local_images.folder / "blobs" / image["digest"].removeprefix("sha256:")).is_file()
