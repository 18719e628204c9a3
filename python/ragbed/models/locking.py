"""Add or update an entry of the lock: read from a registry, a models folder or a live server, shown as a diff."""

from __future__ import annotations

import difflib
import re
from dataclasses import replace
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from pydantic import TypeAdapter, ValidationError

from ragbed.errors import DriftError, ServiceMissing, UsageError
from ragbed.models.config import read_config
from ragbed.models.sources import BlobSource, FolderSource, TransferInterrupted
from ragbed.models.writing import write_text
from ragbed.pins import Manifest, ModelLock, ModelPin, parse_manifest, with_tag
from ragbed.pins.model_pin import NAME, TAG, repository_of

if TYPE_CHECKING:
    from ragbed.models.live_server import LiveServer

Purpose = Literal["embedding", "chat"]


def read_entry(model: str, source: BlobSource, *, registry: str, purpose: Purpose | None = None) -> ModelPin:
    """Return the entry for what a tag names now.

    Args:
        model: Name, with or without tag.
        source: A registry, a mirror or a models folder.
        registry: Host that the entry is to name.
        purpose: What the model is for; None takes chat where it has a prompt template, else embedding.

    Raises:
        UsageError: The name is none.
        ServiceMissing: The source has no such model, does not answer, or gives a manifest of another form.
        DriftError: The config's bytes are not those that the manifest names.
    """
    name, _, tag = with_tag(model).partition(":")
    _require_name(name, tag)
    try:
        content = source.manifest(repository_of(name), tag)
        manifest = parse_manifest(content)
        config = source.blob(repository_of(name), manifest.config)
    except TransferInterrupted as error:
        raise ServiceMissing(
            f"{source.shown} did not give {model}: {error}",
            hint="run it again, or read it elsewhere: --from, --registry, --url",
        ) from error
    except ValueError as error:
        raise ServiceMissing(
            f"{source.shown} gives no manifest for {model} that can be locked: {error}"
        ) from error
    if f"sha256:{sha256(config).hexdigest()}" != manifest.config.digest:
        raise DriftError(
            f"{source.shown} gives other bytes for the config of {model}, {manifest.config.digest}"
        )
    told = read_config(config)
    has_template = any(part.kind == "template" for part in manifest.layers)
    return _entry(
        registry=registry,
        name=name,
        tag=tag,
        purpose=purpose or ("chat" if has_template else "embedding"),
        manifest=manifest,
        parameters=told.parameters or None,
        quantization=told.quantization or None,
    )


def read_entry_of(
    model: str, server: LiveServer, *, registry: str, purpose: Purpose | None = None
) -> ModelPin:
    """Return the entry for a model of a live Ollama on this machine.

    Its API gives the digest and not the manifest, so that is read in the models folder which the API names.

    Args:
        model: Name, with or without tag.
        server: The Ollama.
        registry: Host that the entry is to name.
        purpose: What the model is for; None takes the server's word.

    Raises:
        ServiceMissing: It does not answer, has no such model, or its folder cannot be read from here.
        DriftError: The folder has another manifest than the server lists.
    """
    served = server.models().get(with_tag(model))
    if served is None:
        raise ServiceMissing(
            f"{server.shown} has no {with_tag(model)}",
            hint=f"ragbed models lock {model}, which reads the registry",
        )
    shown = server.show(with_tag(model))
    folder = Path(shown.folder)
    if not shown.folder or not folder.is_dir():
        raise ServiceMissing(
            f"{server.shown} lists {served.name} with digest {served.digest}, and its manifest cannot be read here",
            details=[f"its models folder is {shown.folder or 'not told'}"],
            hint=f"ragbed models lock {served.name} --registry URL, or --from DIR",
        )
    guessed: Purpose = "embedding" if "embedding" in shown.capabilities else "chat"
    pin = read_entry(
        model,
        FolderSource(folder=folder),
        registry=registry,
        purpose=purpose or (guessed if shown.capabilities else None),
    )
    if pin.digest != served.digest:
        raise DriftError(
            f"{server.shown} lists {served.name} as {served.digest}, and {folder} has {pin.digest}"
        )
    return replace(
        pin, dimensions=shown.dimensions if pin.purpose == "embedding" else None, context=shown.context
    )


def updated(lock: ModelLock, pin: ModelPin, *, into: str | None = None) -> ModelLock:
    """Return the lock with the entry; what the old entry states and the new one does not is kept.

    Args:
        lock: The lock as it is.
        pin: The entry.
        into: A set to put the model into, made where there is none of that name.
    """
    old = lock.models.get(pin.full_name)
    if old:
        keys = ("license", "dimensions", "context", "parameters", "quantization")
        kept = {key: getattr(pin, key) or getattr(old, key) for key in keys}
        pin = replace(pin, **kept)
    return lock.with_pin(pin, into=into)


def change(old: ModelLock, new: ModelLock) -> str:
    """Return what changes in the file, as a unified diff; empty where nothing does."""
    lines = difflib.unified_diff(
        old.encode().splitlines(keepends=True),
        new.encode().splitlines(keepends=True),
        fromfile=old.path.name,
        tofile=f"{old.path.name} (new)",
    )
    return "".join(lines)


def write_lock(lock: ModelLock) -> None:
    """Write the lock's file; a reader sees the old one or the new one."""
    write_text(lock.path, lock.encode())


def _require_name(name: str, tag: str) -> None:
    """Refuse a name that would lead out of a registry's or a folder's paths, before it is used in one."""
    if not (re.fullmatch(NAME.strip("^$"), name) and re.fullmatch(TAG.strip("^$"), tag)):
        raise UsageError(
            f"{name}:{tag} is not a model's name", hint="write it as NAME, NAME:TAG or NAMESPACE/NAME:TAG"
        )


def _entry(
    *,
    registry: str,
    name: str,
    tag: str,
    purpose: Purpose,
    manifest: Manifest,
    parameters: str | None,
    quantization: str | None,
) -> ModelPin:
    values = {
        "registry": registry,
        "name": name,
        "tag": tag,
        "purpose": purpose,
        "digest": manifest.digest,
        "manifest": manifest,
        "parameters": parameters,
        "quantization": quantization,
    }
    try:
        return TypeAdapter(ModelPin).validate_python(values)
    except ValidationError as error:
        problem = error.errors()[0]
        where = ".".join(str(part) for part in problem["loc"])
        raise UsageError(f"{name}:{tag} cannot be locked: {where} is {problem['input']!r}") from error
