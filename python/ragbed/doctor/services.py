"""Where the four services can be had: what runs, what answers, what could be started. Nothing is started."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from importlib import metadata
from typing import TYPE_CHECKING, Any

from ragbed.doctor.probing import Failed, Silent
from ragbed.stack import SERVICES, Endpoint
from ragbed.stack.health import check_health
from ragbed.stack.launcher_choice import chosen_launcher
from ragbed.stack.registry import kind_of

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from ragbed.doctor.probing import Programs
    from ragbed.pins import StackPins
    from ragbed.settings import Settings
    from ragbed.stack import StackBuilder
    from ragbed.stack.binaries import Search
    from ragbed.stack.record import StackRecord
    from ragbed.stack.skipped_services import Skipped

Unanswered = Failed | Silent
_NO_SERVER = {"OLLAMA_HOST": "127.0.0.1:1"}
"""`ollama --version` tells the version of a server that answers, not its own."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Program:
    """What would be started.

    Attributes:
        search: The program, and what was passed over on PATH.
        wheel: The installed version of the wheel that brings a server; empty where it is not installed.
        hanging: Programs that did not tell their version in time.
        advice: What a user types who has no program.
    """

    search: Search
    wheel: str = ""
    hanging: tuple[str, ...] = ()
    advice: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ServiceFacts:
    """Every place where one service was looked for. None: there is nothing, or no reason to look.

    Attributes:
        service: Which one.
        running: Its endpoint in the stack that is up.
        health: `ready`, or what is wrong with that one, in a few words.
        given: What the URL in the settings leads to.
        variable: What names that URL, or would.
        on_port: What was found where it was announced, or on the default port.
        program: What would be started.
        may_start: Whether the tier lets ragbed start services.
        target: Whether the tier may be a test target at all.
        tier: Its name.
        mock_chosen: Why the mock LLM was chosen; empty where it would only stand in.
    """

    service: str
    running: Endpoint | None = None
    health: str = "ready"
    given: Endpoint | Unanswered | None = None
    variable: str = ""
    on_port: Endpoint | Skipped | Unanswered | None = None
    program: Program | Unanswered | None = None
    may_start: bool = True
    target: bool = True
    tier: str = "local"
    mock_chosen: str = ""


@dataclass(frozen=True, kw_only=True)
class Survey:
    """Looks for services as `ragbed up` does.

    Attributes:
        settings: The resolved settings.
        builder: What would build the stack.
        pins: What is accepted and started.
        programs: Asks programs for their versions.
        record: The stack that is up; None for none.
    """

    settings: Settings
    builder: StackBuilder
    pins: StackPins
    programs: Programs
    record: StackRecord | None

    def questions(self) -> dict[str, Callable[[], Any]]:
        """Return what to ask, by name; in a tier that is never a test target, no store is asked."""
        questions: dict[str, Callable[[], Any]] = {
            f"{name} program": partial(self._program, name) for name in SERVICES
        }
        if self.record:
            questions["running"] = partial(check_health, self.record, self.builder.folder, self.settings)
        if self.settings.tier.writes_allowed:
            questions |= {f"{name} given": partial(self.builder.given, name) for name in SERVICES}
            questions |= {f"{name} port": partial(self._on_port, name) for name in SERVICES}
        return questions

    def facts(self, answers: Mapping[str, Any]) -> list[ServiceFacts]:
        """Return the facts of each service, from the answers by name."""
        return [self._facts_of(name, answers) for name in SERVICES]

    def _facts_of(self, name: str, answers: Mapping[str, Any]) -> ServiceFacts:
        setting, llm = kind_of(name).url, self.builder.llm
        source = self.settings.source(setting).short
        health = answers.get("running")
        return ServiceFacts(
            service=name,
            running=self.record.endpoints.get(name) if self.record else None,
            health=health[name] if isinstance(health, dict) else "no answer",
            given=answers.get(f"{name} given"),
            variable=source if self.settings.is_given(setting) else setting.env[0],
            on_port=answers.get(f"{name} port"),
            program=answers[f"{name} program"],
            may_start=chosen_launcher(self.settings, name) != "attach",
            target=self.settings.tier.writes_allowed,
            tier=self.settings.tier.name,
            mock_chosen=llm.why if llm.provider == "mock" else "",
        )

    def _on_port(self, name: str) -> Endpoint | Skipped | None:
        if not self.builder.may_discover(name):
            return None
        return self.builder.discover(name)

    def _program(self, name: str) -> Program:
        hanging: list[str] = []
        starter = self.builder.starter(name)
        search = starter.search(self.pins[name], partial(self._version, hanging))
        wheel = self.pins[name].channels.wheel
        return Program(
            search=search,
            wheel=_installed(wheel.package) if wheel else "",
            hanging=tuple(hanging),
            advice=starter.advice,
        )

    def _version(self, hanging: list[str], program: Path) -> str:
        """Return a program's version; one that does not tell it in time is written down."""
        said = self.programs.ask(str(program.absolute()), "--version", environ=_NO_SERVER)
        if said.hangs:
            hanging.append(str(program))
        return said.version


def _installed(package: str) -> str:
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return ""
