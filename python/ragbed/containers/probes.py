"""How a container is asked from inside whether it is well, with what its image has: no curl, no wget."""

from __future__ import annotations

_HTTP = (
    'exec 3<>/dev/tcp/127.0.0.1/{port} && printf "GET {path} HTTP/1.0\\r\\nHost: localhost\\r\\n\\r\\n" >&3 '
    '&& read -r -t 4 line <&3 && [ "$${{line#* 200}}" != "$$line" ]'
)


def http_probe(port: int, path: str) -> list[str]:
    """Return a health check by HTTP, for compose: bash itself opens the connection.

    Args:
        port: Inside the container.
        path: Answered with 200 by a server that is ready.
    """
    return ["CMD", "bash", "-c", _HTTP.format(port=port, path=path)]


def postgres_probe(user: str, database: str) -> list[str]:
    """Return a health check of Postgres: over TCP, which the server that initialises the data does not listen on."""
    return ["CMD", "pg_isready", "--quiet", "--host=127.0.0.1", f"--username={user}", f"--dbname={database}"]


def redis_probe() -> list[str]:
    """Return a health check of Redis or Valkey."""
    return ["CMD", "redis-cli", "ping"]
