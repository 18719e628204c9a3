"""A project whose `.ragbed` somebody prepared to do harm: drawn from a seed, with everything that a file can claim."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ragbed.stack import SERVICES
from ragbed.stack.processes import ProcessIdentity
from ragbed.state import StateFolder

if TYPE_CHECKING:
    import random
    from collections.abc import Callable
    from pathlib import Path

WILD = ("a", "/", "python", "sleep", "", " ", "*", ".", "-9", "1", "ragbed", "RAGBED_LEASE", "\n", "é", "\0")
FOLDERS = ("data", "leases", "logs", "kept", "cache", "gaps", "runs", "qdrant", "models", "tools")
CONTENTS = (
    b"",
    b"{",
    b"{}",
    b"[]",
    b"null",
    b"\0" * 64,
    b"\xff\xfe",
    b"[" * 200_000,
    b'{"a":' * 50_000,
    b'{"schema": ' + b"9" * 5000 + b"}",
    b'{"schema": 1e999, "stack": NaN}',
    b" " * (5 * 2**20),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Hostile:
    """One hostile project.

    Attributes:
        chance: Draws everything.
        project: The project's folder, made.
        home: Folders of the user that nothing may touch, made.
        tokens: What leases call themselves; strangers have them among their arguments.
        strangers: Processes that nothing may end.
    """

    chance: random.Random
    project: Path
    home: Path
    tokens: tuple[str, ...]
    strangers: tuple[int, ...]

    @property
    def state(self) -> Path:
        """The state folder that the checkout brings along."""
        return self.project / ".ragbed"

    def make(self) -> str:
        """Write it; returns what kind of folder it is."""
        kinds: dict[str, Callable[[], None]] = {
            "link": lambda: self.state.symlink_to(self.chance.choice([self.home, self.home / "nowhere"])),
            "bare": self.state.mkdir,
            "made here": lambda: StateFolder(self.state).prepared() and None,
            "copied": self._copy,
            "forged": self._forge,
        }
        kind = self.chance.choice([*kinds, "bare", "made here", "made here"])
        kinds[kind]()
        if kind != "link":
            self._fill()
        if self.chance.random() < 0.5:
            self._track()
            kind += ", tracked"
        return kind

    def _copy(self) -> None:
        original = StateFolder(self.home / "original").prepared()
        shutil.copytree(original.root, self.state)

    def _forge(self) -> None:
        self.state.mkdir()
        found = self.state.stat()
        made_at = {
            "machine": self.chance.choice(["", "0" * 32, None, 7]),
            "path": str(self.state),
            "inode": self.chance.choice([1, str(found.st_ino), -1, None]),
            "device": found.st_dev,
        }
        identity = {
            "schema": 1,
            "id": self.chance.choice(self.tokens),
            "name": "x\x1b]52;c;",
            "made_at": made_at,
        }
        (self.state / "identity.json").write_text(json.dumps(identity), encoding="utf-8")

    def _fill(self) -> None:
        for name in self.chance.sample(FOLDERS, self.chance.randint(0, 3)):
            path = self.state / name
            if path.is_dir():
                shutil.rmtree(path)
            path.symlink_to(self.chance.choice([self.home, self.home / "data", self.home / "nowhere"]))
        for number in range(self.chance.randint(1, 6)):
            self._write("leases", self._name(number), self._lease())
        for number in range(self.chance.randint(0, 3)):
            self._odd("leases", self._name(100 + number))
        for name in (
            "stack.json",
            "announced.json",
            "identity.json",
            "stack.lock",
            "identity.lock",
            ".gitignore",
        ):
            if self.chance.random() < (0.5 if name == "stack.json" else 0.15):
                self._odd("", name)
        if self.chance.random() < 0.7:
            self._write("", "stack.json", self._record())
        if self.chance.random() < 0.4:
            told = {"redis": {"url": "redis://127.0.0.1:1/0", "started_by": "x"}}
            self._write("", "announced.json", {"schema": 1, "project": self._project(), "services": told})
        for parent in ("data", "logs", "cache", "kept"):
            self._strays(parent)
        if self.chance.random() < 0.3:
            self._odd("logs/0a1b2c3d", "redis.log")

    def _strays(self, parent: str) -> None:
        folder = self.state / parent
        if os.path.lexists(folder) and not (folder.is_dir() and not folder.is_symlink()):
            return
        folder.mkdir(exist_ok=True)
        for name in ("0a1b2c3d", "building-postgres-x", "postgres", *(f"{n:08x}" for n in range(12))):
            path = folder / name
            if self.chance.random() < 0.3 and not os.path.lexists(path):
                if self.chance.random() < 0.5:
                    path.symlink_to(self.home / "documents")
                else:
                    path.mkdir()
                    (path / "link").symlink_to(self.home)

    def _lease(self) -> dict[str, Any]:
        chance = self.chance
        data = [
            str(self.home),
            "/",
            "data/../..",
            "data",
            "data/0a1b2c3d/redis",
            str(self.state / "data"),
            "\0",
        ]
        return {
            "project": self._project(),
            "token": chance.choice(self.tokens),
            "service": chance.choice([*SERVICES, "../..", "", 7, None]),
            "stack": chance.choice(["0a1b2c3d", "s", "../..", "", 7, None]),
            "holders": chance.choice([[{"pid": 1, "started": "gone"}], [self._process()], [None], None, 7]),
            "expires_at": chance.choice([None, None, "2020-01-01T00:00:00+00:00", 7]),
            "run": chance.choice(["", "", "\x1b[31m", 7]),
            "endpoint": None,
            "undo": chance.choice(
                [[], [], [{"kind": "resume", "holder": {"pid": 1, "started": "gone"}}], [7], None]
            ),
            "resource": {
                "kind": chance.choice(["process", "process", "process", "x", None]),
                "process": chance.choice([None, self._process(), self._process()]),
                "outside": chance.choice(
                    [None, str(self.home), str(self.home / "tmp" / "ragbed-0123456789ab"), "/", 7]
                ),
                "stop_signal": chance.choice([2, 9, 15, 15, 0, 99, -1, "15", None, 1e300]),
            },
            "data": chance.choice(data),
            "keep": chance.choice([True, False, False, "no", None]),
        }

    def _process(self) -> dict[str, Any]:
        pid = self.chance.choice(self.strangers)
        true = {"pid": pid, "started": ProcessIdentity.of(pid).started}
        odd = [{"pid": number, "started": true["started"]} for number in (0, -1, 1, 10**30, True, "1", None)]
        return self.chance.choice([true, true, true, *odd])

    def _provenance(self) -> Any:
        true = {"channel": "external", "path": "\x1b[31m", "started_by": "\x1b]52;c;"}
        odd = [
            {**true, "channel": "x"},
            {**true, "port": "1"},
            {**true, "more": 1},
            {**true, "path": 7},
            {},
            None,
        ]
        return self.chance.choice([true, true, true, *odd])

    def _record(self) -> dict[str, Any]:
        endpoint = {
            "service": "redis",
            "url": "redis://127.0.0.1:1/0",
            "launcher": self.chance.choice(["process", "attach", "x"]),
            "product": "valkey",
            "version": "9.1.2",
            "real": True,
            "provenance": self._provenance(),
            "pid": self.chance.choice(self.strangers),
            "started_at": self.chance.choice([None, "x", 7]),
        }
        return {
            "schema": self.chance.choice([2, 2, 2, 1, 99, [2]]),
            "project": self._project(),
            "stack": self.chance.choice(["0a1b2c3d", "../../home", "", 7]),
            "owner": self.chance.choice([None, self._process(), self._process()]),
            "keep": self.chance.choice([True, False, "x"]),
            "endpoints": self.chance.choice([[], [endpoint], [endpoint, 5], {}]),
            "leases": {"redis": self.chance.choice(self.tokens), "ollama": self.chance.choice(self.tokens)},
            "notes": self.chance.choice([[], ["x"], [7], "x"]),
            "llm": "mock",
        }

    def _project(self) -> Any:
        return self.chance.choice([None, "", "f" * 16, *self.tokens, ["x"]])

    def _name(self, number: int) -> str:
        token = self.chance.choice(self.tokens).replace("/", "_").replace("\0", "_")
        return f"{token}.json" if self.chance.random() < 0.7 else f"{number}.json"

    def _write(self, parent: str, name: str, value: dict[str, Any]) -> None:
        path = self._free(parent, name)
        if path:
            path.write_text(json.dumps(value), encoding="utf-8")

    def _odd(self, parent: str, name: str) -> None:
        """Put something else where a file is expected."""
        path = self._free(parent, name)
        if path is None:
            return
        makers: list[Callable[[], Any]] = [
            lambda: path.symlink_to(self.home / "documents" / "a.txt"),
            lambda: path.symlink_to(self.home / "made"),
            lambda: path.symlink_to("/dev/zero"),
            lambda: os.mkfifo(path),
            path.mkdir,
            lambda: path.touch(mode=0),
            lambda: path.write_bytes(self.chance.choice(CONTENTS)),
            lambda: path.write_bytes(self.chance.choice(CONTENTS)),
        ]
        self.chance.choice(makers)()

    def _free(self, parent: str, name: str) -> Path | None:
        """Return where to write: never through a link of ours, which would touch the home folder ourselves."""
        folder = self.state / parent
        if any(path.is_symlink() for path in (folder, *folder.parents)) or folder.is_file():
            return None
        folder.mkdir(parents=True, exist_ok=True)
        path = folder / name
        if path.is_dir() and not path.is_symlink():
            return None
        path.unlink(missing_ok=True)
        return path

    def _track(self) -> None:
        for words in (["init", "-q"], ["add", "-f", ".ragbed"]):
            subprocess.run(["git", *words], cwd=self.project, capture_output=True, check=False, timeout=20)
