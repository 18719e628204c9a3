"""One hostile state folder, and what commands do to it: run in a pid namespace of its own, where it is pid 1.

    unshare --pid --fork --mount-proc python hostile_round.py --seed 7 --round 3

Prints what was touched that is not ours, a line each, and ends with 1 if anything was.
"""

from __future__ import annotations

import argparse
import contextlib
import io
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from hostile_folder import WILD, Hostile

from ragbed.cli import main as ragbed
from ragbed.stack.reaping import reaped
from ragbed.state import StateFolder

STRANGERS = 50
COMMANDS = (
    ["status"],
    ["status", "--json"],
    ["status", "--everywhere"],
    ["down"],
    ["down", "--all"],
    ["down", "--everywhere", "--yes"],
    ["reset", "--yes"],
    ["env"],
    ["logs"],
)
ENDS = {0, 2, 10, 13}
LONGEST_S = 60


def play(seed: int, number: int, work: Path) -> list[str]:
    """Make a hostile project, run commands in it, and return what was harmed."""
    chance = random.Random(f"{seed} {number}")  # noqa: S311 - a draw that can be repeated
    home = work / "home"
    for folder in ("documents", "data/photos", "logs/old", "leases", "tmp/ragbed-0123456789ab"):
        (home / folder).mkdir(parents=True)
        (home / folder / "a.txt").write_text("thesis", encoding="utf-8")
    tokens = (*WILD, *(f"{chance.getrandbits(64):016x}" for _ in range(3)))
    project = work / "project"
    project.mkdir()
    strangers = [_stranger(chance, tokens, home) for _ in range(STRANGERS)]
    pids = tuple(one.pid for one in strangers)
    hostile = Hostile(chance=chance, project=project, home=home, tokens=tokens, strangers=pids)
    kind = hostile.make()
    before = _seen(home)
    harm = []
    for words in [*chance.sample(COMMANDS, 3), ["status"], None, ["status"]]:
        harm += _run(words, project)
        harm += [f"{kind}: {words} ended {one.args}" for one in strangers if one.poll() is not None]
        harm += [f"{kind}: {words} touched {path}" for path in sorted(before ^ _seen(home))]
    if not StateFolder(project / ".ragbed").is_believed():
        harm.append(f"{kind}: there is no state folder of our own afterwards")
    for one in strangers:
        one.kill()
        one.wait()
    return harm


def _stranger(chance: random.Random, tokens: tuple[str, ...], home: Path) -> subprocess.Popen[bytes]:
    """Start a process of the user's that has tokens among its arguments, and some among its variables."""
    words = [token for token in chance.sample(tokens, 3) if "\0" not in token]
    environ = {"NOTE": words[0] if words else ""}
    if chance.random() < 0.3:
        environ["RAGBED_LEASE"] = chance.choice([token for token in WILD if "\0" not in token])
    return subprocess.Popen(
        [f"stranger {' '.join(words)} RAGBED_LEASE={words[-1] if words else ''}", "1000"],
        executable="/bin/sleep",
        env=environ,
        cwd=chance.choice([home, home / "data", home / "documents"]),
        start_new_session=True,
    )


def _seen(home: Path) -> set[tuple[str, str]]:
    """Return what is in the home folder: each path with its content."""
    return {
        (str(path.relative_to(home)), path.read_text(encoding="utf-8") if path.is_file() else "")
        for path in home.rglob("*")
        if "original" not in path.parts
    }


def _run(words: list[str] | None, project: Path) -> list[str]:
    """Run a command in a process of its own; None prepares the folder as `ragbed up` does, and starts nothing."""
    with tempfile.TemporaryFile() as output:
        child = os.fork()
        if child == 0:
            _become(words, project, output.fileno())
        code, late = _wait(child)
        output.seek(0)
        said = output.read().decode("utf-8", "replace")
    found = [f"{words} took longer than {LONGEST_S} s"] if late else []
    if code not in ENDS or "Traceback" in said:
        found.append(f"{words} ended with {code}: {said[-1500:]}")
    return found


def _become(words: list[str] | None, project: Path, output: int) -> None:
    os.chdir(project)
    os.dup2(output, 1)
    os.dup2(output, 2)
    code = 1
    try:
        if words is None:
            folder = StateFolder(project / ".ragbed").prepared()
            with folder.locked("stack"):
                reaped(folder)
            code = 0
        else:
            sys.stdin = io.StringIO()
            ragbed(words)
            code = 0
    except SystemExit as ended:
        code = int(ended.code or 0)
    except BaseException:
        sys.excepthook(*sys.exc_info())
    with contextlib.suppress(Exception):
        sys.stdout.flush()
        sys.stderr.flush()
    os._exit(code)


def _wait(child: int) -> tuple[int, bool]:
    deadline = time.monotonic() + LONGEST_S
    while time.monotonic() < deadline:
        done, status = os.waitpid(child, os.WNOHANG)
        if done:
            return os.waitstatus_to_exitcode(status), False
        time.sleep(0.01)
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
    return -signal.SIGKILL, True


def main() -> None:
    """Play one round."""
    flags = argparse.ArgumentParser()
    flags.add_argument("--seed", type=int, required=True)
    flags.add_argument("--round", type=int, required=True)
    given = flags.parse_args()
    with tempfile.TemporaryDirectory(prefix="ragbed-hostile-") as work:
        os.environ["TMPDIR"] = str(Path(work, "home", "tmp"))
        os.environ["RAGBED_STACK__DEFAULT_PORTS"] = "false"
        harm = play(given.seed, given.round, Path(work))
    print("\n".join(harm))
    sys.exit(bool(harm))


if __name__ == "__main__":
    main()
