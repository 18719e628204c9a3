"""Where a recorded run lies: in the state folder, in a folder, or in a bundle."""

from __future__ import annotations

import tarfile
import tempfile
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from ragbed.errors import UsageError
from ragbed.runs.history import MANIFEST, find_run, load_run

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ragbed.runs import RunRecord
    from ragbed.state import StateFolder

_MOST_BYTES = 200 * 2**20
_MOST_FILES = 10_000


@contextmanager
def opened_run(name: str, state: StateFolder) -> Iterator[RunRecord]:
    """Yield a run that has a manifest.

    Args:
        name: A bundle, a run's folder, an id, the beginning of one, or `last`.
        state: The state folder that ids are looked up in.

    Raises:
        UsageError: There is no such run, or it cannot be read.
    """
    path = Path(name)
    if path.is_file():
        with tempfile.TemporaryDirectory(prefix="ragbed-bundle-") as folder:
            _unpack(path, Path(folder))
            yield _with_manifest(Path(folder, "run"), name)
    elif path.is_dir():
        yield _with_manifest(path.resolve(), name)
    else:
        yield _with_manifest(find_run(state, name).folder, name)


def _with_manifest(folder: Path, name: str) -> RunRecord:
    record = load_run(folder)
    if not record.manifest.get("command"):
        raise UsageError(
            f"{name} is not a run: it has no {MANIFEST} that can be read", hint="ragbed runs list"
        )
    return record


def _unpack(bundle: Path, folder: Path) -> None:
    """Unpack a bundle; names that lead out of the folder, links and devices are refused.

    Raises:
        UsageError: It is not a bundle, or too large.
    """
    try:
        with tarfile.open(bundle, "r:gz") as archive:
            members = archive.getmembers()
            if len(members) > _MOST_FILES or sum(member.size for member in members) > _MOST_BYTES:
                raise UsageError(
                    f"{bundle} is too large for a bundle", hint="was it made by `ragbed runs bundle`?"
                )
            archive.extractall(folder, members, filter="data")
    except (tarfile.TarError, EOFError, OSError) as error:
        raise UsageError(f"{bundle} is not a bundle: {error}", hint="ragbed runs bundle makes one") from error
