"""Kill the server at a random moment under writers, start it again, and look for what it had acknowledged.

`python kill_rounds.py --rounds 20 --seed 7` runs it at length; the tests run a few rounds.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import threading
import time
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from typing import Any

import httpx
from qdrant_server import serving

SIZE = 8
BATCH = 25
CONFIG = {
    "vectors": {"size": SIZE, "distance": "Dot"},
    "optimizers_config": {"indexing_threshold": 20, "vacuum_min_vector_number": 100},
}
"""A low threshold, so that kills fall into the indexing too."""


@dataclass(slots=True)
class Ledger:
    """What one writer knows: what the server must have, and what it may have.

    Attributes:
        points: Acknowledged points by id, with the value written last; None: deleted.
        pending: The request under way when the server died, whose ids may hold either state.
    """

    points: dict[int, int | None] = field(default_factory=dict)
    pending: dict[int, int | None] = field(default_factory=dict)


def write(http: httpx.Client, collection: str, changes: dict[int, int | None]) -> None:
    """Write points, or delete them where the value is None; raise httpx.HTTPError when that is not acknowledged."""
    gone = [number for number, value in changes.items() if value is None]
    points = [
        {"id": number, "vector": [1.0] * (SIZE - 1) + [float(value % 1000)], "payload": {"value": value}}
        for number, value in changes.items()
        if value is not None
    ]
    path = f"/collections/{collection}/points"
    answer = (
        http.post(f"{path}/delete?wait=true", json={"points": gone})
        if gone
        else http.put(f"{path}?wait=true", json={"points": points})
    )
    answer.raise_for_status()


def next_changes(ledger: Ledger, random: Random, writer: int) -> dict[int, int | None]:
    """Return new points mostly, sometimes a deletion, sometimes an overwrite; the ids are the writer's own."""
    there = [number for number, value in ledger.points.items() if value is not None]
    action = random.random()
    if there and action < 0.1:
        return dict.fromkeys(random.sample(there, min(len(there), BATCH)))
    if there and action < 0.3:
        return {number: random.randrange(10**6) for number in random.sample(there, min(len(there), BATCH))}
    first = len(ledger.points) + writer * 10_000_000
    return {first + offset: random.randrange(10**6) for offset in range(BATCH)}


def write_until_killed(url: str, collection: str, writer: int, ledger: Ledger, random: Random) -> None:
    """Write until the server is gone, noting what it acknowledged."""
    with httpx.Client(base_url=url, timeout=30) as http, suppress(httpx.TransportError):
        while True:
            changes = next_changes(ledger, random, writer)
            ledger.pending = changes
            write(http, collection, changes)
            ledger.points |= changes
            ledger.pending = {}


def stored(http: httpx.Client, collection: str) -> dict[int, int]:
    """Return the value of every point there is."""
    found: dict[int, int] = {}
    offset: Any = None
    while True:
        body = {"limit": 5000, "offset": offset}
        page = (
            http.post(f"/collections/{collection}/points/scroll", json=body)
            .raise_for_status()
            .json()["result"]
        )
        found |= {point["id"]: point["payload"]["value"] for point in page["points"]}
        offset = page["next_page_offset"]
        if offset is None:
            return found


def settle(ledger: Ledger, found: dict[int, int]) -> list[str]:
    """Compare what there is with what was acknowledged, take it for the truth, and return what is wrong."""
    wrong = []
    for number, value in ledger.points.items():
        allowed = {value, ledger.pending.get(number, value)}
        if found.get(number) not in allowed:
            wrong.append(f"point {number} is {found.get(number)}, acknowledged was {value}")
    for number in ledger.points.keys() | ledger.pending.keys():
        if number in found or number in ledger.points:
            ledger.points[number] = found.get(number)
    ledger.pending = {}
    return wrong


def kill_round(data: Path, ledgers: list[Ledger], random: Random, *, longest_s: float) -> list[str]:
    """Check what the rounds before left, then write and kill; return what is wrong."""
    with serving(data) as server:
        with httpx.Client(base_url=server.url, timeout=60) as http:
            wrong: list[str] = []
            for number, ledger in enumerate(ledgers):
                collection = f"c{number % 2}"  # two writers to a collection
                http.put(f"/collections/{collection}", json=CONFIG)
                wrong += settle(ledger, _own(stored(http, collection), number))
        threads = [
            threading.Thread(
                target=write_until_killed,
                args=(server.url, f"c{number % 2}", number, ledger, Random(random.random())),  # noqa: S311
            )
            for number, ledger in enumerate(ledgers)
        ]
        for thread in threads:
            thread.start()
        time.sleep(random.uniform(0.1, longest_s))  # the moment of the kill is what is varied
        server.kill()
        for thread in threads:
            thread.join()
    return wrong


def _own(found: dict[int, int], writer: int) -> dict[int, int]:
    return {number: value for number, value in found.items() if number // 10_000_000 == writer}


def run(data: Path, *, rounds: int, writers: int, seed: int, longest_s: float) -> tuple[int, list[str]]:
    """Run the rounds and a last look; return how many points were acknowledged, and what is wrong."""
    random = Random(seed)  # noqa: S311
    ledgers = [Ledger() for _ in range(writers)]
    wrong: list[str] = []
    for _ in range(rounds + 1):
        wrong += kill_round(data, ledgers, random, longest_s=longest_s)
    return sum(len(ledger.points) for ledger in ledgers), wrong


def main() -> int:
    """Run what the flags ask for and say what came of it."""
    parser = argparse.ArgumentParser(prog="scripts/soak-qdrant", description=__doc__)
    parser.add_argument("--rounds", type=int, default=20)
    parser.add_argument("--writers", type=int, default=4)
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--longest", type=float, default=5.0, help="seconds until the kill, at most")
    flags = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="soak-qdrant-") as folder:
        points, wrong = run(
            Path(folder) / "data",
            rounds=flags.rounds,
            writers=flags.writers,
            seed=flags.seed,
            longest_s=flags.longest,
        )
    sys.stdout.writelines(f"wrong: {line}\n" for line in wrong[:50])
    sys.stdout.write(
        f"{flags.rounds} kills under {flags.writers} writers, {points} points acknowledged, {len(wrong)} wrong\n"
    )
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
