"""The frameworks' own tests, as their source packages ship them, on the embedded Qdrant and the mock LLM.

`scripts/test-frameworks` downloads and unpacks the packages; nothing of theirs is kept here. What may fail is in
`DIFFERENCES`, with the reason; a test that passes although it is listed there fails too.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING
from xml.etree import ElementTree as ET

import pytest

if TYPE_CHECKING:
    from collections.abc import Mapping
PLUGINS = Path(__file__).parent / "suites"
UNPACKED = Path(os.environ.get("RAGBED_SUITES", "."))  # set by scripts/test-frameworks
TIMEOUT_S = 600

WHOLE = os.environ.get("RAGBED_SUITES_WHOLE") == "1"
"""Every test of every suite; else a share of the long ones."""

_CHAT = "tests.integration_tests.chat_models.test_chat_models_standard.TestChatOllama"
DIFFERENCES: Mapping[str, str] = {
    f"{_CHAT}::test_image_inputs": "fetches its picture from a public address, and no test leaves this machine",
}
"""The tests that fail, by name, and why: the only list of them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Suite:
    """The tests of one source package.

    Attributes:
        package: The package, as pip names it.
        paths: What is run, in the package's folder.
        plugin: Our plugin that leads it to the server; none where a variable does.
        environment: More variables; `{qdrant}` and `{llm}` become the servers' addresses.
        older_client: Run with the older qdrant-client of `older-client.lock`.
        share: How much of it is run unless the whole is asked for.
    """

    package: str
    paths: tuple[str, ...]
    environment: Mapping[str, str]
    plugin: str | None = None
    older_client: bool = False
    share: float = 1


SUITES = [
    Suite(
        package="langchain-qdrant",
        paths=("tests/integration_tests",),
        environment={"QDRANT_URL": "{qdrant}"},
        plugin="langchain_qdrant_plugin",
        older_client=True,
        share=1 / 3,
    ),
    Suite(
        package="qdrant-haystack",
        paths=("tests",),
        environment={"QDRANT_URL": "{qdrant}"},
        plugin="haystack_qdrant_plugin",
        share=1 / 2,
    ),
    Suite(
        package="langchain-ollama",
        paths=("tests/integration_tests",),
        environment={"OLLAMA_HOST": "{llm}"},
    ),
]


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What a suite's tests came to.

    Attributes:
        passed: Names of those that passed.
        failed: Name and message of those that failed.
        skipped: Name and reason of those that were skipped, or failed as they themselves expect.
    """

    passed: frozenset[str]
    failed: Mapping[str, str]
    skipped: Mapping[str, str]


def environment(suite: Suite, qdrant: str, llm: str) -> dict[str, str]:
    """Return the suite's variables: without the caller's proxies, keys and tracing."""
    kept = {name: os.environ[name] for name in ("PATH", "HOME", "TMPDIR", "LANG") if name in os.environ}
    own = {name: value.format(qdrant=qdrant, llm=llm) for name, value in suite.environment.items()}
    return {
        **kept,
        "HAYSTACK_TELEMETRY_ENABLED": "False",
        "LANGSMITH_TRACING": "false",
        "PYTHONPATH": os.pathsep.join(
            [str(PLUGINS), *([str(UNPACKED / "older-client")] * suite.older_client)]
        ),
        "RAGBED_SHARE": str(1 if WHOLE else suite.share),
        **own,
    }


def run(suite: Suite, report: Path, *, qdrant: str, llm: str) -> Outcome:
    """Run a suite's tests and return what they came to."""
    plugins = [name for name in ("share_plugin", suite.plugin) if name]
    ended = subprocess.run(
        [
            *(sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", f"--junitxml={report}"),
            "--allow-hosts=127.0.0.1",  # none leaves this machine
            *(f"-p{name}" for name in plugins),
            *suite.paths,
        ],
        cwd=UNPACKED / suite.package,
        env=environment(suite, qdrant, llm),
        capture_output=True,
        text=True,
        timeout=TIMEOUT_S,
        check=False,
    )
    assert ended.returncode in (0, 1), ended.stdout + ended.stderr  # all passed, or some failed
    return read(report)


def read(report: Path) -> Outcome:
    """Read pytest's report."""
    passed, failed, skipped = set(), {}, {}
    for case in ET.parse(report).iter("testcase"):  # noqa: S314 - our own process wrote it
        name = f"{case.get('classname')}::{case.get('name')}"
        for outcome in case:
            if outcome.tag in ("failure", "error"):
                failed[name] = outcome.text or outcome.get("message", "")
            elif outcome.tag == "skipped":
                said = outcome.text or outcome.get("message", "")
                skipped[name] = re.sub(r"^\S+:\d+: |.*Skipped: ", "", said)
        if name not in failed and name not in skipped:
            passed.add(name)
    return Outcome(passed=frozenset(passed), failed=failed, skipped=skipped)


def told(suite: Suite, outcome: Outcome) -> str:
    """Return a suite's figures, and why tests were skipped."""
    lines = [
        f"{suite.package}: {len(outcome.passed)} passed, {len(outcome.failed)} failed, {len(outcome.skipped)} skipped"
    ]
    lines += [
        f"  failed, as listed: {name}: {DIFFERENCES[name]}" for name in outcome.failed if name in DIFFERENCES
    ]
    lines += [f"  skipped {count}: {reason}" for reason, count in Counter(outcome.skipped.values()).items()]
    return "\n".join(lines)


@pytest.mark.parametrize("suite", SUITES, ids=lambda suite: suite.package)
def test_their_tests_fail_only_where_a_difference_is_known(
    suite: Suite, url: str, llm: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """And the known differences are still there."""
    outcome = run(suite, tmp_path / "report.xml", qdrant=url, llm=llm)

    with capsys.disabled():
        print(f"\n{told(suite, outcome)}")
    assert outcome.passed
    unknown = {name: why for name, why in outcome.failed.items() if name not in DIFFERENCES}
    assert not unknown, "\n\n".join(f"{name}\n{why}" for name, why in unknown.items())
    assert not outcome.passed & DIFFERENCES.keys(), "listed as different, and the same"
