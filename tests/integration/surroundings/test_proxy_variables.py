"""What the environment says of proxies and certificates does not matter on loopback."""

from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from pathlib import Path

    from ragbed_command import RagbedCommand

VARIABLES = {
    "ALL_PROXY": "socks5h://127.0.0.1:9",
    "HTTP_PROXY": "socks4://127.0.0.1:9",
    "https_proxy": "http://[::1",
    "NO_PROXY": "[::bad",
    "SSL_CERT_FILE": "/nonexistent",
    "SSL_CERT_DIR": "/nonexistent",
    "REQUESTS_CA_BUNDLE": "/nonexistent",
    "CURL_CA_BUNDLE": "/nonexistent",
}
_CLIENT = """
from ragbed.llm import OllamaSession
from ragbed.errors import ServiceMissing
try:
    OllamaSession("http://127.0.0.1:9").embed("all-minilm", ["text"])
except ServiceMissing as error:
    print(error.message)
import os, sys
print(os.environ[sys.argv[1]])
"""


@pytest.mark.parametrize("variable", ["ALL_PROXY", "HTTP_PROXY", "https_proxy", "NO_PROXY", "SSL_CERT_FILE"])
def test_the_llm_client_does_not_read_them(variable: str, ragbed: RagbedCommand) -> None:
    """It finds nobody at the address, which is all that is wrong; the variable stays for the user's programs."""
    done = subprocess.run(
        [sys.executable, "-c", _CLIENT, variable],
        capture_output=True,
        text=True,
        check=False,
        env=ragbed.variables(**{variable: VARIABLES[variable]}),
    )

    assert done.stderr == ""
    assert "connection was refused" in done.stdout
    assert done.stdout.splitlines()[-1] == VARIABLES[variable]


def test_the_pipeline_works_with_all_of_them(ragbed_up: RagbedCommand, tmp_path: Path) -> None:
    """Documents are read, embedded and written, in this process and in those that it starts."""
    (tmp_path / "sluice.md").write_text("# Sluice\n\nThe sluice gate opens at six.\n", encoding="utf-8")

    done = ragbed_up.run("ingest", str(tmp_path), **VARIABLES)

    assert done.returncode == 0, done.stderr
