"""Where the pinned models are, by digest: our own blobs and folders, this user's Ollama, a live one."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import partial
from hashlib import sha256
from typing import TYPE_CHECKING, Any

from ragbed.doctor.probing import Failed, Silent
from ragbed.errors import RagbedError, ServiceMissing
from ragbed.guard import check_url
from ragbed.models import BlobFolder, LiveServer
from ragbed.models.layout import STORES
from ragbed.pins import with_tag
from ragbed.settings import definitions as known
from ragbed.stack.addresses import default_url, normalised
from ragbed.stack.services.ollama_models import models_folder
from ragbed.stack.sizes import shown_bytes

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from pathlib import Path

    from ragbed.pins import ModelLock, ModelPin, StackPins
    from ragbed.settings import Settings
    from ragbed.stack import StackBuilder
    from ragbed.stack.record import StackRecord
    from ragbed.state import StateFolder


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Somewhere models are.

    Attributes:
        name: As it is shown.
        digests: The manifest's digest by model, of the pinned names that are there.
        broken: What is wrong with a model's blobs, by model.
        url: Of a live Ollama; empty for a folder.
        loaded: The models that it has in memory.
        real: Not the mock, whose digests are its own and which needs no model.
    """

    name: str
    digests: Mapping[str, str] = field(default_factory=dict)
    broken: Mapping[str, str] = field(default_factory=dict)
    url: str = ""
    loaded: tuple[str, ...] = ()
    real: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelFacts:
    """What was found of the pinned models.

    Attributes:
        lock: The pins.
        wanted: Names with tags that the settings name, else those of the default set.
        needed: Whether a real Ollama was asked for, so that the wanted ones must be there.
        places: Where models were looked for and found.
        embedding: The embedding model that is wanted; empty where it is none of Ollama's.
    """

    lock: ModelLock
    wanted: tuple[str, ...]
    needed: bool
    places: tuple[Place, ...]
    embedding: str = ""


@dataclass(frozen=True, kw_only=True)
class ModelSurvey:
    """Looks for the pinned models. Sizes are compared, and digests of manifests; bytes are `ragbed models verify`'s.

    Attributes:
        settings: The resolved settings.
        builder: What would build the stack.
        folder: The state folder.
        lock: The pinned models.
        pins: The pinned services.
        record: The stack that is up; None for none.
    """

    settings: Settings
    builder: StackBuilder
    folder: StateFolder
    lock: ModelLock
    pins: StackPins
    record: StackRecord | None

    def questions(self) -> dict[str, Callable[[], Any]]:
        """Return what to ask, by name."""
        questions: dict[str, Callable[[], Any]] = {"models on disk": self._on_disk}
        if self.settings.tier.writes_allowed:
            questions |= {f"models at {url}": partial(self._at, url) for url in self._urls()}
        return questions

    def facts(self, answers: Mapping[str, Any]) -> ModelFacts:
        """Return the facts, from the answers by name; who did not answer is the services' affair."""
        llm = self.builder.llm
        named = [known.EMBEDDING_MODEL, known.LLM_MODEL] if llm.provider in {"mock", "ollama"} else []
        wanted = [with_tag(self.settings[setting]) for setting in named]
        on_disk = answers["models on disk"]
        live = [place for url in self._urls() if isinstance(place := answers.get(f"models at {url}"), Place)]
        return ModelFacts(
            lock=self.lock,
            wanted=tuple(dict.fromkeys(wanted)) or self.lock.sets[self.lock.default],
            embedding=wanted[0] if wanted else "",
            needed=self.settings.tier.writes_allowed
            and llm.provider == "ollama"
            and not (llm.may_fall_back or self._given_is_mock(live)),
            places=(
                *(on_disk if not isinstance(on_disk, Failed | Silent) else ()),
                *(place for place in live if place.real),
            ),
        )

    def _given_is_mock(self, live: list[Place]) -> bool:
        """Tell whether OLLAMA_HOST names a mock, as it does after `eval "$(ragbed env)"` on a stack with one."""
        given = self.settings[known.OLLAMA_URL]
        return bool(given) and any(not place.real and place.url == self._allowed(given) for place in live)

    def _on_disk(self) -> list[Place]:
        fetched = _of_blobs(self.lock, BlobFolder(self.folder.models))
        stores = self.folder.models / STORES
        laid_out = sorted(path for path in stores.glob("[!.]*") if path.is_dir()) if stores.is_dir() else []
        own = models_folder()
        places = [
            fetched,
            *(_of_folder(f"the laid-out {path.name}", self.lock, path) for path in laid_out),
            _of_folder(str(own), self.lock, own),
        ]
        return [place for place in places if place.digests or place.broken]

    def _urls(self) -> list[str]:
        """Return where a live Ollama may answer, each once."""
        urls = []
        if self.record and "ollama" in self.record.endpoints:
            urls.append(self.record.endpoints["ollama"].url)
        if announced := self.builder.announced.get("ollama"):
            urls.append(announced.url)
        if given := self.settings[known.OLLAMA_URL]:
            urls.append(given)
        elif self.builder.may_discover("ollama"):
            urls.append(default_url("ollama", self.pins["ollama"]))
        return list(dict.fromkeys(filter(None, map(self._allowed, urls))))

    def _allowed(self, url: str) -> str:
        """Return an address in the normal form; empty where the guard forbids it, or it is none."""
        try:
            check_url(self.settings, url, named="OLLAMA_HOST")
            return normalised("ollama", url, named="OLLAMA_HOST")
        except RagbedError:
            return ""

    def _at(self, url: str) -> Place | None:
        """Return what a live Ollama has, or that it is the mock; None where none answers."""
        server = LiveServer(url, timeout_s=1.0)
        try:
            identity, loaded = server.identity(), server.loaded()
        except ServiceMissing:
            return None
        if not identity.real:
            return Place(name=f"the mock LLM at {server.shown}", url=url, real=False)
        return Place(
            name=f"Ollama {identity.version} at {server.shown}",
            digests={name: identity.digests[name] for name in self.lock.models if name in identity.digests},
            url=url,
            loaded=tuple(loaded),
        )


