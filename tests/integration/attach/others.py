"""Everything that others run, each server started when a test first asks for it and ended with the session."""

from __future__ import annotations

from contextlib import ExitStack
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any

import other_postgres
import other_qdrant
import other_redis
import other_sockets
import psycopg

from ragbed.stack.services import free_port

if TYPE_CHECKING:
    from pathlib import Path

    from other_postgres import Postgres
    from other_qdrant import Qdrant
    from other_redis import Redis
    from other_sockets import Listener, Serve


@dataclass(kw_only=True)
class Others:
    """The servers of others.

    Attributes:
        folder: Below it, each has its data.
        cleanup: Ends them.
    """

    folder: Path
    cleanup: ExitStack = field(default_factory=ExitStack)

    def _begin(self, server: Any) -> Any:
        return self.cleanup.enter_context(server)

    @cached_property
    def cluster(self) -> Path:
        """The data folder that Postgres servers begin with."""
        return other_postgres.make_cluster(self.folder / "cluster")

    @cached_property
    def postgres(self) -> Postgres:
        """A Postgres with orders, and all kinds of users."""
        made: Postgres = self._begin(other_postgres.primary(self.cluster, self.folder / "primary"))
        return made

    @cached_property
    def standby(self) -> Postgres:
        """A Postgres in recovery."""
        made: Postgres = self._begin(other_postgres.standby(self.cluster, self.folder / "standby"))
        return made

    @cached_property
    def full_postgres(self) -> Postgres:
        """That Postgres, once its users hold every connection that they may have."""
        full: Postgres = self._begin(other_postgres.primary(self.cluster, self.folder / "full"))
        for _ in range(other_postgres.CONNECTIONS - 3):  # three are the superuser's
            self.cleanup.callback(psycopg.connect(full.url("guest")).close)
        return full

    @cached_property
    def redis(self) -> Redis:
        """A Valkey without a password, and users of an access list."""
        made: Redis = self._begin(other_redis.server(self.folder / "redis"))
        other_redis.with_users(made)
        return made

    @cached_property
    def locked_redis(self) -> Redis:
        """A Valkey with a password."""
        words = ("--requirepass", other_redis.SECRET)
        owner = f":{other_redis.SECRET}"
        made: Redis = self._begin(other_redis.server(self.folder / "locked-redis", *words, owner=owner))
        return made

    @cached_property
    def replica(self) -> Redis:
        """A Valkey that follows the first."""
        made: Redis = self._begin(other_redis.server(self.folder / "replica", keys=0))
        other_redis.follow(made, self.redis)
        return made

    @cached_property
    def full_redis(self) -> Redis:
        """A Valkey whose memory is full."""
        made: Redis = self._begin(other_redis.server(self.folder / "full-redis"))
        other_redis.configure(made, maxmemory="1", maxmemory_policy="noeviction")
        return made

    @cached_property
    def lonely_redis(self) -> Redis:
        """A Valkey that takes writes only with a replica, and has none."""
        made: Redis = self._begin(other_redis.server(self.folder / "lonely-redis"))
        other_redis.configure(made, min_replicas_to_write="1")
        return made

    @cached_property
    def cluster_redis(self) -> Redis:
        """A node of a cluster."""
        words = ("--cluster-enabled", "yes", "--cluster-port", str(free_port()))
        made: Redis = self._begin(other_redis.server(self.folder / "node", *words, keys=0))
        return made

    @cached_property
    def qdrant(self) -> Qdrant:
        """A Qdrant without keys."""
        made: Qdrant = self._begin(other_qdrant.server(self.folder / "qdrant" / "data"))
        return made

    @cached_property
    def locked_qdrant(self) -> Qdrant:
        """A Qdrant with a key, and one for reading."""
        made: Qdrant = self._begin(other_qdrant.server(self.folder / "locked-qdrant" / "data", keys=True))
        return made

    @cached_property
    def certificate(self) -> Path:
        """A PEM file, key included, that only itself vouches for."""
        return other_sockets.self_signed(self.folder)

    def listener(self, serve: Serve, host: str = "127.0.0.1") -> Listener:
        """Begin to listen, until the session ends."""
        made: Listener = self._begin(other_sockets.listening(serve, host=host))
        return made
