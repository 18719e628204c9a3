"""What `scripts/build-images` has left, for the override of the compose file."""

from __future__ import annotations

import json

from ragbed.containers.compose import override_text
from ragbed.containers.workshop import Workshop, workshop_folder
from ragbed.errors import ServiceMissing
from ragbed.pins import load_stack_pins


def local_override() -> str:
    """Return the override that has local images in place of upstream's.

    Raises:
        ServiceMissing: None were built yet.
    """
    workshop = Workshop(workshop_folder())
    try:
        built = json.loads(workshop.images_file.read_bytes())
    except (OSError, ValueError):
        raise ServiceMissing("no local images were built yet", hint="./scripts/build-images") from None
    images = {image["name"]: f"{image['reference']}@{image['digest']}" for image in built["images"]}
    return override_text(load_stack_pins(), images)
