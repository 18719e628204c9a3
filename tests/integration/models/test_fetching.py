"""Fetching by digest: whatever happens on the way, no wrong blob, and no byte asked for twice without need."""

from __future__ import annotations

import random
from dataclasses import replace
from threading import Event, Thread
from typing import TYPE_CHECKING

import pytest
from faulty_registry import Registry, running

from ragbed.errors import CheckFailed, DriftError, ServiceMissing, UsageError
from ragbed.events import CollectingSink, EventStream
from ragbed.models import BlobFolder, RetryPolicy, fetch, open_folder, open_source, plan_fetch
from ragbed.models.blobs import hash_file
from sample_models import SampleModel, digest_of, sample_model, write_lock_of

if TYPE_CHECKING:
    from pathlib import Path

    from ragbed.models import BlobSource
    from ragbed.pins import ModelLock

AT_ONCE = RetryPolicy(tries=4, pause_s=0.0)


def fetch_all(
    lock: ModelLock, source: BlobSource, into: BlobFolder, *, retries: RetryPolicy = AT_ONCE
) -> None:
    """Fetch the default set."""
    pins = lock.select()
    fetch(plan_fetch(pins, into), {pins[0].registry: source}, into, retries=retries, every_s=0.01)


def wrong_blobs(into: BlobFolder) -> list[str]:
    """Return the digests of blobs whose bytes are others."""
    return [digest for digest in into.digests() if hash_file(into.path(digest)) != digest]


@pytest.fixture
def model() -> SampleModel:
    """A model of one large blob and four small ones."""
    return sample_model()


@pytest.fixture
def lock(tmp_path: Path, model: SampleModel) -> ModelLock:
    """A lock of that model."""
    return write_lock_of(tmp_path / "models.lock.json", model)


@pytest.fixture
def into(tmp_path: Path) -> BlobFolder:
    """Where blobs go."""
    return BlobFolder(tmp_path / "models")


def test_every_blob_comes_once(model: SampleModel, lock: ModelLock, into: BlobFolder) -> None:
    """A healthy registry is asked once for each blob, by digest."""
    with running(Registry(models=[model])) as registry:
        fetch_all(lock, open_source(registry.url), into)

    assert sorted(path for path, _ in registry.asked) == sorted(
        f"/v2/library/tiny/blobs/{d}" for d in model.blobs
    )
    assert {d: into.path(d).read_bytes() for d in into.digests()} == model.blobs


def test_what_is_there_is_not_asked_for(model: SampleModel, lock: ModelLock, into: BlobFolder) -> None:
    """A second fetch opens no connection."""
    with running(Registry(models=[model])) as registry:
        fetch_all(lock, open_source(registry.url), into)
        registry.asked.clear()

        fetch_all(lock, open_source(registry.url), into)

    assert registry.asked == []


def test_a_blob_of_two_models_comes_once(tmp_path: Path, into: BlobFolder) -> None:
    """Blobs belong to digests, not to models."""
    both = [sample_model("one"), sample_model("two")]
    with running(Registry(models=both)) as registry:
        fetch_all(write_lock_of(tmp_path / "models.lock.json", *both), open_source(registry.url), into)

    assert len(registry.asked) == len(both[0].blobs)


@pytest.mark.parametrize("seed", range(50))
def test_interruptions_and_corruptions_leave_no_wrong_blob(
    seed: int, model: SampleModel, lock: ModelLock, into: BlobFolder
) -> None:
    """Connections that break anywhere and bytes that flip: in the end every blob is right and none is left over."""
    chance = random.Random(seed)  # noqa: S311 - reproducible, not secret
    faults = {"breaks": chance.randrange(6), "corrupts": chance.randrange(3), "errors": chance.randrange(3)}
    with running(Registry(models=[model], seed=seed, ranges=seed % 5 != 0, **faults)) as registry:
        fetch_all(lock, open_source(registry.url), into, retries=RetryPolicy(tries=12, pause_s=0.0))

    assert {d: into.path(d).read_bytes() for d in into.digests()} == model.blobs
    assert into.begun() == []


@pytest.mark.parametrize("seed", range(10))
def test_a_fetch_that_gave_up_goes_on_where_it_stopped(
    seed: int, model: SampleModel, lock: ModelLock, into: BlobFolder
) -> None:
    """The next fetch asks for the rest of an unfinished blob, and for no byte before."""
    with running(Registry(models=[model], seed=seed, breaks=99)) as registry:
        with pytest.raises(ServiceMissing):
            fetch_all(lock, open_source(registry.url), into, retries=RetryPolicy(tries=1, pause_s=0.0))
        begun = {digest: into.path(digest).with_suffix(".partial").stat().st_size for digest in into.begun()}
        registry.breaks, registry.asked = 0, []

        fetch_all(lock, open_source(registry.url), into)

    asked = {path.rpartition("/")[2]: span for path, span in registry.asked}
    assert {d: asked[d] for d in begun} == {d: f"bytes={size}-" if size else "" for d, size in begun.items()}
    assert wrong_blobs(into) == []


