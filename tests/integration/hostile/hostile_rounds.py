"""Many hostile state folders: used by the tests with a few, by `scripts/soak-hostile` with many."""

from __future__ import annotations

import argparse
import os
import secrets
import subprocess
import sys
import time
from pathlib import Path

NAMESPACE = ("unshare", "--pid", "--fork", "--mount-proc")
_SPOKEN = ("RAGBED_", "DATABASE_URL", "REDIS_URL", "QDRANT_", "OLLAMA_HOST", "APP_ENV", "GIT_")


def why_not() -> str:
    """Return why this machine gives no pid namespace; empty where it does."""
    try:
        answer = subprocess.run([*NAMESPACE, "true"], capture_output=True, text=True, check=False)
    except OSError as error:
        return str(error)
    return "" if answer.returncode == 0 else answer.stderr.strip() or "unshare failed"


def in_namespace(program: str, *words: str) -> subprocess.CompletedProcess[str]:
    """Run a program of this folder in a pid namespace of its own."""
    environ = {name: value for name, value in os.environ.items() if not name.startswith(_SPOKEN)}
    return subprocess.run(
        [*NAMESPACE, sys.executable, str(Path(__file__).with_name(program)), *words],
        capture_output=True,
        text=True,
        check=False,
        env=environ,
        timeout=600,
    )


def play(seed: int, number: int) -> str:
    """Play a round in a pid namespace of its own; returns what was harmed."""
    answer = in_namespace("hostile_round.py", "--seed", str(seed), "--round", str(number))
    return "" if answer.returncode == 0 else (answer.stdout + answer.stderr).strip()


def main() -> None:
    """Play many rounds, and print what was harmed; ends with 1 if anything was."""
    flags = argparse.ArgumentParser(
        prog="scripts/soak-hostile", description="Run ragbed in state folders that were made to do harm."
    )
    flags.add_argument("--rounds", type=int, default=200, help="rounds in all (default: %(default)s)")
    flags.add_argument("--seed", type=int, default=None, help="default: a new one, which is printed")
    flags.add_argument("--round", type=int, default=None, metavar="N", help="only this round")
    given = flags.parse_args()
    if reason := why_not():
        sys.exit(f"no pid namespace: {reason}")
    seed = secrets.randbelow(10**6) if given.seed is None else given.seed
    numbers = range(given.rounds) if given.round is None else [given.round]
    print(f"seed {seed}, {len(numbers)} rounds", flush=True)
    began, harmed = time.monotonic(), 0
    for number in numbers:
        if harm := play(seed, number):
            harmed += 1
            print(f"FAILED --seed {seed} --round {number}\n{harm}", flush=True)
    print(f"{len(numbers)} rounds, {harmed} with harm, {time.monotonic() - began:.0f} s", flush=True)
    sys.exit(bool(harmed))


if __name__ == "__main__":
    main()
