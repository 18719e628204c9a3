"""What the server says of itself stays true."""

from __future__ import annotations

import subprocess
import sys
from importlib.metadata import version

import qdrant_client

from ragbed.pins import install_servers, load_stack_pins
from ragbed.pins.in_force import our_pin_file
from ragbed.qdrant import ENGINE, WIRE_VERSION


def test_engine_named_is_the_engine_installed() -> None:
    """`GET /` names a literal; this keeps it right."""
    assert f"qdrant-edge-py {version('qdrant-edge-py')}" == ENGINE


def test_client_takes_the_wire_version() -> None:
    """Same major, at most one minor apart: else the client warns."""
    ours, theirs = (
        value.split(".")[:2] for value in (WIRE_VERSION, version(qdrant_client.__package__ or ""))
    )

    assert ours[0] == theirs[0]
    assert abs(int(ours[1]) - int(theirs[1])) <= 1


def test_server_starts_without_heavy_imports() -> None:
    """Clients, validators and tables stay out of the process: each would cost more than the rest together."""
    code = "import sys, ragbed.qdrant.__main__; print(*{name.partition('.')[0] for name in sys.modules})"
    loaded = subprocess.run(
        [sys.executable, "-P", "-s", "-c", code], capture_output=True, text=True, check=True
    )

    assert {"pydantic", "qdrant_client", "httpx", "numpy", "rich"}.isdisjoint(loaded.stdout.split())


def test_missing_engine_is_a_missing_service() -> None:
    """The engine is an optional dependency: without it, exit code 10 and the way to get it."""
    code = (
        "import sys; sys.modules['qdrant_edge'] = None; sys.argv[1:] = ['--port', '0', '--data', 'unused']; "
        "from ragbed.qdrant.__main__ import main; main()"
    )
    ended = subprocess.run(
        [sys.executable, "-P", "-s", "-c", code], capture_output=True, text=True, check=False
    )

    assert ended.returncode == 10
    assert f"try: {install_servers(load_stack_pins(our_pin_file('stack.toml')))}, or" in ended.stderr
