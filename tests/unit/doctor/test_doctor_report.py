"""The report: its exit code, its published form, what differs between two machines, and the symptoms."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner
from jsonschema import Draft202012Validator

from ragbed import pytest_plugin
from ragbed.cli import COMMANDS, ragbed
from ragbed.doctor import SYMPTOMS, Difference, Finding, Report, differences, fitting, read_values
from ragbed.doctor.finding import finding_of
from ragbed.errors import DriftError, ExitCode, ServiceMissing, UsageError

DOCS = Path(__file__).parents[3] / "docs"
SCHEMA = json.loads((DOCS / "doctor-report.schema.json").read_text(encoding="utf-8"))


def report(*states: str, tier: str = "local") -> Report:
    """Return a report with a finding per state."""
    findings = [
        Finding(topic=f"topic-{n}", state=state, seen="seen", value=str(n))  # type: ignore[arg-type]
        for n, state in enumerate(states)
    ]
    return Report(tier=tier, findings=tuple(findings), seconds=0.1234)


@pytest.mark.parametrize(
    ("states", "code"),
    [
        ([], ExitCode.FINE),
        (["ok", "note"], ExitCode.FINE),
        (["ok", "drift"], ExitCode.DRIFT),
        (["drift", "missing"], ExitCode.SERVICE_MISSING),
        (["missing", "drift", "wrong", "ok"], ExitCode.USAGE),
    ],
    ids=["nothing", "optional", "drift", "missing-first", "wrong-first"],
)
def test_the_exit_code_is_that_of_what_stands_in_the_way_most(states: list[str], code: ExitCode) -> None:
    """What is optional never fails; a wrong setting comes before what is missing, and that before drift."""
    assert report(*states).exit_code == code


def test_a_report_fits_the_published_schema() -> None:
    """With every state, a hint and details."""
    findings = (
        *report("ok", "note", "drift", "missing", "wrong").findings,
        finding_of("x", DriftError("a", details=["b"], hint="c")),
    )

    Draft202012Validator(SCHEMA).validate(Report(tier="", findings=findings, seconds=1.5).to_json())


def test_the_schema_refuses_another_state() -> None:
    """The schema is not so wide that anything fits."""
    assert not Draft202012Validator(SCHEMA).is_valid(report("fine").to_json())


def test_secrets_are_taken_out_of_every_text() -> None:
    """Sentence, hint and details."""
    error = ServiceMissing("no hunter22", details=["hunter22"], hint="unset hunter22")

    scrubbed = finding_of("redis", error).scrubbed(lambda text: text.replace("hunter22", "***"))

    assert "hunter22" not in str(scrubbed)


def test_what_differs_between_two_machines_is_named() -> None:
    """A value that is another there, one that is only here, one that is only there; equal ones are left out."""
    there = {"topic-0": "0", "topic-1": "other", "topic-3": "three"}

    assert differences(report("ok", "ok", "ok"), there) == [
        Difference(topic="topic-1", here="1", there="other"),
        Difference(topic="topic-2", here="2", there=""),
        Difference(topic="topic-3", here="", there="three"),
    ]


def test_values_are_read_from_what_json_printed(tmp_path: Path) -> None:
    """A report goes through its file unchanged."""
    file = tmp_path / "ci.json"
    file.write_text(json.dumps(report("ok", "drift").to_json()))

    assert differences(report("ok", "drift"), read_values(file)) == []


@pytest.mark.parametrize("text", ["", "[]", '{"findings": [{"topic": 1}]}', '{"findings": 5}'])
def test_a_file_that_is_no_report_is_refused(text: str, tmp_path: Path) -> None:
    """The message says how to make one."""
    file = tmp_path / "ci.json"
    file.write_text(text)

    with pytest.raises(UsageError, match="is not a report of the doctor") as caught:
        read_values(file)

    assert "ragbed doctor --json > doctor.json" in caught.value.hint
    assert file.name not in caught.value.hint  # it is somebody's file, which a copied line would overwrite


def test_a_file_that_is_not_there_is_refused(tmp_path: Path) -> None:
    """The system's reason is given."""
    with pytest.raises(UsageError, match="No such file"):
        read_values(tmp_path / "nope.json")


@pytest.mark.parametrize(
    ("shown", "said"),
    [
        pytest.param(report("drift"), "Passes here, fails in CI", id="drift"),
        pytest.param(
            Report(
                tier="local",
                seconds=0,
                findings=(Finding(topic="redis", state="ok", seen="redis 8 at x", shared=True),),
            ),
            "Passes alone, fails together",
            id="shared-service",
        ),
        pytest.param(report(tier="staging"), "Staging is always broken", id="staging"),
        pytest.param(
            Report(tier="local", seconds=0, findings=(Finding(topic="disk", state="note", seen="full"),)),
            "Provisioning is slow",
            id="full-disk",
        ),
        pytest.param(report(tier="ci"), "A CI failure cannot be reproduced", id="ci"),
    ],
)
def test_a_symptom_is_shown_where_its_cause_is(shown: Report, said: str) -> None:
    """Just that one."""
    assert [symptom.said for symptom in fitting(shown)] == [said]


def test_a_shared_llm_is_no_cause_of_a_symptom() -> None:
    """Nobody writes to it."""
    found = Finding(topic="ollama", state="ok", seen="ollama 0.24 at x, found by OLLAMA_HOST")

    assert fitting(Report(tier="local", seconds=0, findings=(found,))) == []


def test_a_healthy_machine_brings_no_symptom() -> None:
    """Nothing is hinted at without a cause."""
    assert fitting(report("ok", "note")) == []


ANSWERS = [remedy for symptom in SYMPTOMS for remedy in symptom.remedies]


@pytest.mark.parametrize("answer", dict.fromkeys(remedy.type for remedy in ANSWERS))
def test_every_answer_names_what_exists(answer: str) -> None:
    """A fixture of the plugin, or a command of ours with flags that it has."""
    if answer.startswith("ragbed_"):
        assert hasattr(pytest_plugin, answer)
        return
    command, *words = answer.partition("ragbed ")[2].split()
    shown = CliRunner().invoke(ragbed, [command, "--help"]).output

    assert command in COMMANDS
    assert [word for word in words if word.startswith("-") and word not in shown] == []


def test_the_page_tells_every_symptom_with_its_answers() -> None:
    """docs/doctor.md has them in the same words."""
    page = (DOCS / "doctor.md").read_text(encoding="utf-8")
    told = [symptom.said for symptom in SYMPTOMS] + [remedy.type for remedy in ANSWERS]

    assert [text for text in told if text not in page] == []
