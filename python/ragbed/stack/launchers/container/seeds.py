"""Prepared data of an image: made once for each image, so that later containers skip what takes longest.

For Postgres that is initdb. The first container of an image initialises its volume, is stopped, and its data is kept in
the cache; the volumes of later ones are filled from there.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from ragbed.stack.kinds import ImagePlan, StartOrder

_STOPS_WITHIN_S = 30
_ARCHIVE = "data.tar"


def make_seed(order: StartOrder, plan: ImagePlan, first: Callable[[], Any]) -> None:
    """Keep an image's prepared data where none is kept yet.

    Args:
        order: What is started.
        plan: With the seed.
        first: Starts a container and returns it once the service does its work; it is stopped and removed here.
    """
    if plan.seed is None or (plan.seed / _ARCHIVE).exists():
        return
    with order.folder.locked(f"seed-{order.service}"):
        if (plan.seed / _ARCHIVE).exists():
            return
        container = first()
        container.stop(timeout=_STOPS_WITHIN_S)
        pieces, _ = container.get_archive(plan.seeded)
        plan.seed.mkdir(parents=True, exist_ok=True)
        unfinished = order.folder.cache / f"building-{plan.seed.name}"
        with unfinished.open("wb") as data:
            for piece in pieces:
                data.write(piece)
        unfinished.rename(plan.seed / _ARCHIVE)
        container.remove(v=True)


def put_seed(seed: Path, container: Any, folder: str) -> None:
    """Fill the volume of a container that has not been started yet.

    Args:
        seed: The folder of the cache.
        container: docker-py's.
        folder: Where its volume is, inside.
    """
    with (seed / _ARCHIVE).open("rb") as data:
        container.put_archive(folder, data)
