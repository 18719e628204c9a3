"""What somebody else runs: used only when it fits, named when it does not, never replaced when it was given."""

from __future__ import annotations

from contextlib import ExitStack
from typing import TYPE_CHECKING

import pytest
from fault_place import Place
from fault_servers import (
    chatter,
    foreign_postgres,
    listener,
    locked_valkey,
    old_postgres,
    old_redis,
    pins_with_ports,
)

from ragbed.stack import SERVICES
from ragbed.stack.record import load_record

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

SECRET = "hunter2-of-somebody"


def with_ports(place: Place, **ports: int) -> Place:
    """Return the place with a pin file whose default ports are these, and with a look at default ports."""
    project = pins_with_ports(place.root.parent / "project", **ports)
    return Place(place.root, {"RAGBED_ROOT": str(project), "RAGBED_STACK__DEFAULT_PORTS": "true"})


@pytest.fixture
def old_cluster(tmp_path: Path) -> Iterator[int]:
    """Yield the port of a Postgres of a major that the pins do not accept."""
    programs = old_postgres()
    if programs is None:
        pytest.skip("this machine has no Postgres outside the accepted range, such as Debian's 15")
    with foreign_postgres(programs, tmp_path) as port:
        yield port


def test_old_redis_by_url_is_refused(place: Place) -> None:
    """A Redis below the range, given by URL, ends the command with 10 and names version, range and variable."""
    with listener(old_redis) as port:
        outcome = place.run("up", "-d", REDIS_URL=f"redis://127.0.0.1:{port}/0")

    assert outcome.code == 10
    assert f"redis at redis://127.0.0.1:{port}/0, which REDIS_URL names, is redis 6.0.0" in outcome.error[0]
    assert outcome.error[-1].startswith("try: run a version in range")
    assert place.left() == []


def test_old_redis_on_the_default_port_is_passed_over(place: Place) -> None:
    """A Redis below the range on the default port is left alone, and said."""
    with listener(old_redis) as port:
        outcome = with_ports(place, redis=port).run("up", "-d")

    assert outcome.code == 0
    assert f"redis: redis 6.0.0 on port {port} is outside" in outcome.err
    assert "passed over" in outcome.err


@pytest.mark.parametrize("answer", [None, chatter], ids=["silent", "other-protocol"])
def test_something_else_on_a_default_port_is_passed_over(
    place: Place, answer: Callable[[bytes], bytes] | None
) -> None:
    """A listener that is not the service does not stop the stack, and is said."""
    with ExitStack() as stack:
        ports = {service: stack.enter_context(listener(answer)) for service in SERVICES}
        outcome = with_ports(place, **ports).run("up", "-d")

    assert outcome.code == 0
    assert [
        name for name, port in ports.items() if f"{name}: port {port} is held by" not in outcome.err
    ] == []


def test_wrong_redis_password_is_said_without_the_password(place: Place, tmp_path: Path) -> None:
    """A password that Redis refuses ends the command with 10; neither password is shown."""
    with locked_valkey(tmp_path, "the-right-one") as port:
        outcome = place.run("up", "-d", REDIS_URL=f"redis://:{SECRET}@127.0.0.1:{port}/0")

    assert outcome.code == 10
    assert "WRONGPASS" in outcome.error[0]
    assert SECRET not in outcome.out + outcome.err


def test_missing_redis_password_is_said(place: Place, tmp_path: Path) -> None:
    """A Redis that asks for a password, given without one, ends the command with 10 and its own words."""
    with locked_valkey(tmp_path, "the-right-one") as port:
        outcome = place.run("up", "-d", REDIS_URL=f"redis://127.0.0.1:{port}/0")

    assert outcome.code == 10
    assert "NOAUTH" in outcome.error[0]


@pytest.mark.parametrize(
    "form", ["{user}:{secret}@{host}/ragbed", "{host}/ragbed?user={user}&password={secret}"]
)
def test_wrong_postgres_password_is_said_without_the_password(
    place: Place, tmp_path: Path, form: str
) -> None:
    """A password that Postgres refuses ends the command with 10, and is shown in no form of URL."""
    other = Place(tmp_path / "other")
    with ExitStack() as cleanup:
        cleanup.callback(other.kill_all)
        other.run("up", "-d")
        port = (load_record(other.folder) or pytest.fail("no stack")).endpoints["postgres"].url.split(":")[-1]
        host = f"127.0.0.1:{port.partition('/')[0]}"
        url = "postgresql://" + form.format(user="ragbed", secret=SECRET, host=host)
        outcome = place.run("up", "-d", DATABASE_URL=url)

    assert outcome.code == 10
    assert "password authentication failed" in outcome.error[0]
    assert SECRET not in outcome.out + outcome.err


def test_postgres_of_another_major_by_url_is_refused(place: Place, old_cluster: int) -> None:
    """A Postgres outside the range, given by URL, ends the command with 10 and names its version."""
    url = f"postgresql://ragbed:ragbed@127.0.0.1:{old_cluster}/ragbed"

    outcome = place.run("up", "-d", DATABASE_URL=url)

    assert outcome.code == 10
    assert ", which DATABASE_URL names, is postgres " in outcome.error[0]
    assert "outside postgres >=" in outcome.error[0]


def test_postgres_of_another_major_on_the_default_port_is_passed_over(place: Place, old_cluster: int) -> None:
    """A Postgres outside the range on the default port is left alone, and said."""
    outcome = with_ports(place, postgres=old_cluster).run("up", "-d")

    assert outcome.code == 0
    assert f"on port {old_cluster} is outside postgres >=" in outcome.err


@pytest.mark.parametrize("service", ["postgres", "redis"])
def test_port_taken_while_a_service_was_dead_is_named(place: Place, service: str) -> None:
    """A service cannot come back on a port that somebody has taken: 10, with the port; free again, it comes back."""
    place.run("up", "-d")
    record = load_record(place.folder) or pytest.fail("no stack")
    port = int(record.endpoints[service].url.rpartition(":")[2].partition("/")[0])
    place.kill(service)
    with listener(chatter, port=port):
        taken = place.run("up", "-d")
    free = place.run("up", "-d")

    assert (taken.code, free.code) == (10, 0)
    assert f"port {port}" in taken.error[0]
    assert taken.error[-1].startswith("try: ")
