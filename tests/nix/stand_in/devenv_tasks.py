"""Stands in for devenv-tasks, a program in Rust: runs a task after those that it comes after.

It knows `run` and `list`; after, before, status, env and cwd. It does not cache or watch, and it starts no process but
the one that it is asked for: starting the others in order is a process manager's work. That one it restarts when it
fails, as often as its task says; like the real one it goes on when the process has ended, until a signal comes.
"""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import NoReturn

PREFIX = "devenv:processes:"


def parse(words: list[str]) -> tuple[Path, list[str]]:
    """Return the file of tasks and the tasks that are asked for."""
    file, asked = os.environ.get("DEVENV_TASK_FILE", ""), []
    rest = iter(words)
    for word in rest:
        if word == "--ignore-process-deps":
            continue
        if word.startswith("--"):
            value = next(rest)
            file = value if word == "--task-file" else file
        else:
            asked.append(word)
    return Path(file), asked


def prerequisites(tasks: dict[str, dict], name: str) -> list[str]:
    """Return the tasks that come before one; processes are left to the process manager."""
    named = [dependency.split("@")[0] for dependency in tasks[name]["after"]]
    named += [other for other, task in tasks.items() if name in {one.split("@")[0] for one in task["before"]}]
    if unknown := [one for one in named if one not in tasks]:
        sys.exit(f"devenv-tasks stand-in: {name} comes after {unknown[0]}, which is not a task")
    return [one for one in named if not one.startswith(PREFIX)]


def in_order(tasks: dict[str, dict], name: str, done: list[str], above: tuple[str, ...] = ()) -> None:
    """Append a task to `done`, after its prerequisites."""
    if name in above:
        sys.exit(f"devenv-tasks stand-in: a circle: {' -> '.join((*above, name))}")
    if name in done:
        return
    for before in prerequisites(tasks, name):
        in_order(tasks, before, done, (*above, name))
    done.append(name)


def run(task: dict) -> None:
    """Run a task to its end; a process until a signal comes."""
    environ = {"DEVENV_TASK_ENV": "", **os.environ, **(task["env"] or {})}
    folder = task["cwd"] or None
    if task["type"] == "process":
        watch(task, environ, folder)
    if task["status"] and ended_with(task["status"], environ, folder) == 0:
        return
    if task["command"] and (code := ended_with(task["command"], environ, folder)):
        sys.exit(f"devenv-tasks stand-in: {task['name']} ended with {code}")


class Stopped(Exception):
    """A signal came; its number is the argument."""


def stop(number: int, _frame: object) -> NoReturn:
    """Take the signal to where the process is waited for."""
    raise Stopped(number)


def watch(task: dict, environ: dict[str, str], folder: str | None) -> NoReturn:
    """Run a process, again where it fails, and pass on the signal that ends it."""
    child = None
    signal.signal(signal.SIGTERM, stop)
    signal.signal(signal.SIGINT, stop)
    try:
        for _ in range(1 + task["process"]["restart"]["max"]):
            child = subprocess.Popen([task["command"]], env=environ, cwd=folder)
            code = child.wait()
            print(f"devenv-tasks stand-in: {task['name']} ended with {code}", flush=True)
            if code == 0:
                break
        signal.pause()
    except Stopped as stopped:
        if child:
            child.send_signal(stopped.args[0])
            child.wait()
    sys.exit(0)


def ended_with(command: str, environ: dict[str, str], folder: str | None) -> int:
    """Run a script to its end and return its exit code."""
    return subprocess.run([command], env=environ, cwd=folder, check=False).returncode


def main() -> None:
    """Do what the words ask for."""
    verb, *words = sys.argv[1:]
    file, asked = parse(words)
    tasks = {task["name"]: task for task in json.loads(file.read_text())}
    if verb == "list":
        print("\n".join(sorted(tasks)))
        return
    order: list[str] = []
    for name in asked:
        in_order(tasks, name, order)
    for name in order:
        run(tasks[name])


main()
