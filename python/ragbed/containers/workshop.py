"""The folder where images are made: blobs by digest, what was made from which inputs, one builder at a time."""

from __future__ import annotations

import fcntl
import json
import os
from contextlib import contextmanager
from dataclasses import asdict
from hashlib import sha256
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

from ragbed.containers.image import Image
from ragbed.containers.layers import Layer, read_members
from ragbed.errors import ConfigurationError
from ragbed.state.files import SHARED, write_json

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from ragbed.containers.layers import Member

CHECKOUT = Path(__file__).resolve().parents[3]


class Workshop:
    """A folder of images.

    Args:
        folder: Created when missing.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.blobs = folder / "blobs"
        self.stack_file = folder / "stack.toml"
        self.images_file = folder / "images.json"
        self.blobs.mkdir(parents=True, exist_ok=True)

    @contextmanager
    def alone(self) -> Iterator[None]:
        """Hold the folder against other builders; the system lets go of it when we are killed."""
        with (self.folder / "lock").open("w") as held:
            fcntl.flock(held, fcntl.LOCK_EX)
            yield

    def made_once(
        self, name: str, inputs: Mapping[str, Any], make: Callable[[], Image]
    ) -> tuple[Image, bool]:
        """Return an image, making it where it was not made from these inputs before, and whether it was.

        Args:
            name: Of the image.
            inputs: All that decides what comes out, as JSON values.
            make: Makes it.
        """
        record = self._record(name, inputs)
        if image := self._known(record):
            return image, True
        image = make()
        write_json(record, asdict(image), mode=SHARED)
        return image, False

    def is_known(self, name: str, inputs: Mapping[str, Any]) -> bool:
        """Tell whether an image was made from these inputs before."""
        return self._known(self._record(name, inputs)) is not None

    def members(self, image: Image) -> dict[str, Member]:
        """Return what is in the layers of an image."""
        members: dict[str, Member] = {}
        for layer in image.layers:
            with self.blob(layer.digest) as packed:
                members |= read_members(packed)
        return members

    def blob(self, digest: str) -> IO[bytes]:
        """Open a blob."""
        return self._path(digest).open("rb")

    def _path(self, digest: str) -> Path:
        return self.blobs / digest.partition(":")[2]

    def _record(self, name: str, inputs: Mapping[str, Any]) -> Path:
        key = sha256(json.dumps(inputs, sort_keys=True).encode()).hexdigest()[:16]
        return self.folder / f"{name}-{key}.json"

    def _known(self, record: Path) -> Image | None:
        try:
            values = json.loads(record.read_bytes())
        except (OSError, ValueError):
            return None
        layers = tuple(Layer(**layer) for layer in values.pop("layers"))
        image = Image(layers=layers, **values)
        whole = all(
            self._path(digest).is_file() for digest in (image.digest, *(one.digest for one in layers))
        )
        return image if whole else None


def workshop_folder() -> Path:
    """Return where images are kept: below `RAGBED_TOOLS_DIR`, else below `.ragbed/tools` of the checkout."""
    return Path(os.environ.get("RAGBED_TOOLS_DIR") or CHECKOUT / ".ragbed" / "tools").absolute() / "images"


def require_checkout() -> None:
    """Refuse to go on where ragbed was installed without its Dockerfile.

    Raises:
        ConfigurationError: There is no checkout around this file.
    """
    if not (CHECKOUT / "Dockerfile").is_file():
        raise ConfigurationError(
            "images are built from a checkout of ragbed, and this is an installed package",
            hint="clone the repository and call its scripts/build-images",
        )
