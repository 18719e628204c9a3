"""The four stores of a stack: counted, emptied, copied and put back, and lent to a test."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, get_args

import httpx
import psycopg
import pytest
import redis
from filled_stores import contents, fill

from ragbed.errors import UsageError
from ragbed.events import CollectingSink
from ragbed.stack.registry import kind_of
from ragbed.state import StateFolder
from ragbed.stores import Snapshots, StoreFailed
from ragbed.stores.port import IsolationMode

if TYPE_CHECKING:
    from pathlib import Path

    from ragbed.stack import Stack
    from ragbed.stores import IsolatedStore
    from ragbed_command import RagbedCommand

SERVICES = ("postgres", "redis", "qdrant", "ollama")
MODES = [("postgres", "database"), ("postgres", "schema"), ("redis", "acl"), ("redis", "prefix")]


def counts(stores: dict[str, IsolatedStore]) -> dict[str, dict[str, int]]:
    """Return every census; the mock's catalogue of models is none of it."""
    return {
        service: {name: n for name, n in store.census().counts.items() if not name.startswith("model ")}
        for service, store in stores.items()
    }


def test_a_census_names_what_there_is(stack: Stack, stores: dict[str, IsolatedStore]) -> None:
    """Tables with rows, keys, collections with points, rules; the marker is none of it."""
    empty = counts(stores)
    fill(stack, "wren")

    assert empty == {"postgres": {}, "redis": {}, "qdrant": {}, "ollama": {"rules": 0, "calls": 0}}
    assert counts(stores) == {
        "postgres": {"public.people": 1, "shop.orders": 7},
        "redis": dict.fromkeys(("bytes\ufffd\r\n", "hash", "ranks", "stream", "fading"), 1),
        "qdrant": {"birds": 11, "bär +%": 0},
        "ollama": {"rules": 1, "calls": 0},
    }


def test_reset_empties_and_leaves_the_marker(stack: Stack, stores: dict[str, IsolatedStore]) -> None:
    """After it the stores take the same content again, and still let the project in."""
    before = [kind_of(name).client(stack[name].url).marker() for name in SERVICES[:3]]
    fill(stack, "wren")
    for store in stores.values():
        store.reset()

    assert counts(stores) == {
        "postgres": {},
        "redis": {},
        "qdrant": {},
        "ollama": {"rules": 0, "calls": 0},
    }
    assert [kind_of(name).client(stack[name].url).marker() for name in SERVICES[:3]] == before
    assert None not in before
    fill(stack, "again")  # a type, function or alias that stayed would refuse


def test_a_snapshot_is_put_back_whole(
    stack: Stack, stores: dict[str, IsolatedStore], ragbed_up: RagbedCommand
) -> None:
    """What was there at the snapshot is there again; what came later is gone."""
    snapshots = Snapshots(state_of(ragbed_up))
    fill(stack, "wren")
    before = contents(stack)
    told = CollectingSink()
    taken = snapshots.take("one", list(stores.values()), data_class="synthetic", events=told)
    for store in stores.values():
        store.reset()
    fill(stack, "later")
    with redis.Redis.from_url(stack["redis"].url) as client:
        client.set("later", "x")

    restored = snapshots.restore("one", list(stores.values()), events=told)

    assert contents(stack) == before
    assert restored == taken == snapshots.all()[0]
    assert [(event.subject, event.data["doing"]) for event in told.of("store.snapshot")] == [
        *((service, "copying") for service in SERVICES),
        *((service, "putting back") for service in SERVICES),
    ]
    assert [(ref.service, ref.records) for ref in taken.stores[:3]] == [
        ("postgres", 8),
        ("redis", 5),
        ("qdrant", 11),
    ]
    snapshots.remove("one")
    assert snapshots.all() == []


def test_a_name_that_is_taken_is_refused(
    stack: Stack, stores: dict[str, IsolatedStore], ragbed_up: RagbedCommand
) -> None:
    """A snapshot is not replaced without being asked to."""
    snapshots, redis_only = Snapshots(state_of(ragbed_up)), [stores["redis"]]
    snapshots.take("two", redis_only, data_class="synthetic")

    with pytest.raises(UsageError, match="there is a snapshot two already"):
        snapshots.take("two", redis_only, data_class="synthetic")
    with pytest.raises(UsageError, match="cannot be a snapshot's name"):
        snapshots.take("../two", redis_only, data_class="synthetic")
    assert snapshots.take("two", redis_only, data_class="internal", replace=True) in snapshots.all()
    snapshots.remove("two")


