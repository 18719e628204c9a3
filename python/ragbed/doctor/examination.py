"""Ask everything at once, judge each answer by itself, and put the lines in order."""

from __future__ import annotations

import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ragbed.doctor.checks import Configured, configured, standing_checks
from ragbed.doctor.finding import Finding, Report
from ragbed.doctor.fingerprints import judge_fingerprint, take_fingerprints
from ragbed.doctor.model_findings import judge_models
from ragbed.doctor.models import ModelSurvey
from ragbed.doctor.probing import Programs, gather
from ragbed.doctor.service_findings import judge_service
from ragbed.doctor.services import Survey
from ragbed.errors import RagbedError
from ragbed.guard import refuse_writes, scrubber
from ragbed.settings import resolve_settings
from ragbed.stack import SERVICES, StackBuilder, project_folder
from ragbed.stack.judging import require_allowed
from ragbed.stack.record import load_record
from ragbed.state import StateFolder

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from ragbed.pins import StackPins
    from ragbed.settings import Settings
    from ragbed.stack.record import StackRecord

_WITH_THE_MOCK = {"llm.provider": "mock", "embedding.provider": ""}


@dataclass(frozen=True, slots=True, kw_only=True)
class Looks:
    """What can be looked for, given what could be read.

    Attributes:
        services: Looks for services; None without settings or pins.
        models: Looks for models; None without settings, pins or a lock.
        refusal: Why `ragbed up` would be refused before it looks for anything.
    """

    services: Survey | None = None
    models: ModelSurvey | None = None
    refusal: RagbedError | None = None

    def questions(self) -> dict[str, Callable[[], Any]]:
        """Return what to ask, by name."""
        return {
            **(self.services.questions() if self.services else {}),
            **(self.models.questions() if self.models else {}),
        }


def examine(*, fingerprints: bool = False) -> Report:
    """Look at this machine. Nothing is written or started, and nothing is waited for longer than a few seconds.

    Args:
        fingerprints: Also load the embedding model of a live Ollama for its fingerprint, however long that takes.
    """
    begun = time.monotonic()
    here, programs = configured(), Programs()
    try:
        findings = list(_findings(here, programs, load=fingerprints))
    finally:
        programs.end()
    if isinstance(here.settings, RagbedError):
        return Report(tier="", findings=tuple(findings), seconds=time.monotonic() - begun)
    record = load_record(_readable(here.folder))
    scrub = scrubber(here.settings, [one.url for one in record.endpoints.values()] if record else ())
    return Report(
        tier=here.settings.tier.name,
        findings=tuple(finding.scrubbed(scrub) for finding in findings),
        seconds=time.monotonic() - begun,
    )


def _findings(here: Configured, programs: Programs, *, load: bool) -> Iterator[Finding]:
    looks = _looks(here, programs)
    checks = standing_checks(here, programs, looks.refusal)
    answers = gather({**{check.topic: check.see for check in checks}, **looks.questions()})
    yield from (check.finding(answers[check.topic]) for check in checks)
    yield from _of_services(here, looks.services, answers)
    if looks.models:
        yield from _of_models(looks.models, answers, load=load)


def _of_services(here: Configured, survey: Survey | None, answers: Mapping[str, Any]) -> Iterator[Finding]:
    if survey is None:
        broken = "stack.toml is wrong" if isinstance(here.pins, RagbedError) else "the settings are wrong"
        seen = f"not looked at: {broken}"
        yield from (Finding(topic=name, state="note", seen=seen) for name in SERVICES)
        return
    for facts in survey.facts(answers):
        yield judge_service(facts, survey.pins[facts.service], here.shell)


def _of_models(survey: ModelSurvey, answers: Mapping[str, Any], *, load: bool) -> Iterator[Finding]:
    facts = survey.facts(answers)
    yield from judge_models(facts)
    for server, verdict in take_fingerprints(facts, load=load).items():
        yield judge_fingerprint(facts.embedding, server, verdict)


def _looks(here: Configured, programs: Programs) -> Looks:
    settings, pins, lock = here.settings, here.pins, here.lock
    if isinstance(settings, RagbedError) or isinstance(pins, RagbedError):
        return Looks()
    folder = _readable(here.folder)
    builder, refusal = _builder(settings, folder, pins)
    record, refusal = _allowed_record(settings, folder, refusal)
    services = Survey(settings=settings, builder=builder, pins=pins, programs=programs, record=record)
    if isinstance(lock, RagbedError):
        return Looks(services=services, refusal=refusal)
    models = ModelSurvey(
        settings=settings, builder=builder, folder=folder, lock=lock, pins=pins, record=record
    )
    return Looks(services=services, models=models, refusal=refusal)


def _allowed_record(
    settings: Settings, folder: StateFolder, refusal: RagbedError | None
) -> tuple[StackRecord | None, RagbedError | None]:
    """Return the stack that is up, where the guard lets its addresses be asked, and else why not."""
    record = load_record(folder)
    if record is None or not record.is_kept_up():
        return None, refusal
    try:
        require_allowed(record, settings, folder)
    except RagbedError as error:
        return None, refusal or error
    return record, refusal


def _readable(folder: StateFolder) -> StateFolder:
    """Return the state folder; one that is not there in place of one that may not be read, of which `disk` tells."""
    try:
        load_record(folder)
    except OSError:
        return StateFolder(Path("/nonexistent"))
    return folder


def _builder(
    settings: Settings, folder: StateFolder, pins: StackPins
) -> tuple[StackBuilder, RagbedError | None]:
    """Return what would build the stack, and why it would be refused.

    Where the LLM cannot be had, the other services are looked at all the same, with the mock in its place.
    """
    refusal: RagbedError | None = None
    try:
        refuse_writes(settings, command="ragbed up")
    except RagbedError as error:
        refusal = error
    try:
        return _build(settings, folder, pins), refusal
    except RagbedError as error:
        mocked = resolve_settings(folder=project_folder(), overrides=_WITH_THE_MOCK)
        return _build(mocked, folder, pins), refusal or error


def _build(settings: Settings, folder: StateFolder, pins: StackPins) -> StackBuilder:
    return StackBuilder(settings, folder, pins, caller="command", keep=False, may_start=False)
