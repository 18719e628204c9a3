"""Redis and Valkey: every key dumped, replaced in one transaction, a prefix or a user of its own per test."""

from __future__ import annotations

import secrets
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, cast
from urllib.parse import urlsplit, urlunsplit

from ragbed.guard.stores.redis import KEY
from ragbed.stores.files import opened, reference
from ragbed.stores.port import (
    Census,
    Isolated,
    SnapshotRef,
    StoreFailed,
    name_for,
    require_mode,
    require_same_major,
)

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path
    from typing import BinaryIO

    import redis

    from ragbed.guard.data_class import DataClass
    from ragbed.stack import Endpoint
    from ragbed.stores.port import IsolationMode

FILE = "redis.resp"

_MARKER = KEY.encode()
_SCAN_COUNT = 1000
_PAUSE_MS = 10_000
_TIMEOUT_S = 60.0


class RedisStore:
    """One database of a Redis or Valkey.

    Args:
        endpoint: Where it answers.
    """

    service = "redis"
    modes: frozenset[IsolationMode] = frozenset({"acl", "prefix"})

    def __init__(self, endpoint: Endpoint) -> None:
        self._endpoint = endpoint
        self._url = endpoint.url
        self._may_pause = endpoint.launcher != "attach"  # a pause holds up all clients of the server

    @contextmanager
    def isolate(self, test: str, mode: IsolationMode) -> Iterator[Isolated]:
        """Lend a key prefix; as `acl`, with a user whom the server lets at no other key."""
        require_mode(self, mode)
        name = name_for(test, secrets.token_hex(3))
        with self.connected() as client:
            url = self._url_of_user(client, name) if mode == "acl" else self._url
        try:
            yield Isolated(
                service=self.service, mode=mode, url=url, name=f"{name}:", environ={"REDIS_URL": url}
            )
        finally:
            with self.connected() as client:
                if mode == "acl":
                    client.acl_deluser(name)
                for keys in _batches(client, match=f"{name}:*"):
                    client.unlink(*keys)

    def _url_of_user(self, client: redis.Redis, name: str) -> str:
        password = secrets.token_hex(16)
        client.acl_setuser(
            name,
            enabled=True,
            passwords=[f"+{password}"],
            keys=[f"{name}:*"],
            channels=[f"{name}:*"],
            categories=["+@all", "-@admin", "-@dangerous"],
        )
        parts = urlsplit(self._url)
        host = parts.netloc.rpartition("@")[2]
        return urlunsplit(parts._replace(netloc=f"{name}:{password}@{host}"))

    def census(self) -> Census:
        """Return the keys, 1 each."""
        with self.connected() as client:
            return Census(
                counts={key.decode(errors="replace"): 1 for keys in _batches(client) for key in keys}
            )

    def reset(self) -> None:
        """Delete every key but the marker's, in one transaction."""
        self._replace(iter(()))

    def snapshot(self, into: Path, *, data_class: DataClass) -> SnapshotRef:
        """Write a RESTORE command per key, which `redis-cli --pipe` reads too; writers wait meanwhile.

        Source: DUMP, RESTORE and CLIENT PAUSE of Redis's documentation.
        """
        path = into / FILE
        names: dict[str, int] = {}
        with self.connected() as client, self._writers_paused(client), path.open("wb") as file:
            for keys in _batches(client):
                for key, expires_ms, value in _dumped(client, keys):
                    _write_command(file, b"RESTORE", key, b"%d" % expires_ms, value)
                    names[key.decode(errors="replace")] = 1
        taken = "one moment" if self._may_pause else "key by key: its writers were not paused"
        return reference(path, self._endpoint, Census(counts=names), data_class=data_class, taken=taken)

    def restore(self, ref: SnapshotRef, folder: Path) -> None:
        """Replace every key, in one transaction; a time to live goes on from here."""
        require_same_major(ref, self._endpoint)
        with opened(ref, folder).open("rb") as file:
            self._replace(_read_commands(file))

    def _replace(self, commands: Iterator[list[bytes]]) -> None:
        with self.connected() as client, client.pipeline(transaction=True) as transaction:
            transaction.watch(_MARKER)  # type: ignore[no-untyped-call]
            marker = transaction.dump(_MARKER)
            transaction.multi()
            transaction.flushdb()
            if marker:
                transaction.restore(_MARKER, 0, marker)
            for _, key, expires_ms, value in commands:
                transaction.restore(key, int(expires_ms), value)
            transaction.execute()

    @contextmanager
    def _writers_paused(self, client: redis.Redis) -> Iterator[None]:
        if not self._may_pause:
            yield
            return
        client.client_pause(_PAUSE_MS, all=False)  # it ends by itself where we are killed
        try:
            yield
        finally:
            client.client_unpause()

    @contextmanager
    def connected(self) -> Iterator[redis.Redis]:
        """Yield a client.

        Raises:
            StoreFailed: Redis refused, or does not answer.
        """
        import redis  # noqa: PLC0415 - 0.1 s that other stores should not pay
        from redis.maint_notifications import MaintNotificationsConfig  # noqa: PLC0415 - as above

        client = redis.Redis.from_url(
            self._url,
            socket_timeout=_TIMEOUT_S,
            socket_connect_timeout=5,
            # A server could name another host by them, and the client would move there with the password.
            maint_notifications_config=MaintNotificationsConfig(enabled=False),
        )
        try:
            with client:
                yield client
        except redis.RedisError as error:
            raise StoreFailed(f"Redis refused: {error}") from error


@contextmanager
def whole_server(endpoint: Endpoint) -> Iterator[Isolated]:
    """Lend every database of a server that no other process uses, and empty them all afterwards.

    Args:
        endpoint: A server that ragbed started for this process.
    """
    yield Isolated(
        service="redis", mode="server", url=endpoint.url, name="", environ={"REDIS_URL": endpoint.url}
    )
    with RedisStore(endpoint).connected() as client:
        client.flushall()


def _batches(client: redis.Redis, match: str | None = None) -> Iterator[list[bytes]]:
    """Yield every key once but the marker's, some hundreds at a time; SCAN may return a key twice."""
    cursor, returned = 0, {_MARKER}
    while True:
        answer = cast("tuple[int, list[bytes]]", client.scan(cursor, match=match, count=_SCAN_COUNT))
        cursor, keys = answer[0], [key for key in dict.fromkeys(answer[1]) if key not in returned]
        if keys:
            returned.update(keys)
            yield keys
        if cursor == 0:
            return


def _dumped(client: redis.Redis, keys: list[bytes]) -> Iterator[tuple[bytes, int, bytes]]:
    """Yield key, remaining time to live (milliseconds, 0 for none) and content of keys that are still there."""
    with client.pipeline(transaction=False) as pipeline:
        for key in keys:
            pipeline.pttl(key)
            pipeline.dump(key)
        answers: list[Any] = pipeline.execute()
    for key, expires_ms, value in zip(keys, answers[::2], answers[1::2], strict=True):
        if value is not None:
            yield key, max(0, expires_ms), value


def _write_command(file: BinaryIO, *words: bytes) -> None:
    file.write(b"*%d\r\n" % len(words))
    file.writelines(b"$%d\r\n%b\r\n" % (len(word), word) for word in words)


def _read_commands(file: BinaryIO) -> Iterator[list[bytes]]:
    """Yield what `_write_command` wrote.

    Source: arrays of bulk strings in the RESP specification.
    """
    while header := file.readline():
        words = []
        for _ in range(int(header[1:])):
            size = int(file.readline()[1:])
            words.append(file.read(size + 2)[:-2])
        yield words
