"""Two projects whose stores devenv starts, their commands interleaved: each answers from its own documents.

The steps and the checks of an answer are those of two projects on ragbed's own servers.
"""

from __future__ import annotations

import re
import subprocess
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING

import psycopg
import redis
from devenv_up import AS_NOBODY, Up, other_ports, started
from nix_command import ROOT

from ragbed.http import request_json

sys.path.insert(0, str(ROOT / "tests" / "integration" / "faults"))
from fault_place import Outcome, Place
from fault_projects import STEPS, Project, interleave

if TYPE_CHECKING:
    import random
    from pathlib import Path

    from devenv_lab import Lab

STORES = ("postgres", "redis", "qdrant")
_ALONE = "ollama.enable = false; ragbed.api.enable = false;"
_OFFSET = 7000
_TIMEOUT_S = 240  # two stacks start on a machine that may be busy
# as root each of the two runs in a user namespace of its own, and cannot look into the other's processes
_WHOSE = r"(\S+ \(pid \d+\) of the project {project}|a process that this user cannot see)"


class Shell:
    """Runs ragbed in the shell that `nix develop` enters, whose variables are taken once.

    Attributes:
        lab: The project.
        variables: What the shell exports.
    """

    def __init__(self, lab: Lab) -> None:
        self.lab = lab
        # what the shell greets with comes before the first zero
        shown = lab.run(*AS_NOBODY, "nix", "develop", "-c", "bash", "-c", 'printf "\\0" && exec env -0')
        assert shown.returncode == 0, shown.stderr
        self.variables = dict(line.split("=", 1) for line in shown.stdout.split("\0")[1:] if line)

    def run(self, *words: str, timeout_s: float, **environ: str) -> Outcome:
        """Run a ragbed command to its end, in no user namespace of its own: the next must see what `up -d` starts."""
        done = subprocess.run(
            ["ragbed", *words],
            env={**self.variables, **environ},
            cwd=self.lab.project,
            capture_output=True,
            text=True,
            timeout=timeout_s,
            check=False,
            stdin=subprocess.DEVNULL,
        )
        return Outcome(code=done.returncode, out=done.stdout, err=done.stderr)

    def contents(self) -> list[str]:
        """Return what the stores hold: rows by table, keys, points by collection."""
        with psycopg.connect(self.variables["DATABASE_URL"]) as postgres:
            tables = postgres.execute(
                "SELECT format('%I.%I', schemaname, tablename) FROM pg_tables WHERE schemaname !~ '^(pg_|information_)'"
            ).fetchall()
            rows = [
                f"{name}: {postgres.execute(f'SELECT count(*) FROM {name}').fetchone()}"  # noqa: S608 - quoted
                for (name,) in tables
            ]
        with redis.Redis.from_url(self.variables["REDIS_URL"], decode_responses=True) as client:
            keys = list(client.scan_iter())
        url = f"{self.variables['QDRANT_URL']}/collections"
        names = [one["name"] for one in _result(url)["collections"]]
        return sorted(
            [*rows, *keys, *(f"{name}: {_result(f'{url}/{name}')['points_count']}" for name in names)]
        )


def _result(url: str) -> dict:
    return request_json("GET", url).value["result"]


@dataclass(kw_only=True)
class DevenvProject(Project):
    """A project whose stores are up by `devenv up`, and the mock LLM by `ragbed up -d` in its shell.

    Attributes:
        lab: A copy of this repository.
        running: `devenv up`, between the steps `up` and `down`.
    """

    lab: Lab
    running: Up | None = None

    def do(self, step: str) -> None:
        """Do one step, and check what came of it."""
        if step == "up":
            self.running = Up(self.lab)
            self.running.wait_until_ended("adoption", timeout_s=_TIMEOUT_S)
        super().do(step)
        if step == "down":
            self.end()
            left = Place(self.lab.project).processes()
            assert not left, left

    def end(self) -> None:
        """End whatever is up."""
        if self.running:
            self.place.run("down", "--all", timeout_s=_TIMEOUT_S)
            self.running.end()
            self.running = None

    def is_refused_beside(self, holder: DevenvProject) -> None:
        """Start on the ports of a project that is up: each store and each command says why not, and writes nothing."""
        before = holder.place.contents()
        with started(self.lab) as running:
            running.wait_for(*(f"{name}: port" for name in STORES), timeout_s=_TIMEOUT_S)
            adopted = running.shell("devenv", "tasks", "run", "ragbed:adopt")
            asked = ("ask", "How do I deploy the service?")
            for words in (("up", "-d"), ("ingest", str(self.documents)), asked):
                self.refused(
                    *words, says=("carries ragbed's marker for", "and not for this project", "adopt")
                )
        assert adopted.returncode != 0
        assert "is not the one of this project" in adopted.stdout + adopted.stderr
        assert "Adopted." not in adopted.stdout + "".join(running.said)
        _tells_whose_the_ports_are(running, holder.lab)
        assert holder.place.contents() == before


def _tells_whose_the_ports_are(running: Up, holder: Lab) -> None:
    for name in STORES:
        line = next(line for line in running.said if f"{name}: port" in line)
        assert re.search(rf"is taken by {_WHOSE.format(project=holder.project)}; stop it, or move", line), (
            line
        )
        assert "services.ragbed.portOffset (this one: services." in line
    assert not any(": ready" in line for line in running.said)


def run_projects_under_devenv(lab: Lab, folder: Path, chance: random.Random, *, same_ports: bool) -> str:
    """Run two projects with their commands interleaved, and return what was done.

    Args:
        lab: What both are copies of.
        folder: An empty folder.
        chance: Decides on the order.
        same_ports: The second is refused while the first is up, and runs after it; else both run at once.
    """
    ports = other_ports()
    pair = [
        _project(name, lab, folder / name, ports, offset=0 if same_ports else offset)
        for name, offset in (("alpha", 0), ("beta", _OFFSET))
    ]
    try:
        if same_ports:
            moment = _one_after_the_other(pair, chance)
            return f"devenv, same ports: {pair[1].name} refused before the first one's step {moment}"
        interleave(pair, chance)
        moved = [second - first for first, second in zip(*map(_ports, pair), strict=True)]
        assert moved == [_OFFSET] * len(STORES), moved
        return "devenv, other ports"
    finally:
        for project in pair:
            project.end()


def _one_after_the_other(pair: list[DevenvProject], chance: random.Random) -> int:
    chance.shuffle(pair)
    first, second = pair
    moment = chance.randrange(1, len(STEPS))
    for number, step in enumerate(STEPS):
        if number == moment:
            second.is_refused_beside(first)
        first.do(step)
    for step in STEPS:
        second.do(step)
    return moment


def _project(name: str, lab: Lab, folder: Path, ports: dict[int, int], *, offset: int) -> DevenvProject:
    folder.mkdir(parents=True)
    own = lab.variant(folder, ports=ports, options=f"{_ALONE} ragbed.portOffset = {offset};")
    project = DevenvProject(
        name=name, place=Shell(own), documents=folder / "docs", environ={"MODEL_PROVIDER": "mock"}, lab=own
    )
    project.write()
    return project


def _ports(project: DevenvProject) -> list[int]:
    urls = [project.place.variables[name] for name in ("DATABASE_URL", "REDIS_URL", "QDRANT_URL")]
    return [int(re.findall(r":(\d+)", url)[-1]) for url in urls]