@pytest.mark.parametrize("service", SERVICES)
def test_a_changed_file_is_refused(
    service: str, stack: Stack, stores: dict[str, IsolatedStore], tmp_path: Path
) -> None:
    """Not a byte of the store changes then."""
    fill(stack, "wren")
    ref = stores[service].snapshot(tmp_path, data_class="synthetic")
    before = contents(stack)
    path = tmp_path / ref.file
    path.write_bytes(path.read_bytes()[:-1] + b"?")

    with pytest.raises(UsageError, match=f"{ref.file} was changed since"):
        stores[service].restore(ref, tmp_path)
    path.unlink()
    with pytest.raises(UsageError, match=f"{ref.file} cannot be read: No such file"):
        stores[service].restore(ref, tmp_path)
    assert contents(stack) == before


@pytest.mark.parametrize("service", SERVICES[:3])
def test_another_major_version_is_refused(
    service: str, stores: dict[str, IsolatedStore], tmp_path: Path
) -> None:
    """A server never gets a snapshot that only a newer one can read."""
    ref = stores[service].snapshot(tmp_path, data_class="synthetic")

    with pytest.raises(UsageError, match=rf"the snapshot of {service} is of {ref.product} 99\.1, and"):
        stores[service].restore(replace(ref, version="99.1"), tmp_path)


def test_a_postgres_restore_that_fails_changes_nothing(
    stack: Stack, stores: dict[str, IsolatedStore], tmp_path: Path
) -> None:
    """The drop and the restore are one transaction."""
    with psycopg.connect(stack["postgres"].url, autocommit=True) as connection:
        connection.execute("CREATE TABLE big (n int CHECK (n > 0))")
        connection.execute("INSERT INTO big VALUES (1)")
        ref = stores["postgres"].snapshot(tmp_path, data_class="synthetic")
        connection.execute("INSERT INTO big VALUES (2)")
        connection.execute("CREATE PUBLICATION of_big FOR TABLE big")  # so that dropping the table needs more
        connection.execute("ALTER ROLE ragbed SET statement_timeout = '1ms'")
        try:
            with pytest.raises(StoreFailed, match="psql ended with 3"):
                stores["postgres"].restore(ref, tmp_path)
        finally:
            connection.execute("ALTER ROLE ragbed RESET statement_timeout")
            rows = connection.execute("SELECT n FROM big ORDER BY n").fetchall()
            connection.execute("DROP PUBLICATION of_big")
    assert rows == [(1,), (2,)]


@pytest.mark.parametrize(("service", "mode"), MODES)
def test_what_a_test_made_goes_with_it(
    service: str, mode: IsolationMode, stores: dict[str, IsolatedStore]
) -> None:
    """Two parts at once are two, and nothing is left of either."""
    store = stores[service]
    before = store.census()
    with store.isolate("tests/test_x.py::test_a[1]", mode) as one, store.isolate("test_a", mode) as two:
        for part, word in ((one, "one"), (two, "two")):
            write_and_read(service, part.url, part.name, word)
        assert one.name != two.name

    assert store.census() == before


def test_an_acl_user_reaches_no_other_key(stack: Stack, stores: dict[str, IsolatedStore]) -> None:
    """The server itself keeps two tests apart."""
    with stores["redis"].isolate("test_a", "acl") as mine:
        client = redis.Redis.from_url(mine.url)
        with client, pytest.raises(redis.exceptions.NoPermissionError):
            client.set("of another", "x")
        with redis.Redis.from_url(stack["redis"].url) as admin:
            assert not admin.exists("of another")


def test_collections_of_a_test_go_with_it(stack: Stack, stores: dict[str, IsolatedStore]) -> None:
    """Those under its prefix, and no other."""
    with httpx.Client(base_url=stack["qdrant"].url) as client:
        body = {"vectors": {"size": 1, "distance": "Dot"}}
        with stores["qdrant"].isolate("test_a", "collections") as mine:
            client.put(f"/collections/{mine.name}mine", json=body).raise_for_status()
            client.put("/collections/another", json=body).raise_for_status()

    assert dict(stores["qdrant"].census().counts) == {"another": 0}


@pytest.mark.parametrize("service", SERVICES)
def test_a_mode_that_a_store_lacks_is_refused(service: str, stores: dict[str, IsolatedStore]) -> None:
    """The refusal names those that it has."""
    store = stores[service]
    lacking = [mode for mode in get_args(IsolationMode) if mode not in store.modes]
    for mode in lacking:
        with pytest.raises(UsageError, match=f"{service} cannot isolate by {mode}"), store.isolate("t", mode):
            pass


def write_and_read(service: str, url: str, name: str, word: str) -> None:
    """Write under the same name in two parts; each must find its own."""
    if service == "postgres":
        with psycopg.connect(url) as connection:
            connection.execute("CREATE TABLE words (word text)")
            connection.execute("INSERT INTO words VALUES (%s)", (word,))
            assert connection.execute("SELECT word FROM words").fetchall() == [(word,)]
    else:
        with redis.Redis.from_url(url, decode_responses=True) as client:
            client.set(f"{name}word", word)
            assert client.get(f"{name}word") == word


def state_of(command: RagbedCommand) -> StateFolder:
    """Return a command's state folder."""
    return StateFolder(command.state)
