"""Fetch the blobs of pinned models: planned first, checked against disk and memory, then in parallel."""

from __future__ import annotations

import os
import shutil
from concurrent.futures import FIRST_EXCEPTION, Future, ThreadPoolExecutor, wait
from dataclasses import asdict, dataclass
from threading import Event
from typing import TYPE_CHECKING

import psutil

from ragbed.errors import CheckFailed, RagbedError
from ragbed.events import SILENT
from ragbed.models.blobs import hash_file
from ragbed.models.transfer import RetryPolicy, Transfer
from ragbed.models.transfer_progress import TransferProgress
from ragbed.stack.sizes import shown_bytes

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from ragbed.events import EventSink
    from ragbed.models.blobs import BlobFolder
    from ragbed.models.sources import BlobSource
    from ragbed.pins import ModelPin, Part

_SPARE_BYTES = 64 << 20
"""What stays free on the disk beside the blobs."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """A blob to fetch.

    Attributes:
        pin: The first model that wants it.
        part: The blob.
        begun_bytes: What an earlier fetch has left of it.
    """

    pin: ModelPin
    part: Part
    begun_bytes: int

    @property
    def left_bytes(self) -> int:
        """What is still to come."""
        return max(self.part.size_bytes - self.begun_bytes, 0)


@dataclass(frozen=True, slots=True, kw_only=True)
class FetchPlan:
    """What a fetch would do.

    Attributes:
        pins: The models.
        wanted: Blobs that are not there, the largest first.
        total_bytes: Of all blobs of the models, each counted once.
        free_bytes: Free on the disk that they go to.
        available_memory_bytes: Memory that is free now.
        total_memory_bytes: Memory of the machine.
    """

    pins: tuple[ModelPin, ...]
    wanted: tuple[Wanted, ...]
    total_bytes: int
    free_bytes: int
    available_memory_bytes: int
    total_memory_bytes: int

    @property
    def left_bytes(self) -> int:
        """What is to be moved."""
        return sum(one.left_bytes for one in self.wanted)

    @property
    def heaviest(self) -> ModelPin:
        """The model that needs the most memory."""
        return max(self.pins, key=lambda pin: pin.weights_bytes)

    def check(self, *, anyway: bool = False) -> list[str]:
        """Refuse what cannot work, and return a line for what may not.

        Args:
            anyway: Fetch also what does not fit into this machine's memory.

        Raises:
            CheckFailed: The disk is too small, or the memory.
        """
        if self.wanted and self.left_bytes + _SPARE_BYTES > self.free_bytes:
            raise CheckFailed(
                f"{shown_bytes(self.left_bytes)} are to come, and the disk has {shown_bytes(self.free_bytes)} free",
                hint="free some, `ragbed models prune`, or set RAGBED_STATE_DIR to a folder on another disk",
            )
        name, needed = self.heaviest.full_name, self.heaviest.weights_bytes
        if needed > self.total_memory_bytes and not anyway:
            raise CheckFailed(
                f"{name} loads {shown_bytes(needed)} of weights, and this machine has"
                f" {shown_bytes(self.total_memory_bytes)} of memory",
                hint="take a smaller set, or --anyway where another machine is to serve it",
            )
        if needed > self.available_memory_bytes:
            free = shown_bytes(self.available_memory_bytes)
            return [f"{name} loads {shown_bytes(needed)} of weights, and {free} of memory are free now"]
        return []


def plan_fetch(pins: Sequence[ModelPin], into: BlobFolder) -> FetchPlan:
    """Return what is missing of some models, and what there is room for."""
    wanted: dict[str, Wanted] = {}
    parts: dict[str, Part] = {}
    for pin in pins:
        for part in pin.manifest.blobs:
            parts[part.digest] = part
            if part.digest not in wanted and not into.has(part):
                wanted[part.digest] = Wanted(pin=pin, part=part, begun_bytes=into.begun_bytes(part))
    existing = next(path for path in (into.root, *into.root.parents) if path.exists())
    memory = psutil.virtual_memory()
    return FetchPlan(
        pins=tuple(pins),
        wanted=tuple(sorted(wanted.values(), key=lambda one: -one.part.size_bytes)),
        total_bytes=sum(part.size_bytes for part in parts.values()),
        free_bytes=shutil.disk_usage(existing).free,
        available_memory_bytes=memory.available,
        total_memory_bytes=memory.total,
    )


def drop_corrupted(pins: Sequence[ModelPin], into: BlobFolder) -> list[Part]:
    """Hash what is there of some models, and remove and return what has other bytes than its name says.

    Size alone decides what a plan takes for fetched: a blob that went bad on the disk would never be fetched anew.
    """
    parts = {part.digest: part for pin in pins for part in pin.manifest.blobs}
    there = [part for part in parts.values() if into.has(part)]
    wrong = [part for part in there if hash_file(into.path(part.digest)) != part.digest]
    for part in wrong:
        into.remove(part.digest)
    return wrong


def fetch(
    plan: FetchPlan,
    sources: Mapping[str, BlobSource],
    into: BlobFolder,
    *,
    jobs: int = 4,
    retries: RetryPolicy = RetryPolicy(),  # noqa: B008 - frozen
    events: EventSink = SILENT,
    every_s: float = 0.2,
) -> None:
    """Fetch what a plan misses.

    A fetch that fails or is interrupted keeps what has come; the next one goes on there.

    Args:
        plan: What is to come.
        sources: Where from, by the registry that an entry names.
        into: Where to.
        jobs: Transfers at once.
        retries: How long each goes on trying.
        events: Told how far it is, now and then and at the end, on the calling thread: `stage.progress` of `fetching`
            with the fields of a `Progress`.
        every_s: How often.

    Raises:
        ServiceMissing: A source lacks a blob or did not answer.
        DriftError: A source gives other bytes than the pinned ones.
        CheckFailed: The disk refused a write.
    """
    sent = TransferProgress(plan.total_bytes)
    sent.found(plan.total_bytes - plan.left_bytes)
    stop = Event()
    transfers = [
        Transfer(
            one.pin,
            one.part,
            source=sources[one.pin.registry],
            into=into,
            sent=sent,
            stop=stop,
        )
        for one in plan.wanted
    ]
    with ThreadPoolExecutor(max_workers=max(jobs, 1), thread_name_prefix="fetching") as pool:
        running = [pool.submit(transfer.run, retries) for transfer in transfers]
        try:
            while not _over(running, every_s):
                _tell(sent, events)
        finally:
            stop.set()
            pool.shutdown(wait=False, cancel_futures=True)
            for transfer in transfers:
                transfer.abort()
    _tell(sent, events)
    _raise_first(running, into)


def _tell(sent: TransferProgress, events: EventSink) -> None:
    events.emit("stage.progress", "fetching", **asdict(sent.progress()))


def _over(running: Sequence[Future[None]], timeout_s: float) -> bool:
    """Wait a while; tell whether all have ended, or one has failed."""
    done, pending = wait(running, timeout=timeout_s, return_when=FIRST_EXCEPTION)
    return not pending or any(not future.cancelled() and future.exception() for future in done)


def _raise_first(running: Sequence[Future[None]], into: BlobFolder) -> None:
    """Raise what made the fetch fail; those that were only told to stop have nothing to say."""
    errors = [error for future in running if not future.cancelled() and (error := future.exception())]
    for error in errors:
        if isinstance(error, OSError) and not isinstance(error, InterruptedError):
            raise CheckFailed(
                f"cannot write {into.root}: {os.strerror(error.errno or 0)}",
                hint="what has come so far stays; free some space and run it again",
            ) from error
    for error in errors:
        if isinstance(error, RagbedError):
            raise error
    if errors:
        raise errors[0]