def _of_blobs(lock: ModelLock, blobs: BlobFolder) -> Place:
    """Return which models are fetched whole, and which have a blob of a wrong size."""
    digests, broken = {}, {}
    for name, pin in lock.models.items():
        if wrong := _wrong_blob(pin, blobs):
            broken[name] = wrong
        elif all(blobs.has(part) for part in pin.manifest.blobs):
            digests[name] = pin.digest
    return Place(name="the fetched blobs", digests=digests, broken=broken)


def _of_folder(name: str, lock: ModelLock, folder: Path) -> Place:
    """Return which models a models folder has, by its manifests; a pinned one must have its blobs too."""
    digests, broken, blobs = {}, {}, BlobFolder(folder)
    for model, pin in lock.models.items():
        path = pin.manifest_in(folder)
        if not path.is_file():
            continue
        digests[model] = f"sha256:{sha256(path.read_bytes()).hexdigest()}"
        if digests[model] == pin.digest and (wrong := _wrong_blob(pin, blobs, whole=True)):
            broken[model] = wrong
    return Place(name=name, digests=digests, broken=broken)


def _wrong_blob(pin: ModelPin, blobs: BlobFolder, *, whole: bool = False) -> str:
    """Return what is wrong with the first blob of another size than the pinned; `whole` counts missing ones too."""
    for part in pin.manifest.blobs:
        path = blobs.path(part.digest)
        if blobs.has(part) or not (whole or path.exists()):
            continue
        state = f"has {shown_bytes(path.stat().st_size)}" if path.exists() else "is missing"
        return f"{part.kind} {part.digest[7:19]} {state}, pinned {shown_bytes(part.size_bytes)}"
    return ""


def holders(facts: ModelFacts, model: str) -> Iterator[Place]:
    """Yield the places that have the model as pinned, in all that can be told quickly."""
    pinned = facts.lock.models[model].digest
    for place in facts.places:
        if place.digests.get(model) == pinned and model not in place.broken:
            yield place


def differences(facts: ModelFacts, model: str) -> Iterator[str]:
    """Yield a sentence per place that has the model otherwise than pinned."""
    pinned = facts.lock.models[model].digest
    for place in facts.places:
        digest = place.digests.get(model, pinned)
        if digest != pinned:
            yield f"tag moved in {place.name}: has {digest[7:19]}, pinned {pinned[7:19]}"
        if model in place.broken:
            yield f"{place.name}: {place.broken[model]}"
