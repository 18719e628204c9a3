"""What the tests of stores write into each of them, and how they read it back by its own client."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import quote

import httpx
import psycopg
import redis

if TYPE_CHECKING:
    from ragbed.stack import Stack


def fill(stack: Stack, word: str) -> None:
    """Write something into every store."""
    with psycopg.connect(stack["postgres"].url, autocommit=True) as connection:
        connection.execute("CREATE TYPE mood AS ENUM ('sad', 'glad')")
        connection.execute(
            "CREATE TABLE people (name text, mood mood, place vector(3), born date DEFAULT now())"
        )
        connection.execute("CREATE VIEW glad AS SELECT name FROM people WHERE mood = 'glad'")
        connection.execute(
            "CREATE FUNCTION twice(n int) RETURNS int LANGUAGE sql IMMUTABLE AS 'SELECT 2 * n'"
        )
        connection.execute("CREATE SCHEMA shop")
        connection.execute("CREATE TABLE shop.orders (id serial PRIMARY KEY, note text)")
        connection.execute("INSERT INTO people VALUES (%s, 'glad', '[1,2,3]')", (word,))
        connection.execute("INSERT INTO shop.orders (note) SELECT %s FROM generate_series(1, 7)", (word,))
    with redis.Redis.from_url(stack["redis"].url) as client:
        client.set(b"bytes\xff\r\n", f"{word}\r\n\0")
        client.hset("hash", mapping={"a": word, "b": "2"})
        client.zadd("ranks", {word: 1.5})
        client.xadd("stream", {"said": word})
        client.set("fading", word, ex=3600)
    with httpx.Client(base_url=stack["qdrant"].url) as qdrant:
        body = {"vectors": {"size": 2, "distance": "Cosine"}}
        for name in ("birds", "bär +%"):
            assert qdrant.put(f"/collections/{quote(name, safe='')}", json=body).is_success
        points = [{"id": n, "vector": [1.0, n], "payload": {"word": word}} for n in range(1, 12)]
        assert qdrant.put("/collections/birds/points?wait=true", json={"points": points}).is_success
        alias = {"create_alias": {"collection_name": "birds", "alias_name": "wings"}}
        assert qdrant.post("/collections/aliases", json={"actions": [alias]}).is_success
    rules = {"rules": [{"pattern": "hello", "answer": word}]}
    assert httpx.put(f"{stack['ollama'].url}/ragbed/rules", json=rules).is_success


def contents(stack: Stack) -> dict[str, object]:
    """Return all that `fill` wrote, read by each store's own client."""
    with psycopg.connect(stack["postgres"].url) as connection:
        rows = connection.execute(
            "SELECT name, mood, place::text, twice(4), (SELECT name FROM glad) FROM people"
        ).fetchall()
        orders = connection.execute("SELECT id, note FROM shop.orders ORDER BY id").fetchall()
        following = connection.execute("SELECT nextval('shop.orders_id_seq')").fetchone()
        connection.rollback()
        connection.execute("SELECT setval('shop.orders_id_seq', 7)")
    with redis.Redis.from_url(stack["redis"].url) as client:
        keys = {key: client.dump(key) for key in client.scan_iter() if key != b"ragbed:marker"}
        fades = 0 < client.ttl("fading") <= 3600
    with httpx.Client(base_url=stack["qdrant"].url) as qdrant:
        asked = {"limit": 100, "with_vector": True}
        points = qdrant.post("/collections/wings/points/scroll", json=asked).json()["result"]["points"]
        names = sorted(one["name"] for one in qdrant.get("/collections").json()["result"]["collections"])
    rules = httpx.get(f"{stack['ollama'].url}/ragbed/rules").json()
    return {
        "rows": rows,
        "orders": orders,
        "following": following,
        "keys": keys,
        "fades": fades,
        "points": points,
        "collections": names,
        "rules": rules,
    }