def test_an_unfinished_blob_that_was_damaged_is_begun_again(
    model: SampleModel, lock: ModelLock, into: BlobFolder
) -> None:
    """What an earlier fetch left is hashed too, so its wrong bytes are found and thrown away."""
    weights = digest_of(dict(model.layers)["model"])
    into.folder.mkdir(parents=True)
    into.path(weights).with_suffix(".partial").write_bytes(b"damaged" * 1000)
    with running(Registry(models=[model])) as registry:
        fetch_all(lock, open_source(registry.url), into)

    spans = [span for path, span in registry.asked if path.endswith(weights)]
    assert spans == ["bytes=7000-", ""]
    assert wrong_blobs(into) == []


def test_an_unfinished_blob_that_is_whole_needs_no_registry(
    model: SampleModel, lock: ModelLock, into: BlobFolder
) -> None:
    """A fetch that was killed between the last byte and the new name asks for nothing."""
    into.folder.mkdir(parents=True)
    for digest, content in model.blobs.items():
        into.path(digest).with_suffix(".partial").write_bytes(content)

    fetch_all(lock, open_source("http://127.0.0.1:9"), into)

    assert sorted(into.digests()) == sorted(model.blobs)


def test_an_unfinished_blob_that_is_too_long_is_begun_again(
    model: SampleModel, lock: ModelLock, into: BlobFolder
) -> None:
    """More bytes than pinned cannot be a beginning."""
    weights = digest_of(dict(model.layers)["model"])
    into.folder.mkdir(parents=True)
    into.path(weights).with_suffix(".partial").write_bytes(b"x" * 50_000)
    with running(Registry(models=[model])) as registry:
        fetch_all(lock, open_source(registry.url), into)

    assert wrong_blobs(into) == []


def test_wrong_bytes_again_and_again_are_drift(model: SampleModel, lock: ModelLock, into: BlobFolder) -> None:
    """A registry that always gives other bytes is refused, naming found and pinned; nothing of it is kept."""
    with running(Registry(models=[model], corrupts=999)) as registry, pytest.raises(DriftError) as caught:
        fetch_all(lock, open_source(registry.url), into)

    assert caught.value.message.startswith(f"{registry.url} gives other bytes for the ")
    assert into.digests() == []


def test_another_size_is_drift_before_a_byte_comes(
    tmp_path: Path, model: SampleModel, into: BlobFolder
) -> None:
    """A blob whose announced length differs from the pinned one is not downloaded."""
    lock = write_lock_of(tmp_path / "models.lock.json", model)
    longer = SampleModel(layers=model.layers, config=model.config)
    with running(Registry(models=[longer])) as registry:
        registry.models = [_Padded(layers=model.layers, config=model.config)]
        with pytest.raises(DriftError, match=r"bytes, and \d+ are pinned"):
            fetch_all(lock, open_source(registry.url), into)

    assert into.digests() == []


class _Padded(SampleModel):
    """A model whose registry adds a byte to every blob."""

    @property
    def blobs(self) -> dict[str, bytes]:
        """Return each blob with one byte too many, under its old digest."""
        return {digest_of(c): c + b"!" for c in (*dict(self.layers).values(), self.config)}


@pytest.mark.parametrize(
    ("status", "seen"),
    [(404, "answers 404"), (401, "answers 401"), (500, "answers 500"), (429, "answers 429")],
)
def test_refusals_name_the_answer(
    status: int, seen: str, model: SampleModel, lock: ModelLock, into: BlobFolder
) -> None:
    """What the registry answered is in the message or its details."""
    with (
        running(Registry(models=[model], status=status)) as registry,
        pytest.raises(ServiceMissing) as caught,
    ):
        fetch_all(lock, open_source(registry.url), into)

    assert seen in caught.value.render()


@pytest.mark.parametrize(("status", "times"), [(404, 1), (503, 4)], ids=["final", "transient"])
def test_only_what_may_pass_is_tried_again(status: int, times: int, tmp_path: Path, into: BlobFolder) -> None:
    """A blob that is not there is asked for once; a busy registry as often as retries says."""
    model = SampleModel(layers=(("model", b"one blob"),), config=b"one blob")
    lock = write_lock_of(tmp_path / "models.lock.json", model)
    with running(Registry(models=[model], status=status)) as registry, pytest.raises(ServiceMissing):
        fetch_all(lock, open_source(registry.url), into)

    assert len(registry.asked) == times


def test_no_host_is_contacted_that_nobody_named(
    model: SampleModel, lock: ModelLock, into: BlobFolder
) -> None:
    """A redirect to another host is refused, saying how to allow it."""
    with (
        running(Registry(models=[model], redirect="http://elsewhere.example")) as registry,
        pytest.raises(ServiceMissing, match=r"sends us to http://elsewhere\.example") as caught,
    ):
        fetch_all(lock, open_source(registry.url), into)

    assert "--redirect-to elsewhere.example" in caught.value.hint


