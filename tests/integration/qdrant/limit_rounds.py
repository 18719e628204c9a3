"""Send bodies at the engine's limits, start the server again after each batch, and look for what it had acknowledged.

`python limit_rounds.py --bodies 2000 --batches 50 --seed 7` runs it at length; the tests run a few batches.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections import Counter
from pathlib import Path
from random import Random
from typing import Any

import httpx
from limit_bodies import CONFIG, Bodies, Request
from qdrant_server import serving

WHOLE = {"limit": 10_000, "with_payload": True, "with_vector": True}
FIRST = [
    {"id": 1_000_000 + number, "vector": {"far": [1, 2, 3, number]}, "payload": {"kept": number}}
    for number in range(10)
]
"""Points that no generated body names: what was acknowledged before must outlive every batch."""

State = dict[str, Any]


def state_of(http: httpx.Client, names: list[str]) -> State:
    """Return what there is: every point of some collections, their settings and payload indexes, and every alias."""
    state: State = {"aliases": http.get("/aliases").json()["result"]}
    for name in names:
        page = http.post(f"/collections/{name}/points/scroll", json=WHOLE)
        info = http.get(f"/collections/{name}")
        state[name] = page.text if page.status_code != 200 else page.json()["result"]["points"]
        state[f"settings of {name}"] = info.text if info.status_code != 200 else [
            info.json()["result"][part] for part in ("config", "points_count")
        ] + sorted(info.json()["result"]["payload_schema"])  # fmt: skip
    return state


def difference(before: State, after: State) -> list[str]:
    """Say what is not as it was before the start."""
    return [
        f"{what} was {str(before[what])[:300]}, is {str(after.get(what))[:300]}"
        for what in before
        if before[what] != after.get(what)
    ]


def send(http: httpx.Client, request: Request, statuses: Counter[int]) -> list[str]:
    """Send a request; say what is wrong with the answer."""
    try:
        answer = http.request(
            request.method, request.path, content=request.body, headers={"content-type": "application/json"}
        )
    except httpx.HTTPError as error:
        return [f"{error!r} on {request.about}"]
    statuses[answer.status_code] += 1
    wrong = answer.status_code >= 500 and answer.status_code != 501
    return [f"{answer.status_code} {answer.text[:300]} on {request.about}"] if wrong else []


def unreadable(state: State) -> list[str]:
    """Name the collections that cannot be read any more, or lack what nothing has deleted."""
    return [f"{what} cannot be read: {held[:300]}" for what, held in state.items() if isinstance(held, str)]


def run(data: Path, *, bodies: int, batches: int, seed: int) -> tuple[Counter[int], list[str]]:
    """Run the batches and a last look; return how often each status was answered, and what is wrong."""
    random = Random(seed)  # noqa: S311
    statuses: Counter[int] = Counter()
    wrong: list[str] = []
    names: list[str] = []
    before: State = {}
    for batch in range(batches + 1):
        with serving(data) as server, httpx.Client(base_url=server.url, timeout=120) as http:
            wrong += [f"batch {batch}: {line}" for line in difference(before, state_of(http, names))]
            if batch == batches:
                break
            names.append(f"limits-{batch}")
            http.put(f"/collections/{names[-1]}", json=CONFIG).raise_for_status()
            http.put(f"/collections/{names[-1]}/points", json={"points": FIRST}).raise_for_status()
            generated = Bodies(random, names[-1])
            for _ in range(bodies // batches):
                wrong += [f"batch {batch}: {line}" for line in send(http, generated.request(), statuses)]
            before = state_of(http, names)
            wrong += [f"batch {batch}: {line}" for line in unreadable(before)]
            if batch % 2:
                server.kill()
    return statuses, wrong


def main() -> int:
    """Run what the flags ask for and say what came of it."""
    parser = argparse.ArgumentParser(prog="scripts/soak-qdrant --limits", description=__doc__)
    parser.add_argument("--bodies", type=int, default=2000)
    parser.add_argument("--batches", type=int, default=50)
    parser.add_argument("--seed", type=int, default=7)
    flags = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="soak-qdrant-") as folder:
        statuses, wrong = run(
            Path(folder) / "data", bodies=flags.bodies, batches=flags.batches, seed=flags.seed
        )
    sys.stdout.writelines(f"wrong: {line}\n" for line in wrong[:50])
    answered = ", ".join(f"{count} x {status}" for status, count in sorted(statuses.items()))
    sys.stdout.write(f"{sum(statuses.values())} bodies in {flags.batches} batches, a restart after each: ")
    sys.stdout.write(f"{answered}; {len(wrong)} wrong\n")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
