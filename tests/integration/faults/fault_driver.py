"""Kills at random moments, and the checks after each: used by the tests with a few rounds, by `scripts/soak` with many.

A round draws everything that is random from its seed, its kind and its number, so one round can be run again alone.
"""

from __future__ import annotations

import argparse
import os
import random
import secrets
import shutil
import signal
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING

from fault_containers import kill_containers, missing_containers
from fault_place import Place
from fault_projects import run_projects
from fault_runs import kill_runs
from fault_writer import SINKS, Writer, lost

from ragbed.stack import SERVICES
from ragbed.stack.record import load_record

if TYPE_CHECKING:
    from collections.abc import Callable

    from fault_place import Outcome


class Broken(AssertionError):
    """A check failed; the text says which, and how to run the round again."""


def acknowledged_writes_survive(place: Place, chance: random.Random) -> str:
    """Kill services of a stack while writers write; after `up -d` all that was acknowledged is there."""
    _expect(place.run("up", "-d"), {0}, "the stack comes up")
    victims = chance.choice([[name] for name in SERVICES] + [list(SERVICES)])
    moment_s = chance.uniform(0.0, 0.4)
    urls = {name: _url(place, name) for name in SINKS}
    writers = [Writer(name, url) for name, url in urls.items()]
    time.sleep(moment_s)
    for name in victims:
        os.kill(place.pid(name), signal.SIGKILL)
    _expect(place.run("up", "-d"), {0}, "a killed service is started again")
    for writer in writers:
        writer.stop()
        missing = lost(writer.service, urls[writer.service], writer.acknowledged)
        _require(
            not missing, f"{writer.service} lost {len(missing)} of {len(writer.acknowledged)} acknowledged"
        )
    _down_is_clean(place)
    counts = ", ".join(f"{len(writer.acknowledged)} {writer.service}" for writer in writers)
    return f"killed {'+'.join(victims)} after {moment_s * 1000:.0f} ms; acknowledged {counts}"


def service_killed_at_its_start(place: Place, chance: random.Random) -> str:
    """Kill a service while `up -d` waits for it: the command says so or starts it again, and leaves nothing."""
    _maybe_cold(place, chance)
    victim = chance.choice(SERVICES)
    command = place.begin("up", "-d")
    pid = _first_pid(place, victim, command)
    if pid:
        time.sleep(chance.uniform(0.0, 0.1))
        _kill(pid)
    code = command.wait(30)
    _require(code in {0, 10}, f"up -d ends with {code} when {victim} is killed at its start")
    _next_command_works(place, chance)
    return f"killed {victim} at its start, up -d ended with {code}"


def supervisor_killed(place: Place, chance: random.Random) -> str:
    """Kill the foreground `ragbed up` at any moment of its first 0.8 s."""
    return _command_killed(place, chance, ["up"], longest_s=0.8)


def detached_start_killed(place: Place, chance: random.Random) -> str:
    """Kill `ragbed up -d` at any moment."""
    return _command_killed(place, chance, ["up", "-d"], longest_s=0.8)


def restart_killed(place: Place, chance: random.Random) -> str:
    """Kill an `ragbed up -d` that starts dead services again: what they had acknowledged stays."""
    _expect(place.run("up", "-d"), {0}, "the stack comes up")
    service = chance.choice(list(SINKS))
    writer = Writer(service, _url(place, service))
    time.sleep(0.02)
    os.kill(place.pid(service), signal.SIGKILL)
    writer.stop()
    moment_s = chance.uniform(0.15, 0.5)
    command = place.begin("up", "-d")
    time.sleep(moment_s)
    _kill(command.pid)
    command.wait()
    _expect(place.run("up", "-d"), {0}, "the restart is done by the next command")
    missing = lost(service, _url(place, service), writer.acknowledged)
    _require(not missing, f"{service} lost {len(missing)} of {len(writer.acknowledged)} acknowledged")
    _down_is_clean(place)
    return f"killed the restart of {service} after {moment_s * 1000:.0f} ms"


def stack_stage_killed(place: Place, chance: random.Random) -> str:
    """Kill `ragbed smoke --stage stack` at any moment."""
    return _command_killed(place, chance, ["smoke", "--stage", "stack"], longest_s=1.2)


def smoke_killed(place: Place, chance: random.Random) -> str:
    """Kill a whole `ragbed smoke` at any moment."""
    return _command_killed(place, chance, ["smoke"], longest_s=4.0)


def end_killed(place: Place, chance: random.Random) -> str:
    """Kill `ragbed down` at any moment: the next one ends what is left."""
    _expect(place.run("up", "-d"), {0}, "the stack comes up")
    return _command_killed(place, chance, ["down"], longest_s=0.4)


def killed_runs(place: Place, chance: random.Random) -> str:
    """Kill a stack, an ingest, a smoke run and a test session: each leaves a record that can be read."""
    done = kill_runs(place, chance)
    left = place.left()
    _require(not left, "left behind: " + "; ".join(left))
    return done


def killed_containers(place: Place, chance: random.Random) -> str:
    """Kill a command whose services are containers; tells why where there are none."""
    if reason := missing_containers():
        return f"skipped: {reason}"
    return kill_containers(place, chance)


def two_projects_never_meet(place: Place, chance: random.Random) -> str:
    """Interleave the commands of two projects: every answer from its own documents, every refusal explained."""
    way = chance.randrange(4)
    return run_projects(place, chance, attached=bool(way & 1), same_ports=bool(way & 2))


