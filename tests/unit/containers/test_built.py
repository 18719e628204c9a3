"""What building the images tells: JSON by its published schema, and the part of `stack.toml`."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

from jsonschema import Draft202012Validator

from ragbed.containers.building import Built, LocalImage, pins_text
from ragbed.containers.image import Image
from ragbed.containers.workshop import CHECKOUT, Workshop
from ragbed.pins import load_stack_pins

if TYPE_CHECKING:
    import pytest

DIGEST = f"sha256:{'ab' * 32}"


def local(name: str, version: str, substitute: str = "") -> LocalImage:
    """An image that was built."""
    image = Image(name=name, version=version, digest=DIGEST, layers=(), size_bytes=7, substitute=substitute)
    return LocalImage(image=image, reference=f"127.0.0.1:5051/ragbed.local/{name}:{version}", was_there=False)


IMAGES = (local("base", "13.8"), local("postgres", "17.12"), local("qdrant", "1.19.1", "embedded-qdrant"))


def test_json_is_as_published() -> None:
    """Scripts of others may read it."""
    schema = json.loads((CHECKOUT / "docs" / "images.schema.json").read_bytes())

    Draft202012Validator(schema).validate(Built(images=IMAGES, stack_file=Path("stack.toml")).to_json())


def test_part_of_the_pins_overrides_the_channel_image(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is laid over ours: the other services and channels stay."""
    part = tmp_path / "stack.toml"
    part.write_text(pins_text(IMAGES))
    ours = load_stack_pins()
    monkeypatch.setenv("RAGBED_STACK_FILE", str(part))

    pins = load_stack_pins()

    assert pins["postgres"].channels.image.digest == DIGEST
    assert pins["postgres"].channels.image.version == "17.12"
    assert pins["qdrant"].channels.image.reference == "127.0.0.1:5051/ragbed.local/qdrant:1.19.1"
    assert pins["redis"] == ours["redis"]
    assert pins["postgres"].channels.nix == ours["postgres"].channels.nix


def test_image_is_made_once_per_inputs(tmp_path: Path) -> None:
    """The same inputs find what was made; another input makes it anew; a lost blob does too."""
    workshop = Workshop(tmp_path)
    made: list[int] = []

    def make() -> Image:
        made.append(1)
        (workshop.blobs / DIGEST.removeprefix("sha256:")).write_bytes(b"{}")
        return IMAGES[0].image

    assert workshop.made_once("base", {"a": 1}, make) == (IMAGES[0].image, False)
    assert workshop.made_once("base", {"a": 1}, make) == (IMAGES[0].image, True)
    workshop.made_once("base", {"a": 2}, make)
    (workshop.blobs / DIGEST.removeprefix("sha256:")).unlink()
    workshop.made_once("base", {"a": 1}, make)

    assert len(made) == 3
