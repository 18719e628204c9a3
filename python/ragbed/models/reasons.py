"""Who wants a model, and what it costs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from ragbed.pins import with_tag
from ragbed.settings import definitions as known

if TYPE_CHECKING:
    from ragbed.models.blobs import BlobFolder
    from ragbed.pins import ModelLock
    from ragbed.settings import Settings


@dataclass(frozen=True, slots=True, kw_only=True)
class Reasons:
    """Why a model is there.

    Attributes:
        model: Name with tag.
        wanted_by: A line per setting and set that names it; empty where none does.
        disk_bytes: Of its blobs.
        own_bytes: Of the blobs that no other entry of the lock shares: what pruning it would free.
        here_bytes: What of it is fetched.
        memory_bytes: What is loaded at least, its weights.
    """

    model: str
    wanted_by: tuple[str, ...]
    disk_bytes: int
    own_bytes: int
    here_bytes: int
    memory_bytes: int


def reasons_for(model: str, lock: ModelLock, settings: Settings, blobs: BlobFolder) -> Reasons:
    """Return who wants a model of the lock, and what it costs in disk and memory.

    Raises:
        UsageError: The lock has no such model.
    """
    pin = lock[model]
    others = {
        part.digest
        for other in lock.models.values()
        if other.full_name != pin.full_name
        for part in other.manifest.blobs
    }
    parts = pin.manifest.blobs
    return Reasons(
        model=pin.full_name,
        wanted_by=(*_settings_for(pin.full_name, settings), *_sets_for(pin.full_name, lock)),
        disk_bytes=sum(part.size_bytes for part in parts),
        own_bytes=sum(part.size_bytes for part in parts if part.digest not in others),
        here_bytes=sum(part.size_bytes for part in parts if blobs.has(part)),
        memory_bytes=pin.weights_bytes,
    )


def _settings_for(model: str, settings: Settings) -> list[str]:
    return [
        f"setting {setting.key} ({settings.source(setting)})"
        for setting in (known.EMBEDDING_MODEL, known.LLM_MODEL)
        if with_tag(settings[setting]) == model
    ]


def _sets_for(model: str, lock: ModelLock) -> list[str]:
    return [
        f"set {name}" + (", which is the default" if name == lock.default else "")
        for name in lock.sets_of(model)
    ]
