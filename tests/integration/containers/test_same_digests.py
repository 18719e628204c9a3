"""Images that are built anew from the same inputs have the same digests."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from ragbed.containers.building import build_images
from ragbed.containers.workshop import Workshop

if TYPE_CHECKING:
    from local_containers import LocalImages


@pytest.mark.timeout(1800)
def test_a_second_build_from_nothing_gives_the_same_digests(
    local_images: LocalImages, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """The daemon's own layers, with their times and their order, leave no trace."""
    if not os.environ.get("RAGBED_REBUILD_IMAGES"):
        pytest.skip("takes minutes: scripts/soak-containers does it")

    built = build_images(Workshop(tmp_path_factory.mktemp("images")))

    assert {local.image.name: local.image.digest for local in built.images} == {
        name: image["digest"] for name, image in local_images.images.items()
    }
    assert not any(local.was_there for local in built.images)
