"""The embedding cache in Redis or Valkey: packed 32-bit floats under a time to live."""

from __future__ import annotations

from array import array
from functools import cached_property
from typing import TYPE_CHECKING, cast

from ragbed.pipeline.ports import CacheUnavailable

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import redis

    from ragbed.pipeline.config import PipelineConfig
    from ragbed.pipeline.records import Vector

_SCAN_COUNT = 500


class RedisEmbeddingCache:
    """Keeps embeddings in Redis under `ragbed:<namespace>:embedding:`.

    Args:
        config: Address, namespace and time to live.
    """

    def __init__(self, config: PipelineConfig) -> None:
        self._config = config
        self._prefix = f"{config.key_prefix}embedding:"

    @cached_property
    def _client(self) -> redis.Redis:
        import redis  # noqa: PLC0415 - 0.1 s to import
        from redis.maint_notifications import MaintNotificationsConfig  # noqa: PLC0415 - as above

        timeout_s = self._config.limits.connect_timeout_s
        return redis.Redis.from_url(
            self._config.stores.redis_url,
            socket_timeout=timeout_s,
            socket_connect_timeout=timeout_s,
            # A server could name another host by them, and the client would move there with the password.
            maint_notifications_config=MaintNotificationsConfig(enabled=False),
        )

    def get_many(self, keys: Sequence[str]) -> list[Vector | None]:
        """Return a vector or None per key, in order; a damaged value counts as none.

        Raises:
            CacheUnavailable: Redis does not answer, or refuses.
        """
        import redis  # noqa: PLC0415 - 0.1 s to import

        if not keys:
            return []
        try:
            values = cast("list[bytes | None]", self._client.mget([self._prefix + key for key in keys]))
        except (redis.RedisError, OSError, ValueError) as error:
            raise CacheUnavailable(str(error)) from error
        return [_unpack(value) for value in values]

    def put_many(self, vectors: Mapping[str, Vector]) -> None:
        """Keep vectors by key for the configured time.

        Raises:
            CacheUnavailable: Redis does not answer, or refuses.
        """
        import redis  # noqa: PLC0415 - 0.1 s to import

        try:
            with self._client.pipeline(transaction=False) as batch:
                for key, vector in vectors.items():
                    batch.set(
                        self._prefix + key, array("f", vector).tobytes(), ex=self._config.stores.cache_ttl_s
                    )
                batch.execute()
        except (redis.RedisError, OSError, ValueError) as error:
            raise CacheUnavailable(str(error)) from error

    def clear(self) -> None:
        """Forget everything of this namespace.

        Raises:
            CacheUnavailable: Redis does not answer, or refuses.
        """
        import redis  # noqa: PLC0415 - 0.1 s to import

        try:
            keys = self._client.scan_iter(match=f"{self._config.key_prefix}*", count=_SCAN_COUNT)
            for key in keys:
                self._client.unlink(key)
        except (redis.RedisError, OSError, ValueError) as error:
            raise CacheUnavailable(str(error)) from error

    def close(self) -> None:
        """Close connections; doing it twice is harmless."""
        if "_client" in self.__dict__:
            self._client.close()


def _unpack(value: bytes | None) -> Vector | None:
    if not value or len(value) % 4:
        return None
    numbers = array("f")
    numbers.frombytes(value)
    return numbers.tolist()
