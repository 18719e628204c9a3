"""The model store: real fixed-output derivations from a registry, a mirror or blobs that are here already."""

from __future__ import annotations

import json
import shutil
from functools import partial
from hashlib import sha256
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import TYPE_CHECKING

import pytest
from nix_command import EXPRESSIONS, Nix

from ragbed.pins import ModelLock, load_model_lock
from sample_models import SampleModel, digest_of, sample_model, write_lock_of

if TYPE_CHECKING:
    from collections.abc import Iterator

STORE = EXPRESSIONS / "models.nix"


@pytest.fixture(scope="module")
def models() -> tuple[SampleModel, ...]:
    """Two models that share some blobs."""
    return sample_model("tiny"), sample_model("other", seed=2)


@pytest.fixture(scope="module")
def lock(models: tuple[SampleModel, ...], tmp_path_factory: pytest.TempPathFactory) -> ModelLock:
    """A lock of the two."""
    return write_lock_of(tmp_path_factory.mktemp("lock") / "models.lock.json", *models)


@pytest.fixture(scope="module")
def mirror(models: tuple[SampleModel, ...], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A registry's paths as files."""
    folder = tmp_path_factory.mktemp("mirror")
    for model in models:
        blobs = folder / "v2" / "library" / model.name / "blobs"
        blobs.mkdir(parents=True)
        for digest, content in model.blobs.items():
            (blobs / digest).write_bytes(content)
    return folder


@pytest.fixture
def ollama(mirror: Path, tmp_path: Path) -> Path:
    """The same blobs as an Ollama keeps them: the `models` folder."""
    blobs = tmp_path / "ollama" / "blobs"
    blobs.mkdir(parents=True)
    for blob in mirror.rglob("sha256:*"):
        (blobs / blob.name.replace(":", "-")).write_bytes(blob.read_bytes())
    return blobs.parent


@pytest.fixture(scope="module")
def registry(mirror: Path) -> Iterator[str]:
    """The mirror's files over HTTP."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(_Quiet, directory=str(mirror)))
    Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()


class _Quiet(SimpleHTTPRequestHandler):
    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the name that it overrides
        """Say nothing."""


def built(nix: Nix, lock: ModelLock, source: str) -> Path:
    """Return the store that Nix builds."""
    done = nix.build(STORE, lockFile=str(lock.path), source=source)
    assert done.returncode == 0, done.stderr
    return Path(done.stdout.strip())


def refused(nix: Nix, lock: ModelLock, source: str) -> str:
    """Return what Nix says where it builds nothing."""
    done = nix.build(STORE, lockFile=str(lock.path), source=source)
    assert done.returncode != 0
    return done.stderr


def moved(lock: ModelLock, folder: Path, found: str, instead: str) -> ModelLock:
    """Return a lock in which a blob has another digest, and the model the digest that follows from it."""
    path = folder / "models.lock.json"
    value = json.loads(lock.path.read_text().replace(found, instead))
    path.write_text(json.dumps(value))
    entry = value["models"]["tiny:latest"]
    compact = partial(json.dumps, separators=(",", ":"))
    kind = "application/vnd.docker.distribution.manifest.v2+json"
    manifest = compact({"schemaVersion": 2, "mediaType": kind, **entry["manifest"]})
    entry["digest"] = digest_of(manifest.encode())
    value["models"] = {"tiny:latest": entry}
    value["sets"] = {"all": ["tiny:latest"]}
    path.write_text(json.dumps(value))
    return load_model_lock(path)


def test_the_store_holds_every_manifest_byte_for_byte(
    nix: Nix, lock: ModelLock, models: tuple[SampleModel, ...], mirror: Path
) -> None:
    """A manifest lies where Ollama looks for it, with the bytes whose digest is pinned."""
    store = built(nix, lock, f"file://{mirror}")

    for model in models:
        manifest = store / "manifests" / "registry.ollama.ai" / "library" / model.name / "latest"
        assert manifest.read_bytes() == model.manifest


def test_the_store_holds_every_blob_by_its_digest(
    nix: Nix, lock: ModelLock, models: tuple[SampleModel, ...], mirror: Path
) -> None:
    """Each blob is named as Ollama names it and has the bytes that its name promises; shared ones are there once."""
    store = built(nix, lock, f"file://{mirror}")

    expected = {digest.replace(":", "-") for model in models for digest in model.blobs}
    found = {path.name: sha256(path.read_bytes()).hexdigest() for path in (store / "blobs").iterdir()}
    assert found == {name: name.removeprefix("sha256-") for name in expected}


def test_blobs_of_an_ollama_leave_nothing_to_fetch(fresh_nix: Nix, lock: ModelLock, ollama: Path) -> None:
    """A blob that was taken from a folder has the store path that the registry's would get."""
    from_folder = built(fresh_nix, lock, str(ollama))

    from_nowhere = built(fresh_nix, lock, "http://127.0.0.1:1")

    assert from_nowhere == from_folder


def test_blobs_are_found_in_a_folder_of_blobs_too(
    nix: Nix, lock: ModelLock, ollama: Path, mirror: Path
) -> None:
    """The folder may be named with or without its `blobs`, or be a registry's mirror."""
    assert built(nix, lock, str(ollama / "blobs")) == built(nix, lock, str(ollama))
    assert built(nix, lock, f"file://{mirror}") == built(nix, lock, str(ollama))


def test_blobs_are_fetched_from_a_registry(fresh_nix: Nix, lock: ModelLock, registry: str) -> None:
    """With an empty store, each blob comes over HTTP."""
    store = built(fresh_nix, lock, registry)

    part = lock["tiny"].manifest.layers[0]
    assert (store / "blobs" / part.digest.replace(":", "-")).stat().st_size == part.size_bytes


def test_a_blob_with_other_bytes_in_the_registry_is_refused(
    fresh_nix: Nix, lock: ModelLock, mirror: Path, registry: str, tmp_path: Path
) -> None:
    """Nix names both digests of what a registry gave."""
    wrong = digest_of(b"what was promised")
    (mirror / "v2" / "library" / "tiny" / "blobs" / wrong).write_bytes(b"what came")
    first = lock["tiny"].manifest.layers[0].digest

    said = refused(fresh_nix, moved(lock, tmp_path, first, wrong), registry)

    assert "hash mismatch in fixed-output derivation" in said


def test_a_blob_with_other_bytes_in_a_folder_is_refused(
    fresh_nix: Nix, lock: ModelLock, ollama: Path, tmp_path: Path
) -> None:
    """Nix names the file."""
    wrong = digest_of(b"what was promised")
    file = ollama / "blobs" / wrong.replace(":", "-")
    file.write_bytes(b"what came")
    first = lock["tiny"].manifest.layers[0].digest

    said = refused(fresh_nix, moved(lock, tmp_path, first, wrong), str(ollama))

    assert "store path mismatch" in said
    assert str(file) in said


def test_a_blob_that_a_folder_lacks_is_named_with_its_place(
    fresh_nix: Nix, lock: ModelLock, mirror: Path, tmp_path: Path
) -> None:
    """The message says which blob of which model, and where it may lie."""
    part = lock["other"].manifest.layers[0]
    shutil.copytree(mirror, tmp_path / "mirror")
    gone = tmp_path / "mirror" / "v2" / "library" / "other" / "blobs" / part.digest
    gone.unlink()

    said = refused(fresh_nix, lock, f"file://{tmp_path}/mirror")

    assert f"has no blob {part.digest} of other:latest; it may lie at {gone}" in said


def test_the_store_cannot_be_written(nix: Nix, lock: ModelLock, mirror: Path) -> None:
    """Nothing in the models folder has a bit that lets anyone write."""
    store = built(nix, lock, f"file://{mirror}")

    assert all(path.stat().st_mode & 0o222 == 0 for path in [store, *store.rglob("*")])
