"""A writer per store that notes what was acknowledged, and the check that all of it is there."""

from __future__ import annotations

import http.client
import json
from contextlib import closing
from threading import Event, Thread
from typing import TYPE_CHECKING, Any, Protocol
from urllib.parse import urlsplit

import psycopg
import redis

if TYPE_CHECKING:
    from collections.abc import Callable

_NAME = "fault_writes"


class Sink(Protocol):
    """One store, as far as this needs it."""

    def write(self, number: int) -> None:
        """Write one number; returning means that the store has acknowledged it."""

    def read(self) -> set[int]:
        """Return the numbers that are there."""

    def close(self) -> None:
        """Close the connection."""


class Rows:
    """Rows of a Postgres table, a transaction each."""

    def __init__(self, url: str) -> None:
        self._connection = psycopg.connect(url, autocommit=True, connect_timeout=5)
        self._connection.execute("CREATE TABLE IF NOT EXISTS fault_writes (number int PRIMARY KEY)")

    def write(self, number: int) -> None:
        """Insert a row."""
        self._connection.execute("INSERT INTO fault_writes VALUES (%s)", [number])

    def read(self) -> set[int]:
        """Return every row."""
        return {row[0] for row in self._connection.execute("SELECT number FROM fault_writes")}

    def close(self) -> None:
        """Close the connection."""
        self._connection.close()


class Members:
    """Members of a Redis set."""

    def __init__(self, url: str) -> None:
        self._client: Any = redis.Redis.from_url(url, socket_timeout=5)

    def write(self, number: int) -> None:
        """Add a member."""
        self._client.sadd(_NAME, number)

    def read(self) -> set[int]:
        """Return every member."""
        return {int(member) for member in self._client.smembers(_NAME)}

    def close(self) -> None:
        """Close the connection."""
        self._client.close()


class Points:
    """Points of a Qdrant collection."""

    def __init__(self, url: str) -> None:
        parts = urlsplit(url)
        self._connection = http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=5)
        if not self._ask("GET", "/exists")["exists"]:
            self._ask("PUT", "", {"vectors": {"size": 2, "distance": "Dot"}})

    def write(self, number: int) -> None:
        """Upsert a point and wait for it."""
        self._ask("PUT", "/points?wait=true", {"points": [{"id": number, "vector": [1.0, float(number)]}]})

    def read(self) -> set[int]:
        """Return the id of every point."""
        found = self._ask("POST", "/points/scroll", {"limit": 1_000_000, "with_payload": False})
        return {point["id"] for point in found["points"]}

    def close(self) -> None:
        """Close the connection."""
        self._connection.close()

    def _ask(self, method: str, path: str, body: object = None) -> Any:
        self._connection.request(
            method,
            f"/collections/{_NAME}{path}",
            body=json.dumps(body) if body is not None else None,
            headers={"Content-Type": "application/json"},
        )
        response = self._connection.getresponse()
        answer = json.load(response)
        if response.status != 200:
            raise ConnectionError(f"{method} {path} answers {response.status}: {answer}")
        return answer["result"]


SINKS: dict[str, Callable[[str], Sink]] = {"postgres": Rows, "redis": Members, "qdrant": Points}
_LOST = (OSError, psycopg.Error, redis.RedisError, http.client.HTTPException, ValueError)


class Writer:
    """Writes numbers one after another until its store goes or it is told to stop.

    Attributes:
        acknowledged: What the store has acknowledged.
        refused: What it said last; empty while it has not refused anything.
    """

    def __init__(self, service: str, url: str) -> None:
        self.service = service
        self.acknowledged: set[int] = set()
        self.refused = ""
        self._sink = SINKS[service](url)
        self._stop = Event()
        self._thread = Thread(target=self._write, daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Stop writing."""
        self._stop.set()
        self._thread.join()
        self._sink.close()

    def _write(self) -> None:
        number = 0
        while not self._stop.is_set():
            number += 1
            try:
                self._sink.write(number)
            except _LOST as error:
                self.refused = str(error)
                return
            self.acknowledged.add(number)


def lost(service: str, url: str, acknowledged: set[int]) -> set[int]:
    """Return what was acknowledged and is not there any more."""
    with closing(SINKS[service](url)) as sink:
        return acknowledged - sink.read()
