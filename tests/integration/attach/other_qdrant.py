"""Embedded Qdrants that others run, with and without keys, and what is in them."""

from __future__ import annotations

import subprocess
import sys
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ragbed.http import request_json

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

KEY, READING = "key-of-others", "reading-key-of-others"


@dataclass(frozen=True, slots=True, kw_only=True)
class Qdrant:
    """One server.

    Attributes:
        port: Where it listens.
        key: Of one who may do all; empty where it asks for none.
    """

    port: int
    key: str

    @property
    def url(self) -> str:
        """Its address."""
        return f"http://127.0.0.1:{self.port}"

    def ask(self, method: str, path: str, body: object = None) -> object:
        """Ask it as its owner, and return the result."""
        answer = request_json(method, self.url + path, body=body, headers={"api-key": self.key})
        assert answer.status == 200, answer
        return answer.value["result"]

    def census(self) -> dict[str, object]:
        """Return its collections, with all that is known of each, its points, and the aliases."""
        listed = self.ask("GET", "/collections")
        names = sorted(one["name"] for one in listed["collections"])  # type: ignore[index]
        whole = {"limit": 1000, "with_payload": True, "with_vector": True}
        return {
            "collections": {name: self.ask("GET", f"/collections/{name}") for name in names},
            "points": {name: self.ask("POST", f"/collections/{name}/points/scroll", whole) for name in names},
            "aliases": self.ask("GET", "/aliases"),
        }


@contextmanager
def server(data: Path, *, keys: bool = False) -> Iterator[Qdrant]:
    """Yield a server with a collection of others in it."""
    data.mkdir(parents=True)
    command = [
        sys.executable,
        "-P",
        "-s",
        "-m",
        "ragbed.qdrant",
        "--port",
        "0",
        "--until-eof",
        "--no-optimize",
    ]
    for flag, key in (("--api-key-file", KEY), ("--read-only-api-key-file", READING)) if keys else ():
        file = data.parent / flag.strip("-")
        file.write_text(key)
        file.chmod(0o600)
        command += [flag, str(file)]
    with subprocess.Popen(
        [*command, "--data", str(data)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        try:
            url = process.stdout.readline().split()[-1]
            made = Qdrant(port=int(url.rpartition(":")[2]), key=KEY if keys else "")
            _fill(made)
            yield made
        finally:
            process.stdin.close()


def _fill(made: Qdrant) -> None:
    made.ask("PUT", "/collections/theirs", {"vectors": {"size": 2, "distance": "Dot"}})
    points = [{"id": number, "vector": [1.0, number], "payload": {"order": number}} for number in range(20)]
    made.ask("PUT", "/collections/theirs/points?wait=true", {"points": points})
