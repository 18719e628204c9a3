"""The projects that a store's marker names: who is let in, who is told to adopt, and whose server listens."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import psycopg
import pytest
import redis as redis_client

from ragbed.errors import ExitCode
from ragbed.stack.registry import kind_of
from ragbed.stack.services import free_port
from ragbed.state import ProjectIdentity, StateFolder

if TYPE_CHECKING:
    from ragbed_command import RagbedCommand

VARIABLES = {"postgres": "DATABASE_URL", "redis": "REDIS_URL", "qdrant": "QDRANT_URL"}


def project(number: int) -> ProjectIdentity:
    """Return a project by a number."""
    return ProjectIdentity(id=f"{number:016x}", name=f"project {number}")


@pytest.fixture(params=list(VARIABLES))
def service(request: pytest.FixtureRequest) -> str:
    """A kind of store."""
    return str(request.param)


def test_projects_that_come_at_once_are_all_let_in(service: str, ragbed_up: RagbedCommand) -> None:
    """No adoption overwrites another one, and one that leaves takes nobody along."""
    store = kind_of(service).client(ragbed_up.urls()[VARIABLES[service]], timeout_s=20)
    coming = [project(number) for number in range(6)]

    with ThreadPoolExecutor(max_workers=len(coming)) as pool:
        list(pool.map(store.let_in, coming))
    store.let_in(coming[1])
    store.leave(coming[0])

    marker = store.marker()
    assert marker is not None
    assert {one.id: one.name for one in coming[1:]}.items() <= marker.projects.items()
    assert marker.lets_in(StateFolder(ragbed_up.state).project())
    assert not marker.lets_in(coming[0])


def test_the_last_project_takes_the_marker_along(service: str, ragbed_up: RagbedCommand) -> None:
    """A store that lets in nobody carries no marker."""
    store = kind_of(service).client(ragbed_up.urls()[VARIABLES[service]], timeout_s=20)
    found = store.marker()
    assert found is not None
    own = StateFolder(ragbed_up.state).project()

    for key, name in found.projects.items():
        store.leave(ProjectIdentity(id=key, name=name))

    if service != "postgres":  # its table also holds the line of the template
        assert store.marker() is None
    store.leave(own)
    store.let_in(own)
    assert store.marker() is not None


def test_a_store_of_another_project_is_refused_and_then_shared(
    service: str, ragbed_up: RagbedCommand, ragbed: RagbedCommand
) -> None:
    """By URL it exits 13 and names the owner; adopting shows who is let in, and lets this project in beside it."""
    variable = VARIABLES[service]
    url = ragbed_up.urls()[variable]
    owner, own = StateFolder(ragbed_up.state).project(), StateFolder(ragbed.state).project()

    refused = ragbed.run("up", "-d", **{variable: url})
    adopted = ragbed.run("adopt", "--yes", url)

    assert refused.returncode == ExitCode.REFUSED, refused.stderr
    assert f"{owner.name} ({owner.id})" in refused.stderr
    assert f"and not for this project, {own.name} ({own.id})" in refused.stderr
    assert f'ragbed adopt "${variable}"' in refused.stderr
    assert f"{owner.name} ({owner.id})" in adopted.stdout
    marker = kind_of(service).client(url).marker()
    assert marker is not None
    assert marker.lets_in(owner)
    assert marker.lets_in(own)
    assert ragbed.run("adopt", "--remove", url).returncode == 0
    assert ragbed.run("up", "-d", **{variable: url}).returncode == ExitCode.REFUSED


def mark_as_before(service: str, url: str) -> None:
    """Write the marker as an older ragbed did, which names no project."""
    if service == "postgres":
        with psycopg.connect(url, autocommit=True) as connection:
            connection.execute("DROP TABLE IF EXISTS ragbed_marker")
            connection.execute("CREATE TABLE ragbed_marker AS SELECT 'adopted 2026-01-01' AS note")
    elif service == "redis":
        with redis_client.Redis.from_url(url) as client:
            client.set("ragbed:marker", "adopted 2026-01-01T00:00:00+00:00")
    else:
        store = kind_of("qdrant").client(url)
        store._ask("DELETE", "/collections/ragbed_marker")  # type: ignore[attr-defined]
        body = {"vectors": {"size": 1, "distance": "Dot"}}
        store._ask("PUT", "/collections/ragbed_marker", body=body)  # type: ignore[attr-defined]


def test_an_older_marker_lets_nobody_in_until_it_is_adopted(
    service: str, ragbed_up: RagbedCommand, ragbed: RagbedCommand
) -> None:
    """The refusal says that an older ragbed wrote it; `adopt` makes it name this project."""
    variable = VARIABLES[service]
    url = ragbed_up.urls()[variable]
    mark_as_before(service, url)
    try:
        refused = ragbed.run("status", **{variable: url})
        adopted = ragbed.run("adopt", "--yes", url)

        assert "a project of an older ragbed" in refused.stdout
        assert adopted.returncode == 0, adopted.stderr
        marker = kind_of(service).client(url).marker()
        assert marker is not None
        assert set(marker.projects) == {StateFolder(ragbed.state).project().id}
    finally:
        kind_of(service).client(url).let_in(StateFolder(ragbed_up.state).project())


def test_check_tells_whose_server_listens(ragbed_up: RagbedCommand, ragbed: RagbedCommand) -> None:
    """For readiness probes: this project's, another one's, none; without a password, and nothing is written."""
    url = ragbed_up.urls()["DATABASE_URL"]
    without = f"postgresql://127.0.0.1:{url.rpartition(':')[2]}"

    ours, foreign = ragbed_up.run("adopt", "--check", without), ragbed.run("adopt", "--check", without)
    nothing = ragbed.run("adopt", "--check", f"redis://127.0.0.1:{free_port()}")

    assert (ours.returncode, foreign.returncode, nothing.returncode) == (
        ExitCode.FINE,
        ExitCode.REFUSED,
        ExitCode.SERVICE_MISSING,
    ), (ours.stderr, foreign.stderr, nothing.stderr)
    assert "was started by another project's ragbed" in foreign.stderr
