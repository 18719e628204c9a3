"""Blobs in a folder: what counts as whole, and who may write an unfinished one."""

from __future__ import annotations

from threading import Event, Thread
from typing import TYPE_CHECKING

import pytest

from ragbed.models import BlobFolder
from ragbed.models.blobs import hash_file
from sample_models import digest_of

if TYPE_CHECKING:
    from pathlib import Path

CONTENT = b"some weights"
DIGEST = digest_of(CONTENT)


class Watched(Event):
    """A sign to stop that also tells when somebody has begun to wait for it."""

    def __init__(self) -> None:
        super().__init__()
        self.waited_for = Event()

    def wait(self, timeout: float | None = None) -> bool:
        """Wait as ever, and tell."""
        self.waited_for.set()
        return super().wait(timeout)


@pytest.fixture
def blobs(tmp_path: Path) -> BlobFolder:
    """An empty folder."""
    return BlobFolder(tmp_path)


def test_an_unfinished_blob_is_no_blob(blobs: BlobFolder) -> None:
    """Until it is finished it has another name."""
    with blobs.unfinished(DIGEST, Event()) as file:
        file.write(CONTENT)

    assert (blobs.digests(), blobs.begun()) == ([], [DIGEST])


def test_a_finished_blob_may_not_be_written(blobs: BlobFolder) -> None:
    """Its file is read-only, for everything that links it."""
    with blobs.unfinished(DIGEST, Event()) as file:
        file.write(CONTENT)
        blobs.finish(DIGEST)

    assert hash_file(blobs.path(DIGEST)) == DIGEST
    assert blobs.path(DIGEST).stat().st_mode & 0o777 == 0o444


def test_what_others_leave_in_the_folder_is_no_blob(blobs: BlobFolder) -> None:
    """An Ollama that pulls has unfinished files of its own there."""
    blobs.folder.mkdir()
    for name in (f"{blobs.path(DIGEST).name}-partial", f"{blobs.path(DIGEST).name}-partial-0", "sha256-x"):
        (blobs.folder / name).write_bytes(b"")

    assert (blobs.digests(), blobs.begun()) == ([], [])


def test_whoever_waits_can_be_told_to_stop(blobs: BlobFolder) -> None:
    """A second fetch does not hang on a first one."""
    stop = Event()
    stop.set()

    with (
        blobs.unfinished(DIGEST, Event()),
        pytest.raises(InterruptedError),
        blobs.unfinished(DIGEST, stop),
    ):
        pass


def test_a_file_that_was_removed_while_somebody_waited_is_made_anew(blobs: BlobFolder) -> None:
    """Pruned in between: the second writes into a file that has a name."""
    stop = Watched()

    def write() -> None:
        with blobs.unfinished(DIGEST, stop) as file:
            file.write(CONTENT)

    thread = Thread(target=write)
    with blobs.unfinished(DIGEST, Event()) as file:
        file.write(b"old")
        thread.start()
        assert stop.waited_for.wait(10)
        blobs.remove(DIGEST)
    thread.join()

    assert blobs.size_bytes(DIGEST) == len(CONTENT)
