"""Two projects on one machine, their commands interleaved: each answers from its own documents, refusals are told."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

from fault_place import Place
from fault_servers import pins_with_ports

from ragbed.http import request_json

if TYPE_CHECKING:
    import random
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from fault_place import Outcome

STEPS = ("up", "ingest", "ask", "edit", "ingest", "ask", "down")
"""What each project does, in this order; the seed decides how the two are interleaved."""

_VARIABLES = {
    "postgres": "DATABASE_URL",
    "redis": "REDIS_URL",
    "qdrant": "QDRANT_URL",
    "ollama": "OLLAMA_HOST",
}
_TIMEOUT_S = 300  # two stacks start on a machine that may be busy
_SCRIPTED = "another project's scripted answer"


class Terminal(Protocol):
    """Where a project's commands run."""

    def run(self, *words: str, timeout_s: float, **environ: str) -> Outcome:
        """Run a ragbed command to its end."""


@dataclass(slots=True, kw_only=True)
class Project:
    """One project under test: a folder of one document, whose text names the project and counts its edits.

    Attributes:
        name: In its document's name and text.
        place: Its state folder, or its shell.
        documents: Its corpus.
        namespace: What it calls its index.
        environ: Addresses that it is given.
        edits: How often its document changed.
    """

    name: str
    place: Terminal
    documents: Path
    namespace: str = "default"
    environ: Mapping[str, str] = field(default_factory=dict)
    edits: int = 0

    def do(self, step: str) -> None:
        """Do one step, and check what came of it."""
        if step == "up":
            self.expect(0, "up", "-d")
        elif step == "ingest":
            self.expect(0, "ingest", str(self.documents), "--namespace", self.namespace)
        elif step == "edit":
            self.edits += 1
            self.write()
        elif step == "ask":
            self._ask()
        else:
            self.expect(0, "down")

    def write(self) -> None:
        """Write the document as it is now."""
        self.documents.mkdir(parents=True, exist_ok=True)
        text = f"# Deployment\n\nTo deploy the service run {self.fact}, then wait for the release.\n"
        (self.documents / f"{self.name}.md").write_text(text, encoding="utf-8")

    @property
    def fact(self) -> str:
        """What only this project's document says."""
        return f"deploy-{self.name}-{self.edits}"

    def expect(self, code: int, *words: str) -> Outcome:
        """Run a command that must end so."""
        outcome = self.place.run(*words, timeout_s=_TIMEOUT_S, **self.environ)
        told = f"{self.name}: `{' '.join(words)}` ends with {outcome.code}\n{outcome.out}{outcome.err}"
        assert outcome.code == code, told
        return outcome

    def refused(self, *words: str, says: Sequence[str]) -> None:
        """Run a command that a guard must refuse, in one line that says why and what to type."""
        error = self.expect(13, *words).error
        assert all(text in " ".join(error) for text in says), error
        assert error[-1].startswith("try: "), error

    def _ask(self) -> None:
        asked = ("ask", "How do I deploy the service?", "--namespace", self.namespace, "--json")
        answer = json.loads(self.expect(0, *asked).out)
        told = {passage["document"]: passage["text"] for passage in answer["passages"]}
        assert set(told) == {f"{self.name}.md"}, f"{self.name} answers from {sorted(told)}"
        # The edit may wait for its ingest.
        facts = {self.fact, f"deploy-{self.name}-{max(0, self.edits - 1)}"}
        assert any(fact in told[f"{self.name}.md"] for fact in facts), told
        assert _SCRIPTED not in answer["text"], answer["text"]


