"""The digest of an image's tag, asked of a registry that speaks the real protocol on loopback."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from contextlib import contextmanager
from dataclasses import dataclass, field
from hashlib import sha256
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import TYPE_CHECKING
from urllib.parse import parse_qs, urlsplit

import pytest

from ragbed.errors import ExitCode
from ragbed.pins import load_stack_pins
from ragbed.pins.updating.images import parse_reference

if TYPE_CHECKING:
    from collections.abc import Iterator

CHECKOUT = Path(__file__).resolve().parents[3]
INDEX = "application/vnd.oci.image.index.v1+json"


@dataclass
class Registry:
    """What a registry has, and what it saw.

    Attributes:
        indexes: Bytes of an image's index by `repository:tag`.
        kind: Media type of the answers.
        token: The token it wants; empty wants none.
        lies: Names another digest in its header.
        seen: Repositories asked for, with or without success.
    """

    indexes: dict[str, bytes] = field(default_factory=dict)
    kind: str = INDEX
    token: str = ""
    lies: bool = False
    seen: list[str] = field(default_factory=list)
    url: str = ""

    def add(self, reference: str) -> str:
        """Have an index for a reference of `stack.toml`, and return its digest."""
        image = parse_reference(reference, registry="x")
        body = json.dumps({"schemaVersion": 2, "mediaType": INDEX, "annotations": {"of": reference}}).encode()
        self.indexes[f"{image.repository}:{image.tag}"] = body
        return f"sha256:{sha256(body).hexdigest()}"


@contextmanager
def serving(registry: Registry) -> Iterator[None]:
    """Serve a registry on a free port of loopback."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            parts = urlsplit(self.path)
            if parts.path == "/token":
                asked = parse_qs(parts.query)
                self._answer(200, json.dumps({"token": f"{registry.token}{asked['scope'][0]}"}).encode())
                return
            repository, _, tag = parts.path.removeprefix("/v2/").rpartition("/manifests/")
            registry.seen.append(repository)
            scope = f"repository:{repository}:pull"
            if registry.token and self.headers["Authorization"] != f"Bearer {registry.token}{scope}":
                challenge = f'Bearer realm="{registry.url}/token",service="s",scope="{scope}"'
                self._answer(401, b"", **{"WWW-Authenticate": challenge})
                return
            body = registry.indexes.get(f"{repository}:{tag}")
            digest = "0" * 64 if registry.lies else sha256(body or b"").hexdigest()
            more = {"Docker-Content-Digest": f"sha256:{digest}", "Content-Type": registry.kind}
            self._answer(200 if body else 404, body or b"", **more)

        def _answer(self, status: int, body: bytes, **headers: str) -> None:
            self.send_response(status)
            for name, value in headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        registry.url = f"http://127.0.0.1:{server.server_port}"
        thread = Thread(target=server.serve_forever)
        thread.start()
        try:
            yield
        finally:
            server.shutdown()
            thread.join()


@pytest.fixture
def registry() -> Iterator[Registry]:
    """A registry that runs."""
    made = Registry()
    with serving(made):
        yield made


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A checkout's pin file."""
    for name in ("stack.toml", "pyproject.toml"):
        shutil.copy(CHECKOUT / name, tmp_path / name)
    return tmp_path


def update(
    checkout: Path, registry: Registry, *words: str, answer: str = ""
) -> subprocess.CompletedProcess[str]:
    """Run `scripts/update-pins images` on a checkout."""
    return subprocess.run(
        [sys.executable, "-m", "ragbed.pins.updating", "images", "--registry", registry.url, *words],
        capture_output=True,
        text=True,
        check=False,
        input=answer,
        env={**os.environ, "RAGBED_ROOT": str(checkout)},
    )


def have_all(checkout: Path, registry: Registry) -> dict[str, str]:
    """Let the registry have every pinned image, and return its digests by service."""
    services = load_stack_pins(checkout / "stack.toml").services
    return {name: registry.add(pins.channels.image.reference) for name, pins in services.items()}


def digests(checkout: Path) -> dict[str, str]:
    """Return the digests that a pin file has, by service."""
    services = load_stack_pins(checkout / "stack.toml").services
    return {name: pins.channels.image.digest for name, pins in services.items()}