def test_a_redirect_to_a_named_host_is_followed(
    model: SampleModel, lock: ModelLock, into: BlobFolder
) -> None:
    """Who trusts a registry's storage names it."""
    with running(Registry(models=[model])) as storage:
        elsewhere = storage.url.replace("127.0.0.1", "localhost")
        with running(Registry(models=[model], redirect=elsewhere)) as registry:
            fetch_all(lock, open_source(registry.url, redirects=["localhost"]), into)

    assert sorted(into.digests()) == sorted(model.blobs)


def test_a_folder_of_an_ollama_is_a_source(
    tmp_path: Path, model: SampleModel, lock: ModelLock, into: BlobFolder
) -> None:
    """Blobs are copied and hashed, so a later change there changes nothing here."""
    model.write_folder(tmp_path / "theirs", lock["tiny"])

    fetch_all(lock, open_folder(tmp_path / "theirs"), into)

    assert {d: into.path(d).read_bytes() for d in into.digests()} == model.blobs
    assert into.path(next(iter(model.blobs))).stat().st_nlink == 1


def test_a_corrupted_blob_of_a_folder_is_not_taken(
    tmp_path: Path, model: SampleModel, lock: ModelLock, into: BlobFolder
) -> None:
    """An Ollama's folder is believed no more than a registry."""
    model.write_folder(tmp_path / "theirs", lock["tiny"])
    weights = BlobFolder(tmp_path / "theirs").path(digest_of(dict(model.layers)["model"]))
    weights.write_bytes(b"0" + weights.read_bytes()[1:])

    with pytest.raises(DriftError, match="gives other bytes for the model of tiny:latest"):
        fetch_all(lock, open_folder(tmp_path / "theirs"), into)

    assert wrong_blobs(into) == []


def test_a_mirror_may_be_a_folder(
    tmp_path: Path, model: SampleModel, lock: ModelLock, into: BlobFolder
) -> None:
    """`file://` names the registry's paths as files."""
    place = tmp_path / "mirror" / "v2" / "library" / "tiny" / "blobs"
    place.mkdir(parents=True)
    for digest, content in model.blobs.items():
        (place / digest).write_bytes(content)

    fetch_all(lock, open_source((tmp_path / "mirror").as_uri()), into)

    assert sorted(into.digests()) == sorted(model.blobs)


@pytest.mark.parametrize("url", ["ftp://host", "registry.ollama.ai", "https://", "file:///no/such/folder"])
def test_what_is_no_source_is_wrong_usage(url: str) -> None:
    """An address that names no registry is refused before anything starts."""
    with pytest.raises(UsageError):
        open_source(url)


def test_an_interrupted_fetch_keeps_what_came(model: SampleModel, lock: ModelLock, into: BlobFolder) -> None:
    """Ctrl-C while bytes come leaves an unfinished blob and no wrong one, at once though the registry is silent."""
    with running(Registry(models=[model], gate=Event())) as registry:

        def interrupt(_: object) -> None:
            if registry.halfway.is_set() and into.begun():
                raise KeyboardInterrupt

        pins = lock.select()
        source = {pins[0].registry: open_source(registry.url)}
        with pytest.raises(KeyboardInterrupt):
            fetch(plan_fetch(pins, into), source, into, events=EventStream(interrupt), every_s=0.01)

        assert (into.digests(), registry.gate.is_set() if registry.gate else None) == ([], False)


def test_two_fetches_at_once_share_the_work(model: SampleModel, lock: ModelLock, into: BlobFolder) -> None:
    """A second fetch waits for the first one's blobs instead of writing into them."""
    with running(Registry(models=[model])) as registry:
        source = open_source(registry.url)
        threads = [Thread(target=fetch_all, args=(lock, source, into)) for _ in range(3)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

    assert len(registry.asked) == len(model.blobs)
    assert (wrong_blobs(into), into.begun()) == ([], [])


def test_progress_ends_with_everything(model: SampleModel, lock: ModelLock, into: BlobFolder) -> None:
    """The last report counts every byte of the set."""
    told = CollectingSink()
    with running(Registry(models=[model], breaks=3)) as registry:
        pins = lock.select()
        source = {pins[0].registry: open_source(registry.url)}
        fetch(plan_fetch(pins, into), source, into, retries=AT_ONCE, events=told, every_s=0.001)

    last = told.of("stage.progress")[-1].data
    assert last["done_bytes"] == last["total_bytes"] == sum(map(len, model.blobs.values()))


def test_a_disk_that_is_too_small_is_said_before_anything_comes(lock: ModelLock, into: BlobFolder) -> None:
    """The plan is checked against the free space."""
    plan = replace(plan_fetch(lock.select(), into), free_bytes=1000)

    with pytest.raises(CheckFailed, match=r"and the disk has 1\.0 kB free"):
        plan.check()


def test_a_memory_that_is_too_small_is_said_before_anything_comes(lock: ModelLock, into: BlobFolder) -> None:
    """A model that this machine could never load is refused, unless it is for another one."""
    plan = replace(plan_fetch(lock.select(), into), total_memory_bytes=1000, available_memory_bytes=500)

    with pytest.raises(CheckFailed, match=r"this machine has 1\.0 kB of memory"):
        plan.check()
    assert plan.check(anyway=True) == ["tiny:latest loads 40 kB of weights, and 500 B of memory are free now"]