def run_projects(place: Place, chance: random.Random, *, attached: bool, same_ports: bool) -> str:
    """Run two projects with their commands interleaved, and return what was done.

    Args:
        place: A state folder; its stack is the servers that run already.
        chance: Decides on the order, and on namespaces.
        attached: The projects use servers that run; else each starts its own.
        same_ports: Both look at, or are given, the same servers.
    """
    root = place.root.parent / f"projects-{chance.randrange(16**8):08x}"
    servers = [_up(place)]  # first: the others take its caches
    servers += [_up(_beside(place, root / "servers"))] if attached and not same_ports else []
    # A name that a user gives may be the same in both only where they share no store.
    namespaces = chance.choice([("default", "default"), ("first", "second")])
    pair = [
        _project(name, place, root, servers[-1 if name == "beta" else 0], attached=attached, same=same_ports)
        for name in ("alpha", "beta")
    ]
    try:
        for project, namespace in zip(pair, namespaces, strict=True):
            project.namespace = namespace
            project.write()
            if attached:
                _adopt(project)
        interleave(pair, chance, shared=attached and same_ports)
    finally:
        for each in (*(project.place for project in pair), *servers):
            each.run("down", "--all")
    left = [line for each in (*(project.place for project in pair), *servers) for line in each.left()]
    assert not left, left
    way = f"{'attached' if attached else 'process'}, {'same' if same_ports else 'other'} ports"
    return f"{way}, namespaces {'/'.join(namespaces)}"


def interleave(pair: list[Project], chance: random.Random, *, shared: bool = False) -> None:
    """Let two projects do all of their steps.

    Args:
        pair: The projects.
        chance: Decides whose step is next.
        shared: They share stores, so that one may try the other's namespace.
    """
    left = {project.name: list(STEPS) for project in pair}
    while waiting := [project for project in pair if left[project.name]]:
        project = chance.choice(waiting)
        step = left[project.name].pop(0)
        project.do(step)
        if shared and step == "ingest" and chance.random() < 0.5 and project.namespace != "default":
            _intrude(pair[1 - pair.index(project)], project.namespace)


def _intrude(intruder: Project, namespace: str) -> None:
    """Ingest into, and ask of, the other project's namespace: both are refused."""
    for words in (("ingest", str(intruder.documents)), ("ask", "How do I deploy the service?")):
        intruder.refused(
            *words, "--namespace", namespace, says=("belongs to another project", "adopt --take")
        )


def _adopt(project: Project) -> None:
    """Be refused while the stores let only others in, then adopt them."""
    project.refused("up", "-d", says=("carries ragbed's marker for", "and not for this project", "adopt"))
    stores = [url for name, url in project.environ.items() if name != "OLLAMA_HOST"]
    project.expect(0, "adopt", "--yes", *stores)


def _project(name: str, place: Place, root: Path, server: Place, *, attached: bool, same: bool) -> Project:
    urls = _urls(server)
    ports = {service: int(url.rpartition(":")[2].partition("/")[0]) for service, url in urls.items()}
    folder = pins_with_ports(root / name, **(ports if same else {}))
    looks = {"RAGBED_ROOT": str(folder), "RAGBED_STACK__DEFAULT_PORTS": str(same).lower()}
    own = Place(folder / ".ragbed", looks)
    own.copy_cache(place.folder.cache)
    given = {_VARIABLES[service]: url for service, url in urls.items()} if attached else {}
    if not attached and same:  # a colleague's mock on the default port, with answers of its own
        rules = {"rules": [{"pattern": ".", "answer": _SCRIPTED}]}
        request_json("PUT", f"{urls['ollama']}/ragbed/rules", body=rules)
    return Project(name=name, place=own, documents=folder / "docs", environ=given)


def _urls(place: Place) -> dict[str, str]:
    shown = json.loads(place.run("env", "--format", "json").out)
    return {service: shown[variable] for service, variable in _VARIABLES.items()}


def _up(place: Place) -> Place:
    outcome = place.run("up", "-d", timeout_s=_TIMEOUT_S)
    assert outcome.code == 0, outcome.err
    return place


def _beside(place: Place, root: Path) -> Place:
    other = Place(root)
    other.copy_cache(place.folder.cache)
    return other
