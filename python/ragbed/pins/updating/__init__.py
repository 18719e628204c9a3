"""Bring the pins up to date: ask the registries and Nix, show what changes, check it, then write.

`scripts/update-pins` runs it in a checkout; an installed package has no pin files to write.
"""

from ragbed.pins.updating.draft import Draft
from ragbed.pins.updating.images import update_images
from ragbed.pins.updating.inputs import update_nixpkgs
from ragbed.pins.updating.nix import Nix
from ragbed.pins.updating.wheels import update_wheels

__all__ = ["Draft", "Nix", "update_images", "update_nixpkgs", "update_wheels"]
