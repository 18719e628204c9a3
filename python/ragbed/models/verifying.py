"""Compare the lock with blobs, with a laid-out folder and with a live server; name each difference exactly."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from hashlib import sha256
from typing import TYPE_CHECKING, Literal

from ragbed.models.blobs import BlobFolder, hash_file
from ragbed.models.config import read_config
from ragbed.models.layout import is_ours, manifests_in
from ragbed.pins import parse_manifest

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from ragbed.models.live_server import LiveServer, ServedModel
    from ragbed.pins import Manifest, ModelLock, ModelPin, Part

Kind = Literal[
    "missing",
    "extra",
    "size",
    "corrupted blob",
    "tag moved",
    "layer changed",
    "template changed",
    "quantization",
]


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelDifference:
    """One thing that is not as the lock says.

    Attributes:
        kind: What it is.
        where: `blobs`, `store` or `server`.
        what: The model, or the blob where no model has it.
        found: What is there; empty for nothing.
        pinned: What the lock says; empty for nothing.
        drift: False for what is only worth saying: a live server may have more models than ours.
    """

    kind: Kind
    where: Literal["blobs", "store", "server"]
    what: str
    found: str = ""
    pinned: str = ""
    drift: bool = True

    def describe(self) -> str:
        """Return it as one line."""
        told = [f"has {self.found}" if self.found else "", f"pinned {self.pinned}" if self.pinned else ""]
        values = ", ".join(word for word in told if word)
        return f"{self.where}: {self.what}: {self.kind}" + (f": {values}" if values else "")


def verify_blobs(pins: Sequence[ModelPin], lock: ModelLock, blobs: BlobFolder) -> list[ModelDifference]:
    """Compare the fetched blobs of some models with the lock, every byte of them.

    Args:
        pins: The models that must be whole.
        lock: What any blob may belong to.
        blobs: Where they are.
    """
    known = {part.digest for pin in lock.models.values() for part in pin.manifest.blobs}
    extra = [
        ModelDifference(
            kind="extra", where="blobs", what=digest, found="a blob that no entry of the lock wants"
        )
        for digest in blobs.digests()
        if digest not in known
    ]
    return [*_blobs_of(pins, blobs, "blobs"), *extra]


def verify_store(pins: Sequence[ModelPin], folder: Path) -> list[ModelDifference]:
    """Compare a models folder, ours or an Ollama's own, with the lock: manifests, and every byte of the blobs.

    Args:
        pins: The models that it should hold. More of them are drift in a folder that we laid out; an Ollama's own
            may have as many as it likes.
        folder: What `OLLAMA_MODELS` names.
    """
    ours = is_ours(folder)
    differences = [difference for pin in pins for difference in _manifest_of(pin, folder)]
    whole = [pin for pin in pins if pin.manifest_in(folder).is_file()]
    differences += _blobs_of(whole, BlobFolder(folder), "store")
    expected = {pin.manifest_in(folder) for pin in pins}
    differences += [
        ModelDifference(kind="extra", where="store", what=name, found=_short(_digest_of(path)), drift=ours)
        for name, path in manifests_in(folder)
        if path not in expected
    ]
    known = {part.digest for pin in pins for part in pin.manifest.blobs} | _named_in(folder)
    differences += [
        ModelDifference(
            kind="extra", where="store", what=digest, found="a blob that no manifest names", drift=ours
        )
        for digest in BlobFolder(folder).digests()
        if digest not in known
    ]
    return differences


def verify_server(pins: Sequence[ModelPin], server: LiveServer) -> list[ModelDifference]:
    """Compare what a live Ollama lists and shows with the lock.

    Args:
        pins: The models that it must have.
        server: A real one: the mock has digests of its own.

    Raises:
        ServiceMissing: It does not answer.
    """
    served = server.models()
    differences = [
        difference for pin in pins for difference in _served(pin, served.get(pin.full_name), server)
    ]
    names = {pin.full_name for pin in pins}
    differences += [
        ModelDifference(kind="extra", where="server", what=name, found=_short(model.digest), drift=False)
        for name, model in served.items()
        if name not in names
    ]
    return differences


def _blobs_of(
    pins: Sequence[ModelPin], blobs: BlobFolder, where: Literal["blobs", "store"]
) -> list[ModelDifference]:
    """Compare blobs, two at a time: hashing waits for the disk half of the time."""
    owners = {part.digest: (pin, part) for pin in reversed(pins) for part in pin.manifest.blobs}
    with ThreadPoolExecutor(max_workers=2, thread_name_prefix="verifying") as pool:
        differences = pool.map(lambda owner: _blob(owner[0], owner[1], blobs, where), owners.values())
        return [difference for difference in differences if difference]


def _blob(
    pin: ModelPin, part: Part, blobs: BlobFolder, where: Literal["blobs", "store"]
) -> ModelDifference | None:
    what = f"{pin.full_name} {part.kind} {_short(part.digest)}"
    path = blobs.path(part.digest)
    if not path.is_file():
        return ModelDifference(kind="missing", where=where, what=what, pinned=f"{part.size_bytes} bytes")
    if (size := path.stat().st_size) != part.size_bytes:
        return ModelDifference(
            kind="size", where=where, what=what, found=f"{size} bytes", pinned=f"{part.size_bytes} bytes"
        )
    if (digest := hash_file(path)) != part.digest:
        return ModelDifference(
            kind="corrupted blob",
            where=where,
            what=what,
            found=f"bytes of {_short(digest)}",
            pinned=_short(part.digest),
        )
    if part.kind == "config" and pin.quantization:
        return _quantization(pin, read_config(path.read_bytes()).quantization, where)
    return None


def _manifest_of(pin: ModelPin, folder: Path) -> Iterator[ModelDifference]:
    """Yield how the manifest that a tag names differs, the whole first, then its layers."""
    path = pin.manifest_in(folder)
    if not path.is_file():
        yield ModelDifference(kind="missing", where="store", what=pin.full_name, pinned=_short(pin.digest))
        return
    if (digest := _digest_of(path)) == pin.digest:
        return
    yield _tag_moved(pin, digest, "store")
    try:
        manifest = parse_manifest(path.read_bytes())
    except ValueError:
        return  # the digest has told; there are no layers to compare
    yield from _layers(pin, manifest)


def _layers(pin: ModelPin, manifest: Manifest) -> Iterator[ModelDifference]:
    """Yield a difference per kind of layer whose blobs are others."""
    for kind in dict.fromkeys(part.kind for part in (*pin.manifest.layers, *manifest.layers)):
        pinned = [_short(part.digest) for part in pin.manifest.layers if part.kind == kind]
        has = [_short(part.digest) for part in manifest.layers if part.kind == kind]
        if has != pinned:
            yield _changed(pin, kind, " ".join(has) or "none", " ".join(pinned) or "none", "store")


def _served(pin: ModelPin, served: ServedModel | None, server: LiveServer) -> Iterator[ModelDifference]:
    if served is None:
        yield ModelDifference(kind="missing", where="server", what=pin.full_name, pinned=_short(pin.digest))
        return
    if served.digest != pin.digest:
        yield _tag_moved(pin, served.digest, "server")
    elif served.size_bytes != pin.size_bytes:  # under another digest, another size says nothing more
        yield ModelDifference(
            kind="size",
            where="server",
            what=pin.full_name,
            found=f"{served.size_bytes} bytes",
            pinned=f"{pin.size_bytes} bytes",
        )
    if pin.quantization and (difference := _quantization(pin, served.quantization, "server")):
        yield difference
    yield from _shown(pin, server)


def _shown(pin: ModelPin, server: LiveServer) -> Iterator[ModelDifference]:
    """Yield which layers a server shows otherwise: weights, template and system prompt can be told from outside."""
    shown = server.show(pin.full_name)
    weights = [part.digest for part in pin.manifest.layers if part.kind == "model"]
    if shown.weights and weights and shown.weights not in weights:
        yield _changed(pin, "model", _short(shown.weights), _short(weights[0]), "server")
    for kind, text in (("template", shown.template), ("system", shown.system)):
        pinned = [part.digest for part in pin.manifest.layers if part.kind == kind]
        if text is None or not pinned:  # without a template of its own, a server makes one up
            continue
        digest = f"sha256:{sha256(text.encode()).hexdigest()}"
        if digest not in pinned:
            yield _changed(pin, kind, _short(digest), _short(pinned[0]), "server")


def _tag_moved(pin: ModelPin, digest: str, where: Literal["store", "server"]) -> ModelDifference:
    return ModelDifference(
        kind="tag moved", where=where, what=pin.full_name, found=_short(digest), pinned=_short(pin.digest)
    )


def _changed(
    pin: ModelPin, layer: str, found: str, pinned: str, where: Literal["store", "server"]
) -> ModelDifference:
    return ModelDifference(
        kind="template changed" if layer == "template" else "layer changed",
        where=where,
        what=f"{pin.full_name} {layer}",
        found=found,
        pinned=pinned,
    )


def _quantization(
    pin: ModelPin, found: str, where: Literal["blobs", "store", "server"]
) -> ModelDifference | None:
    if not found or found == pin.quantization:
        return None
    return ModelDifference(
        kind="quantization", where=where, what=pin.full_name, found=found, pinned=pin.quantization or ""
    )


def _named_in(folder: Path) -> set[str]:
    """Return the digests of every blob that a manifest of the folder names; they are its models' affair."""
    named: set[str] = set()
    for _, path in manifests_in(folder):
        try:
            named |= {part.digest for part in parse_manifest(path.read_bytes()).blobs}
        except ValueError:
            continue
    return named


def _digest_of(path: Path) -> str:
    return f"sha256:{sha256(path.read_bytes()).hexdigest()}"


def _short(digest: str) -> str:
    """Return a digest as Ollama shows it: twelve digits."""
    return digest.removeprefix("sha256:")[:12]
