"""Stands in for process-compose, which Debian lacks: starts what its configuration names in order, in the foreground.

It knows depends_on with its conditions, readiness probes by command, environment, the signal that ends a process, and
restarts that are counted. It has no TUI and no server. Where process-compose would wait for ever, it
says so.
"""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path


class Process:
    """One process of the configuration, and how far it has come."""

    def __init__(self, name: str, config: dict, shell: list[str]) -> None:
        self.name, self.config, self._shell = name, config, shell
        self.probe = config.get("readiness_probe")
        self.child: subprocess.Popen | None = None
        self.healthy, self.code = False, None
        self._failures, self._next_probe, self._starts = 0, 0.0, 0
        self._asked: subprocess.Popen | None = None
        self._asked_until = 0.0

    def start(self) -> None:
        """Start it in a group of its own."""
        environ = dict(
            os.environ, **dict(entry.split("=", 1) for entry in self.config.get("environment") or [])
        )
        command = [*self._shell, self.config["command"]]
        self.child = subprocess.Popen(command, env=environ, stdin=subprocess.DEVNULL, start_new_session=True)
        self.code, self._failures, self._starts = None, 0, self._starts + 1
        self._next_probe = time.monotonic() + (self.probe or {}).get("initial_delay_seconds", 0)

    def look(self) -> None:
        """Notice an end; ask whether it is ready when it is time to."""
        if self.child is None or self.code is not None:
            return
        self.code = self.child.poll()
        if self.code is not None:
            self._ended()
        elif self.probe and not self.healthy:
            self._ask()

    def _ended(self) -> None:
        say(f"{self.name}: ended with {self.code}")
        availability = self.config.get("availability", {})
        wanted = {"always": True, "on_failure": self.code != 0}.get(availability.get("restart"), False)
        if wanted and self._starts <= availability.get("max_restarts", 0):
            self.start()

    def _ask(self) -> None:
        """Ask when it is time to; an answer may take as long as the probe allows, and nothing waits for it."""
        now = time.monotonic()
        if self._asked is None:
            if now >= self._next_probe:
                words = ["bash", "-c", self.probe["exec"]["command"]]
                quiet = {
                    "stdin": subprocess.DEVNULL,
                    "stdout": subprocess.DEVNULL,
                    "stderr": subprocess.DEVNULL,
                }
                self._asked = subprocess.Popen(words, **quiet, start_new_session=True)
                self._asked_until = now + self.probe["timeout_seconds"]
            return
        code = self._asked.poll()
        if code is None and now < self._asked_until:
            return
        self._stop_asking()
        self._next_probe = now + self.probe["period_seconds"]
        if code == 0:
            self.healthy = True
            say(f"{self.name}: ready")
            return
        self._failures += 1
        if self._failures >= self.probe["failure_threshold"]:
            say(f"{self.name}: not ready after {self._failures} probes")
            self.stop()

    def _stop_asking(self) -> None:
        if self._asked and self._asked.poll() is None:
            os.killpg(self._asked.pid, signal.SIGKILL)
            self._asked.wait()
        self._asked = None

    def meets(self, condition: str) -> bool:
        """Tell whether it has come as far as a condition says."""
        return {
            "process_started": self.child is not None,
            "process_healthy": self.healthy,
            "process_completed": self.code is not None,
            "process_completed_successfully": self.code == 0,
        }[condition]

    def stop(self) -> None:
        """End it and all that it has started."""
        self._stop_asking()
        if self.child is None or self.code is not None:
            return
        number = self.config.get("shutdown", {}).get("signal", signal.SIGTERM)
        for one in (number, signal.SIGKILL):
            try:
                os.killpg(self.child.pid, one)
                self.child.wait(timeout=15)
            except ProcessLookupError:
                return
            except subprocess.TimeoutExpired:
                continue


def say(text: str) -> None:
    """Write a line that tests wait for."""
    print(f"process-compose: {text}", flush=True)


def refuse_waiting_for_ever(processes: dict[str, Process]) -> None:
    """End where a process waits for what cannot come."""
    for name, process in processes.items():
        for other, wanted in process.config.get("depends_on", {}).items():
            if other not in processes:
                sys.exit(f"process-compose: {name} waits for {other}, which is not a process")
            if wanted["condition"] == "process_healthy" and not processes[other].probe:
                sys.exit(f"process-compose: {name} waits until {other} is healthy, which nothing asks")


def main() -> None:
    """Run what the configuration names until a signal comes."""
    file = os.environ["PC_CONFIG_FILES"]
    config = json.loads(Path(file).read_text())
    shell = [config["shell"]["shell_command"], config["shell"]["shell_argument"]]
    processes = {
        name: Process(name, one, shell)
        for name, one in config["processes"].items()
        if not one.get("disabled")
    }
    refuse_waiting_for_ever(processes)
    # Noted and looked at between two steps: a terminal and devenv's own script both send one, and a signal that
    # interrupts a step would leave a process that has just been started.
    signals: list[int] = []
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda number, _: signals.append(number))
    try:
        while not signals:
            for process in processes.values():
                waits_for = process.config.get("depends_on", {}).items()
                if process.child is None and all(
                    processes[name].meets(one["condition"]) for name, one in waits_for
                ):
                    process.start()
                process.look()
            time.sleep(0.05)
    finally:
        for process in reversed(processes.values()):
            process.stop()
        say("all have ended")


main()
