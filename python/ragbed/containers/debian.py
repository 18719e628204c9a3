"""Images made of Debian packages and a few files of ours."""

from __future__ import annotations

import re
import tempfile
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict
from functools import partial
from hashlib import sha256
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ragbed.containers.image import architecture, docker_config, write_image
from ragbed.containers.layers import (
    beyond,
    file_member,
    folder_member,
    pack,
    read_members,
    with_parents,
)
from ragbed.containers.recipes import EPOCH, SUITE
from ragbed.containers.roots import make_root
from ragbed.errors import ServiceMissing

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from ragbed.containers.image import Image
    from ragbed.containers.layers import Layer, Member
    from ragbed.containers.recipes import Recipe
    from ragbed.containers.workshop import Workshop
    from ragbed.events import EventSink

_AT_ONCE = 2
_FORMAT = 2
"""Raised where the same inputs are to give another image."""


class DebianImages:
    """Makes images of recipes.

    Args:
        workshop: Where they are kept.
        mirror: Where packages come from.
        ollama: Returns the program that `scripts/ollama` builds, and its version.
        events: Told what takes long.
    """

    def __init__(
        self, workshop: Workshop, *, mirror: str, ollama: Callable[[], tuple[Path, str]], events: EventSink
    ) -> None:
        self._workshop = workshop
        self._mirror = mirror
        self._ollama = ollama
        self._events = events

    def make(self, recipes: Sequence[Recipe]) -> dict[str, tuple[Image, bool]]:
        """Return the images of recipes by name, each with whether it was there.

        Args:
            recipes: An image comes after the one whose layers are below it.
        """
        roots = self._roots([recipe for recipe in recipes if recipe.packages])
        made: dict[str, tuple[Image, bool]] = {}
        for recipe in recipes:
            root = roots.get(recipe.name) or roots[recipe.above]
            make = partial(self._assemble, recipe, root)
            made[recipe.name] = self._workshop.made_once(recipe.name, self._inputs(recipe, root), make)
        return made

    def _roots(self, recipes: Sequence[Recipe]) -> dict[str, Image]:
        """Return the unpacked packages of recipes as images without files of ours, by name."""
        inputs = {recipe.name: self._root_inputs(recipe, recipes) for recipe in recipes}
        roots: dict[str, Image] = {}
        with tempfile.TemporaryDirectory(dir=self._workshop.folder) as folder:
            self._unpack(
                [one for one in recipes if not self._workshop.is_known(f"root-{one.name}", inputs[one.name])],
                Path(folder),
            )
            for recipe in recipes:
                tar = Path(folder, f"{recipe.name}.tar")
                make = partial(self._layered, recipe, tar, roots.get(recipe.above))
                roots[recipe.name], _ = self._workshop.made_once(
                    f"root-{recipe.name}", inputs[recipe.name], make
                )
        return roots

    def _root_inputs(self, recipe: Recipe, recipes: Sequence[Recipe]) -> dict[str, Any]:
        below = [list(other.packages) for other in recipes if other.name == recipe.above]
        return {
            "format": _FORMAT,
            "packages": [*below, list(recipe.packages), list(recipe.excluded)],
            "suite": [SUITE, EPOCH, self._mirror, architecture()],
        }

    def _unpack(self, recipes: Sequence[Recipe], folder: Path) -> None:
        def unpack(recipe: Recipe) -> None:
            self._events.emit("stage.begun", recipe.name, what="packages of Debian")
            make_root(recipe, folder / f"{recipe.name}.tar", mirror=self._mirror)

        with ThreadPoolExecutor(_AT_ONCE) as pool:
            list(pool.map(unpack, recipes))

    def _layered(self, recipe: Recipe, tar: Path, below: Image | None) -> Image:
        """Return a root as an image: the layers of the one below, and what it has beyond that."""
        self._events.emit("stage.begun", recipe.name, what="layers")
        with tar.open("rb") as source:
            root = read_members(source)
        lower = self._workshop.members(below) if below else {}
        return write_image(
            self._workshop.blobs,
            name=recipe.name,
            version=package_version(_text(root, "var/lib/dpkg/status"), recipe.version_of),
            layers=[*(below.layers if below else ()), self._pack(beyond(lower, root).values())],
            config={},
        )

    def _inputs(self, recipe: Recipe, root: Image) -> dict[str, Any]:
        contents = {file.path: sha256(self._content(file.source)).hexdigest() for file in recipe.files}
        return {"format": _FORMAT, "root": root.digest, "recipe": asdict(recipe), "files": contents}

    def _assemble(self, recipe: Recipe, root: Image) -> Image:
        """Return a root with our files, and with how its container starts."""
        files = self._workshop.members(root) if recipe.files or recipe.folders else {}
        users = _text(files, "etc/passwd")
        ours = [file_member(file.path, self._content(file.source), mode=file.mode) for file in recipe.files]
        ours += [
            folder_member(folder.path, ids_of(users, folder.owner), mode=folder.mode)
            for folder in recipe.folders
        ]
        added = with_parents({member.header.name: member for member in ours}, files)
        return write_image(
            self._workshop.blobs,
            name=recipe.name,
            version=self._ollama()[1] if recipe.version_of == "ollama" else root.version,
            layers=[*root.layers, *([self._pack(added.values())] if added else [])],
            config=docker_config(recipe.run),
        )

    def _pack(self, members: Iterable[Member]) -> Layer:
        return pack(members, self._workshop.blobs)

    def _content(self, source: str) -> bytes:
        if source == "ollama":
            return self._ollama()[0].read_bytes()
        return files("ragbed.containers").joinpath("files", source).read_bytes()


def package_version(status: str, package: str) -> str:
    """Return the version of an installed package, without Debian's epoch and revision.

    Args:
        status: What `dpkg` keeps of the installed packages.
        package: Which one.

    Raises:
        ServiceMissing: It is not among them.
    """
    match = re.search(rf"^Package: {re.escape(package)}\n(?:.+\n)*?Version: (\S+)$", status, re.MULTILINE)
    if match is None:
        raise ServiceMissing(f"{package} is not among the packages that were unpacked")
    return match[1].split(":")[-1].split("-")[0].split("+")[0]


def ids_of(users: str, name: str) -> tuple[int, int]:
    """Return the user and the group of a name.

    Args:
        users: Content of `/etc/passwd`.
        name: Which user.

    Raises:
        ServiceMissing: There is none of that name.
    """
    for line in users.splitlines():
        user, _, uid, gid, *_ = line.split(":")
        if user == name:
            return int(uid), int(gid)
    raise ServiceMissing(f"there is no user {name} in the image")


def _text(root: Mapping[str, Member], path: str) -> str:
    member = root.get(path)
    return (member.content or b"").decode() if member else ""