def test_each_tag_gets_the_digest_that_it_has_now(checkout: Path, registry: Registry) -> None:
    """Only digests change; comments, order and everything else stay."""
    found, before = have_all(checkout, registry), digests(checkout)
    text = (checkout / "stack.toml").read_text()

    done = update(checkout, registry, "--yes")

    assert done.returncode == 0, done.stderr
    for service, digest in before.items():
        text = text.replace(digest, found[service])
    assert (checkout / "stack.toml").read_text() == text


def test_tokens_are_fetched_where_a_registry_wants_them(checkout: Path, registry: Registry) -> None:
    """As registries do it that anybody may read."""
    registry.token = "for everybody: "
    found = have_all(checkout, registry)

    assert update(checkout, registry, "--yes").returncode == 0
    assert digests(checkout) == found


def test_a_second_run_finds_nothing_to_do(checkout: Path, registry: Registry) -> None:
    """And it says so."""
    have_all(checkout, registry)
    update(checkout, registry, "--yes")

    assert update(checkout, registry).stdout == "Every pin is up to date.\n"


def test_a_yes_writes(checkout: Path, registry: Registry) -> None:
    """The diff comes before the question."""
    found = have_all(checkout, registry)

    done = update(checkout, registry, answer="y\n")

    assert digests(checkout) == found
    assert done.stdout.index("+++ b/stack.toml") < done.stdout.index("Write this?")


@pytest.mark.parametrize(("words", "answer"), [(["--dry-run", "--yes"], ""), ([], "n\n"), ([], "")])
def test_without_a_yes_nothing_is_written(
    words: list[str], answer: str, checkout: Path, registry: Registry
) -> None:
    """A dry run, a no, and nobody there."""
    have_all(checkout, registry)
    before = digests(checkout)

    update(checkout, registry, *words, answer=answer)

    assert digests(checkout) == before


def test_an_image_that_is_not_there_is_named(checkout: Path, registry: Registry) -> None:
    """Nothing is written, whatever was found of the others."""
    have_all(checkout, registry)
    registry.indexes.pop(next(name for name in registry.indexes if name.startswith("qdrant/")))
    before = digests(checkout)

    done = update(checkout, registry, "--yes")

    assert (done.returncode, digests(checkout)) == (ExitCode.SERVICE_MISSING, before)
    assert "cannot ask for the digest of qdrant/qdrant:" in done.stderr
    assert "HTTP 404" in done.stderr


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"kind": "application/vnd.oci.image.manifest.v1+json"}, "not an index of several platforms"),
        ({"lies": True}, "and its registry calls it sha256:0000"),
    ],
    ids=["one platform", "another digest"],
)
def test_what_cannot_be_pinned_is_refused(
    change: dict[str, object], said: str, checkout: Path, registry: Registry
) -> None:
    """A manifest of one platform, and bytes that are not what the registry says they are."""
    have_all(checkout, registry)
    for name, value in change.items():
        setattr(registry, name, value)

    done = update(checkout, registry, "--yes")

    assert done.returncode == ExitCode.DRIFT
    assert said in done.stderr


def test_an_installed_package_has_no_pins_to_update(tmp_path: Path, registry: Registry) -> None:
    """They would be gone with its next version."""
    shutil.copy(CHECKOUT / "stack.toml", tmp_path)

    done = update(tmp_path, registry)

    assert done.returncode == ExitCode.USAGE
    assert "is not a checkout of ragbed" in done.stderr


def test_help_lists_what_can_be_updated() -> None:
    """A line per source, and an example at the end."""
    done = subprocess.run(
        [sys.executable, "-m", "ragbed.pins.updating", "--help"], capture_output=True, text=True, check=True
    )

    assert [name for name in ("images", "nix", "wheels") if f"\n  {name} " not in done.stdout] == []
    assert "Example: scripts/update-pins" in done.stdout


@pytest.mark.parametrize(
    ("reference", "url"),
    [
        ("redis:8", "https://registry-1.docker.io/v2/library/redis/manifests/8"),
        ("qdrant/qdrant:v1", "https://registry-1.docker.io/v2/qdrant/qdrant/manifests/v1"),
        ("ghcr.io/a/b:2", "https://ghcr.io/v2/a/b/manifests/2"),
        ("localhost:5000/a:2", "https://localhost:5000/v2/a/manifests/2"),
    ],
)
def test_references_lead_where_docker_pull_goes(reference: str, url: str) -> None:
    """The default registry, its library, and registries of their own."""
    assert parse_reference(reference).url == url
