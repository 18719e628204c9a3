"""Prepared data of an image: made once for each image, so that later containers skip what takes longest.

For Postgres that is initdb. The first container of an image initialises its volume, is stopped, and its data is kept in
the cache; the volumes of later ones are filled from there.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from ragbed.stack.kinds import ImagePlan, StartOrder

_STOPS_WITHIN_S = 30


def fill_volume(
    order: StartOrder,
    plan: ImagePlan,
    *,
    client: Any,
    container: Mapping[str, Any],
    run: Callable[[], Any],
) -> None:
    """Have a new volume hold a service's prepared data.

    Args:
        order: What is started.
        plan: With the seed.
        client: docker-py's.
        container: What docker-py is told to make a container with the volume: image, labels, volumes.
        run: Starts a container on the volume and returns it once the service does its work.
    """
    if plan.seed is None:
        return
    archive = plan.seed / "data.tar"
    if not archive.exists():
        with order.folder.locked(f"seed-{order.service}"):
            if not archive.exists():
                _make(order, plan, run())
                return
    carrier = client.containers.create(**container)
    try:
        with archive.open("rb") as data:
            carrier.put_archive(plan.data, data)
    finally:
        carrier.remove(v=True)


def _make(order: StartOrder, plan: ImagePlan, first: Any) -> None:
    """Keep the data of a container that is ready; it is stopped for that, and removed."""
    if plan.seed is None:
        return
    first.stop(timeout=_STOPS_WITHIN_S)
    pieces, _ = first.get_archive(plan.seeded)
    plan.seed.mkdir(parents=True, exist_ok=True)
    unfinished = order.folder.cache / f"building-{plan.seed.name}"
    with unfinished.open("wb") as data:
        for piece in pieces:
            data.write(piece)
    unfinished.rename(plan.seed / "data.tar")
    first.remove(v=True)
