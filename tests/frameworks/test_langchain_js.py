"""LangChain.js on both servers. Its packages ship no tests of their own, so `js/langchain.test.mjs` has ours."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

TESTS = Path(__file__).parent / "js" / "langchain.test.mjs"
TIMEOUT_S = 120


def test_langchain_js_runs_on_both_servers(url: str, llm: str, capsys: pytest.CaptureFixture[str]) -> None:
    """Every test passes, and none is skipped."""
    if reason := os.environ["RAGBED_NO_JS"]:  # set, maybe empty, by scripts/test-frameworks
        pytest.skip(reason)
    beside_packages = shutil.copy(TESTS, os.environ["RAGBED_JS"])
    ended = subprocess.run(
        ["node", "--test", "--test-reporter=tap", beside_packages],
        env={"PATH": os.environ["PATH"], "QDRANT_URL": url, "OLLAMA_URL": llm},
        capture_output=True,
        text=True,
        timeout=TIMEOUT_S,
        check=False,
    )

    figures = dict(re.findall(r"^# (pass|fail|skipped) (\d+)$", ended.stdout, re.MULTILINE))
    with capsys.disabled():
        print(f"\nLangChain.js: {figures.get('pass')} passed, {figures.get('fail')} failed")
    assert ended.returncode == 0, ended.stdout + ended.stderr
    assert int(figures["pass"]) > 0
    assert figures["skipped"] == "0"