def two_projects_under_devenv(place: Place, chance: random.Random) -> str:
    """Do the same where devenv starts the stores, on the same ports or on others; tells why where it cannot."""
    from devenv_lab import missing_mirror, prepared_lab
    from devenv_projects import run_projects_under_devenv
    from nix_command import missing_nix

    if reason := missing_nix() or missing_mirror():
        return f"skipped: {reason}"
    folder = Path(tempfile.mkdtemp(prefix="projects-", dir=place.root.parent))
    lab = prepared_lab(place.root.parent)
    return run_projects_under_devenv(lab, folder, chance, same_ports=chance.random() < 0.5)


KINDS: dict[str, Callable[[Place, random.Random], str]] = {
    round_.__name__.replace("_", "-"): round_
    for round_ in (
        acknowledged_writes_survive,
        service_killed_at_its_start,
        supervisor_killed,
        detached_start_killed,
        restart_killed,
        stack_stage_killed,
        smoke_killed,
        end_killed,
        killed_runs,
        killed_containers,
        two_projects_never_meet,
        two_projects_under_devenv,
    )
}
"""Every kind of round by its name on the command line."""


def run_round(kind: str, seed: int, number: int, place: Place) -> str:
    """Run one round and return what it did.

    Raises:
        Broken: A check failed.
    """
    chance = random.Random(f"{seed}:{kind}:{number}")  # noqa: S311 - moments, not secrets
    try:
        return KINDS[kind](place, chance)
    except AssertionError as error:
        again = f"scripts/soak --seed {seed} --kind {kind} --round {number}"
        begun = place.root / "begun.log"
        log = begun.read_text(errors="replace")[-2000:] if begun.exists() else ""
        raise Broken(f"{kind}, round {number}: {error}\nagain: {again}\n{log}") from error


def _command_killed(place: Place, chance: random.Random, words: list[str], *, longest_s: float) -> str:
    cold = _maybe_cold(place, chance)
    moment_s = chance.uniform(0.0, longest_s + (1.0 if cold else 0.0))
    command = place.begin(*words)
    time.sleep(moment_s)
    _kill(command.pid)
    command.wait()
    then = _next_command_works(place, chance)
    return (
        f"killed `{' '.join(words)}` after {moment_s * 1000:.0f} ms{' (cold)' if cold else ''}, then {then}"
    )


def _next_command_works(place: Place, chance: random.Random) -> str:
    then = chance.choice(["down", "status", "up -d", "smoke --stage stack"])
    _expect(place.run(*then.split()), {0, 10} if then == "status" else {0}, f"`{then}` works after a kill")
    if then != "down":
        _expect(place.run("up", "-d"), {0}, "`up -d` works after a kill")
        _expect(place.run("status"), {0}, "every service answers after a kill")
    _down_is_clean(place)
    return then


def _down_is_clean(place: Place) -> None:
    _expect(place.run("down"), {0}, "`down` works")
    left = place.left()
    _require(not left, "left behind: " + "; ".join(left))


def _maybe_cold(place: Place, chance: random.Random) -> bool:
    """In one round of three, forget the prepared cluster, so that the kill may hit its making."""
    cold = chance.random() < 1 / 3
    if cold:
        shutil.rmtree(place.folder.cache, ignore_errors=True)
    return cold


def _first_pid(place: Place, service: str, command: object) -> int | None:
    deadline = time.monotonic() + 5
    while time.monotonic() < deadline and command.poll() is None:  # type: ignore[attr-defined]
        try:
            return place.pid(service)
        except (LookupError, StopIteration, RuntimeError, OSError):
            time.sleep(0.002)
    return None


def _url(place: Place, service: str) -> str:
    record = load_record(place.folder)
    _require(record is not None, "there is a record of the stack")
    return record.endpoints[service].url if record else ""


def _kill(pid: int) -> None:
    try:
        os.kill(pid, signal.SIGKILL)
    except ProcessLookupError:
        return


def _expect(outcome: Outcome, codes: set[int], what: str) -> None:
    _require(
        outcome.code in codes, f"{what}: exit code {outcome.code}\n{outcome.out[-500:]}{outcome.err[-3000:]}"
    )


def _require(holds: bool, what: str) -> None:
    if not holds:
        raise AssertionError(what)


def main() -> None:
    """Run many rounds, and print each; ends with 1 at the first that fails."""
    flags = argparse.ArgumentParser(
        prog="scripts/soak", description="Kill ragbed at random moments, many times."
    )
    flags.add_argument("--rounds", type=int, default=100, help="rounds in all (default: %(default)s)")
    flags.add_argument("--seed", type=int, default=None, help="default: a new one, which is printed")
    flags.add_argument("--kind", choices=list(KINDS), help="only this kind")
    flags.add_argument("--round", type=int, default=None, metavar="N", help="only this round of the kind")
    given = flags.parse_args()
    seed = secrets.randbelow(10**6) if given.seed is None else given.seed
    kinds = [given.kind] if given.kind else list(KINDS)
    plan = [(kinds[i % len(kinds)], i // len(kinds)) for i in range(given.rounds)]
    if given.round is not None:
        plan = [(kind, given.round) for kind in kinds]
    print(f"seed {seed}, {len(plan)} rounds", flush=True)
    with tempfile.TemporaryDirectory(prefix="ragbed-soak-") as folder:
        place = Place(Path(folder, "state"))
        try:
            for kind, number in plan:
                began = time.monotonic()
                print(f"{kind:<28} {number:>3}  ", end="", flush=True)
                print(
                    f"{run_round(kind, seed, number, place)} ({time.monotonic() - began:.1f} s)", flush=True
                )
        except Broken as error:
            print(f"FAILED\n{error}", flush=True)
            sys.exit(1)
        finally:
            place.kill_all()
    print(f"{len(plan)} rounds, all held", flush=True)


if __name__ == "__main__":
    main()
