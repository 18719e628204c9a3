"""A disk that is full: at the first start, at the copy of the prepared cluster, at the start itself."""

from __future__ import annotations

import threading
from contextlib import closing, contextmanager
from typing import TYPE_CHECKING, Any

import psycopg
import pytest
from fault_place import Place
from fault_writer import SINKS, lost

from ragbed.stack.record import load_record
from small_disk import MOUNTABLE, resize, used_kb

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from fault_place import Outcome

pytestmark = MOUNTABLE


@pytest.mark.parametrize(
    ("free", "cached", "what"),
    [
        (0.0, False, "cannot write the state folder"),
        (0.3, False, "initdb of Postgres failed"),
        (0.3, True, "cannot copy the Postgres template"),
    ],
    ids=["preparing", "initdb", "copy"],
)
def test_full_disk_is_said_and_leaves_nothing(
    small_disk: Path, place: Place, free: float, cached: bool, what: str
) -> None:
    """Wherever the start meets the end of the disk, it says so and leaves nothing; with space it works.

    `free` is the space that is left, in parts of what one cluster takes.
    """
    full = Place(small_disk / "state")
    if cached:
        resize(small_disk, 200_000)
        full.copy_cache(place.folder.cache)
    cluster_kb = used_kb(small_disk) if cached else 35_000
    resize(small_disk, used_kb(small_disk) + max(round(free * cluster_kb), 4))
    if not free:
        (small_disk / "filler").write_bytes(b"x" * 4096)

    outcome = full.run("up", "-d")
    left = full.left()
    resize(small_disk, 400_000)
    codes = [full.run(*words).code for words in (["up", "-d"], ["status"], ["down"])]

    assert outcome.code == (10 if free else 2), outcome
    assert what in outcome.error[0]
    assert "free some disk space" in outcome.error[-1], outcome
    assert left == []
    assert codes == [0, 0, 0]


def test_full_disk_at_a_later_start_keeps_the_data(small_disk: Path, place: Place) -> None:
    """A start on kept data without a page to spare says so, and with space the data is there."""
    full = Place(small_disk / "state")
    resize(small_disk, 400_000)
    full.copy_cache(place.folder.cache)
    full.run("up", "-d", "--keep")
    url = (load_record(full.folder) or pytest.fail("no stack")).endpoints["postgres"].url
    with closing(SINKS["postgres"](url)) as sink:
        sink.write(1)
    full.run("down")
    resize(small_disk, used_kb(small_disk))

    outcome = full.run("up", "-d", "--keep")
    left = full.left()
    resize(small_disk, 400_000)
    again = full.run("up", "-d", "--keep")
    url = (load_record(full.folder) or pytest.fail("no stack")).endpoints["postgres"].url
    gone = lost("postgres", url, {1})
    full.run("down")

    assert outcome.code in {2, 10}, outcome  # which write comes too late is chance; that it is said is not
    assert "free some disk space" in outcome.error[-1]
    assert (left, again.code, gone) == ([], 0, set())


def test_a_migration_that_meets_the_end_of_the_disk_says_so(small_disk: Path, place: Place) -> None:
    """It names the cause and what helps, and changes nothing; with space it works."""
    resize(small_disk, 400_000)
    full = Place(small_disk / "state")
    full.copy_cache(place.folder.cache)
    assert full.run("up", "-d").code == 0
    resize(small_disk, used_kb(small_disk) + 16)

    outcome = full.run("migrate")
    resize(small_disk, 400_000)
    codes = [full.run(*words).code for words in (["up", "-d"], ["migrate"], ["down"])]

    assert "No space left on device" in outcome.error[0], outcome
    assert "free some disk space" in outcome.error[-1], outcome
    assert codes == [0, 0, 0]


def test_a_postgres_that_dies_of_a_full_disk_during_a_migration_is_told_as_that(
    small_disk: Path, place: Place
) -> None:
    """The migration sees a closed connection; the first line says why, the last what helps, and then it works."""
    resize(small_disk, 400_000)
    full = Place(small_disk / "state")
    full.copy_cache(place.folder.cache)
    assert full.run("up", "-d").code == 0
    url = (load_record(full.folder) or pytest.fail("no stack")).endpoints["postgres"].url
    with psycopg.connect(url, autocommit=True) as other:
        hold_migrations(other, full)
        resize(small_disk, used_kb(small_disk))
        with migrating(full) as outcomes:
            wait_for_a_waiting_migration(other)
            with pytest.raises(psycopg.OperationalError, match="No space left on device"):
                fill_the_log(other)
    refused = full.run("migrate")
    resize(small_disk, 400_000)
    codes = [full.run(*words).code for words in (["up", "-d"], ["migrate"], ["down"])]

    assert outcomes[0].code == 10
    for outcome in (*outcomes, refused):
        assert "free some disk space below" in outcome.error[-1], outcome
    assert "ragbed: the disk is full: schema ragbed_default_" in outcomes[0].error[0], outcomes
    assert codes == [0, 0, 0]


def hold_migrations(connection: psycopg.Connection[tuple[Any, ...]], place: Place) -> None:
    """Take the lock that a migration of the namespace `default` waits for."""
    name = f"ragbed_default_{place.folder.project().id}"
    connection.execute("SELECT pg_advisory_lock(hashtextextended(%s, 1))", [name])


def wait_for_a_waiting_migration(connection: psycopg.Connection[tuple[Any, ...]]) -> None:
    """Return once a migration waits for the lock."""
    waiting = "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND NOT granted"
    while connection.execute(waiting).fetchone() != (1,):
        connection.execute("SELECT pg_sleep(0.05)")


def fill_the_log(connection: psycopg.Connection[tuple[Any, ...]]) -> None:
    """Write ahead until Postgres needs another file for it, and has no room: the server ends."""
    for _ in range(64):
        connection.execute("SELECT pg_logical_emit_message(false, 'fill', repeat('x', 1000000))")


@contextmanager
def migrating(place: Place) -> Iterator[list[Outcome]]:
    """Run `ragbed migrate` beside the block; its outcome is in the list after it."""
    outcomes: list[Outcome] = []
    thread = threading.Thread(target=lambda: outcomes.append(place.run("migrate")))
    thread.start()
    yield outcomes
    thread.join()
