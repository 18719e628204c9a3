"""A client that speaks gRPC learns that it cannot, and what to do instead."""

from __future__ import annotations

import socket
import subprocess
import sys
from contextlib import closing, suppress
from typing import TYPE_CHECKING

import grpc
import httpx
import pytest
from qdrant_client import QdrantClient
from qdrant_client import grpc as calls
from qdrant_server import STOP_TIMEOUT_S, serving

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

TIMEOUT_S = 20


@pytest.fixture
def port() -> int:
    """A port that was free a moment ago, as was the next."""
    while True:
        with socket.create_server(("127.0.0.1", 0)) as found, suppress(OSError, OverflowError):
            port = int(found.getsockname()[1])
            with socket.create_server(("127.0.0.1", port + 1)):
                return port


def connect(url: str, port: int) -> QdrantClient:
    """Return a client that asks nothing in the background, for servers that end soon."""
    return QdrantClient(
        url=url, grpc_port=port, prefer_grpc=True, timeout=TIMEOUT_S, check_compatibility=False
    )


@pytest.fixture
def grpc_client(tmp_path: Path, port: int) -> Iterator[QdrantClient]:
    """Qdrant's own client, told to prefer gRPC."""
    with serving(tmp_path / "data", "--grpc-port", str(port)) as server:
        client = connect(server.url, port)
        yield client
        client.close()


def refusal(client: QdrantClient, points: int = 1) -> grpc.RpcError:
    """Return what a write raises."""
    vector = calls.Vectors(vector=calls.Vector(dense=calls.DenseVector(data=[1.0] * 1000)))
    request = calls.UpsertPoints(
        collection_name="any", points=[calls.PointStruct(vectors=vector) for _ in range(points)]
    )
    with pytest.raises(grpc.RpcError) as raised:
        client.grpc_points.Upsert(request, timeout=TIMEOUT_S)
    return raised.value


def test_call_by_grpc_is_refused_with_advice(grpc_client: QdrantClient) -> None:
    """As not implemented; the words say which switch to turn."""
    with pytest.raises(grpc.RpcError) as raised:
        grpc_client.get_collections()

    assert raised.value.code() is grpc.StatusCode.UNIMPLEMENTED
    assert "prefer_grpc=False" in raised.value.details()


def test_every_call_on_a_connection_is_refused(grpc_client: QdrantClient) -> None:
    """Also after bodies beyond what a client may send unasked, which nobody reads to the end."""
    codes = [refusal(grpc_client, points=50).code() for _ in range(5)]

    assert codes == [grpc.StatusCode.UNIMPLEMENTED] * 5


def test_port_that_is_taken_stops_nobody(tmp_path: Path) -> None:
    """The server answers REST, and its log says that gRPC clients are told nothing."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with serving(tmp_path / "data", "--grpc-port", str(port)) as server:
            status = httpx.get(f"{server.url}/readyz").status_code

    assert status == 200
    assert f"cannot listen on 127.0.0.1:{port}" in (tmp_path / "data.log").read_text()


def test_stranger_on_the_port_is_hung_up_on(tmp_path: Path, port: int) -> None:
    """Who speaks another protocol gets no answer, and the next gRPC client gets its own."""
    with (
        serving(tmp_path / "data", "--grpc-port", str(port)) as server,
        closing(connect(server.url, port)) as client,
    ):
        with socket.create_connection(("127.0.0.1", port), TIMEOUT_S) as stranger:
            stranger.sendall(b"GET /collections HTTP/1.1\r\n\r\n")
            answer = stranger.recv(100)

        assert answer == b""
        assert refusal(client).code() is grpc.StatusCode.UNIMPLEMENTED


def test_command_line_takes_the_port_after_its_own(tmp_path: Path, port: int) -> None:
    """Where clients look for gRPC unless told otherwise: 6334 beside 6333."""
    arguments = [sys.executable, "-m", "ragbed", "qdrant", "serve", "--port", str(port)]
    with subprocess.Popen(
        [*arguments, "--data", str(tmp_path / "data")], stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        url = process.stdout.readline().split()[-1]
        with closing(connect(url, port + 1)) as client:
            found = refusal(client)
        process.terminate()

        assert "prefer_grpc=False" in found.details()
        assert process.wait(STOP_TIMEOUT_S) == 0


def test_a_port_that_cannot_be_is_all_that_is_told(tmp_path: Path) -> None:
    """The one after it, where gRPC clients would look, is not a concern of who mistyped it."""
    done = subprocess.run(
        [
            *(sys.executable, "-m", "ragbed", "qdrant", "serve"),
            "--port",
            "70000",
            "--data",
            tmp_path / "data",
        ],
        capture_output=True,
        text=True,
        check=False,
        timeout=TIMEOUT_S,
    )

    assert done.stderr.splitlines()[0] == "ragbed: port 70000 is outside 0 to 65535"
