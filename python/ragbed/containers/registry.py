"""A registry on loopback: Debian's `docker-registry` over a folder, and what is pushed to it."""

from __future__ import annotations

import json
import shutil
import subprocess
import time
from contextlib import contextmanager
from http.client import HTTPConnection
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from ragbed.containers.image import MANIFEST_TYPE
from ragbed.containers.recipes import PREFIX
from ragbed.errors import ServiceMissing, ServiceNotReady

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from ragbed.containers.image import Image

PORT = 5051
"""Of the registry: part of the name by which a daemon knows an image's digest."""

_CONFIG = """\
version: 0.1
log: {{level: warn}}
storage:
  filesystem: {{rootdirectory: "{folder}"}}
  cache: {{blobdescriptor: inmemory}}
http: {{addr: "127.0.0.1:{port}"}}
"""
_START_TIMEOUT_S = 15.0


class Registry:
    """A registry that answers.

    Args:
        port: Where, on loopback.
    """

    def __init__(self, port: int) -> None:
        self.host = f"127.0.0.1:{port}"

    def repository(self, name: str) -> str:
        """Return the name of an image's repository, as a daemon pulls it."""
        return f"{self.host}/{PREFIX}/{name}"

    def push(self, image: Image, blobs: Path) -> None:
        """Hand over an image, without the blobs that are there.

        Args:
            image: Which one.
            blobs: The folder with its blobs.
        """
        repository = f"/v2/{PREFIX}/{image.name}"
        manifest = (blobs / image.digest.partition(":")[2]).read_bytes()
        parts = json.loads(manifest)
        for part in (parts["config"], *parts["layers"]):
            self._push_blob(repository, part["digest"], blobs)
        for reference in (image.digest, image.version):
            self._ask("PUT", f"{repository}/manifests/{reference}", manifest, {"Content-Type": MANIFEST_TYPE})

    def _push_blob(self, repository: str, digest: str, blobs: Path) -> None:
        if self._ask("HEAD", f"{repository}/blobs/{digest}", expected=(200, 404))[0] == 200:
            return
        _, location = self._ask("POST", f"{repository}/blobs/uploads/")
        where = urlsplit(location)
        content = (blobs / digest.partition(":")[2]).read_bytes()
        path = f"{where.path}?{where.query}&digest={digest}"
        self._ask("PUT", path, content, {"Content-Type": "application/octet-stream"})

    def _ask(
        self,
        method: str,
        path: str,
        body: bytes | None = None,
        headers: dict[str, str] | None = None,
        *,
        expected: tuple[int, ...] = (200, 201, 202),
    ) -> tuple[int, str]:
        """Return status and `Location` of an answer.

        Raises:
            ServiceNotReady: The registry refused.
        """
        connection = HTTPConnection(self.host, timeout=60)
        try:
            connection.request(method, path, body=body, headers=headers or {})
            answer = connection.getresponse()
            said = answer.read()
        except OSError as error:
            raise ServiceNotReady(f"the registry on {self.host} broke off: {error}") from error
        finally:
            connection.close()
        if answer.status not in expected:
            raise ServiceNotReady(
                f"the registry on {self.host} answered {answer.status} to {method} {path}",
                details=[said.decode(errors="replace")[:400]],
            )
        return answer.status, answer.headers.get("Location") or ""


@contextmanager
def running_registry(folder: Path, port: int = PORT) -> Iterator[Registry]:
    """Run a registry over a folder, and stop it at the end.

    Args:
        folder: Its storage; created when missing.
        port: Where it listens on loopback.

    Raises:
        ServiceMissing: `docker-registry` is not installed.
        ServiceNotReady: It does not come up, as where the port is taken.
    """
    program = shutil.which("docker-registry")
    if not program:
        raise ServiceMissing("there is no docker-registry", hint="apt-get install docker-registry")
    folder.mkdir(parents=True, exist_ok=True)
    config = folder / "registry.yml"
    config.write_text(_CONFIG.format(folder=folder / "storage", port=port))
    log = folder / "registry.log"
    with (
        log.open("wb") as said,
        subprocess.Popen([program, "serve", config], stdout=said, stderr=said) as process,
    ):
        try:
            _wait(process, port, log)
            yield Registry(port)
        finally:
            process.terminate()


def _wait(process: subprocess.Popen[bytes], port: int, log: Path) -> None:
    ends_at = time.monotonic() + _START_TIMEOUT_S
    while process.poll() is None and time.monotonic() < ends_at:
        if _answers(port):
            return
        time.sleep(0.05)
    raise ServiceNotReady(
        f"the registry on 127.0.0.1:{port} did not come up",
        details=log.read_text(errors="replace").splitlines()[-3:],
        hint="stop what holds the port, or give another one: --registry-port",
    )


def _answers(port: int) -> bool:
    connection = HTTPConnection("127.0.0.1", port, timeout=1)
    try:
        connection.request("GET", "/v2/")
        return connection.getresponse().status == 200
    except OSError:
        return False
    finally:
        connection.close()
