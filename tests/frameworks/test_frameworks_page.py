"""Every block of the frameworks' page runs and prints what the page shows."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

PAGE = Path(__file__).parents[2] / "docs" / "qdrant-frameworks.md"
SHOWN_URL = "http://127.0.0.1:6333"
BLOCK = re.compile(r"^```(python|js|sh)\n(.*?)^```\n.*?^```text\n(.*?)^```$", re.MULTILINE | re.DOTALL)
TIMEOUT_S = 120
QUIET = {"HAYSTACK_TELEMETRY_ENABLED": "False", "LANGCHAIN_TRACING_V2": "false"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Example:
    """A block of the page and what is printed under it."""

    heading: str
    language: str
    code: str
    shows: str


def examples() -> list[Example]:
    """Return the page's blocks that have an output, by heading."""
    found = []
    for section in re.split(r"^## ", PAGE.read_text(), flags=re.MULTILINE)[1:]:
        heading = section.partition("\n")[0]
        found += [
            Example(heading=heading, language=language, code=code, shows=shows)
            for language, code, shows in BLOCK.findall(section)
        ]
    return found


def command(example: Example, code: str) -> list[str]:
    """Return the command that runs a block; skip with the reason why a block has not what it needs."""
    if example.language == "python":
        return [sys.executable, "-c", code]
    if example.language == "sh":
        return ["bash", "-euo", "pipefail", "-c", code]
    if reason := os.environ["RAGBED_NO_JS"]:  # set, maybe empty, by scripts/test-frameworks
        pytest.skip(reason)
    script = Path(os.environ["RAGBED_JS"], f"{example.heading.lower()}.mjs")
    script.write_text(code)
    return ["node", str(script)]


def test_page_has_an_example_for_each_client() -> None:
    """None is lost by a change of the page's layout."""
    headings = [example.heading for example in examples()]

    assert headings == [
        "Plain curl",
        *["qdrant-client"] * 2,
        "LangChain",
        "LlamaIndex",
        "Haystack",
        "JavaScript",
    ]


@pytest.mark.parametrize(
    "example", examples(), ids=lambda example: f"{example.heading} {example.code[7:13]!r}"
)
def test_example_prints_what_the_page_shows(example: Example, url: str) -> None:
    """Its last lines are those under the block; progress and the like may go before."""
    run = subprocess.run(
        command(example, example.code.replace(SHOWN_URL, url)),
        capture_output=True,
        text=True,
        timeout=TIMEOUT_S,
        env={**os.environ, **QUIET},
        check=False,
    )

    assert run.returncode == 0, run.stderr
    assert run.stdout.endswith(example.shows), run.stdout
