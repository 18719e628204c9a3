"""A newer nixpkgs: both lock files together, and the versions that it packages."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

from ragbed.errors import DriftError, PinFileError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ragbed.pins.stack_file import NixChannel
    from ragbed.pins.updating.draft import Draft
    from ragbed.pins.updating.nix import Nix

FLAKE_LOCK = "flake.lock"
DEVENV_LOCK = "devenv.lock"
_INPUT = "nixpkgs"
_COMMIT = re.compile(r"[0-9a-f]{40}")


def update_nixpkgs(draft: Draft, nix: Nix, *, reference: str = "") -> None:
    """Move nixpkgs in both lock files, and take over the versions that it has.

    Args:
        draft: Takes the changes.
        nix: Asked for the revision and for the versions.
        reference: A commit, or any flake reference; empty takes the newest of the branch that the lock names.

    Raises:
        DriftError: The two locks do not agree as they are.
        PinFileError: A lock is not of the form that Nix writes.
        ServiceMissing: Nix cannot be asked.
    """
    node = _node(draft, FLAKE_LOCK)
    asked = nix.metadata(_flake_reference(node, reference))
    fresh = {key: asked["locked"].get(key) for key in ("rev", "narHash", "lastModified")}
    if None in fresh.values():
        raise PinFileError(f"{asked.get('url', reference)} has no revision to lock", hint="name a commit")
    old = node["locked"]["rev"]
    for name in (FLAKE_LOCK, DEVENV_LOCK):
        locked = _node(draft, name)["locked"]
        if locked["rev"] != old:
            raise DriftError(
                f"{name} has nixpkgs at {locked['rev'][:12]}, and {FLAKE_LOCK} at {old[:12]}",
                hint="bring both to one revision first",
            )
        if locked["rev"] != fresh["rev"]:
            draft.write(
                name,
                with_nixpkgs_at(draft.text(name), fresh),
                f"{name}: nixpkgs {old[:12]} -> {fresh['rev'][:12]}",
            )
    _take_versions(draft, nix, asked["path"])


def _flake_reference(node: Mapping[str, Any], reference: str) -> str:
    if reference and not _COMMIT.fullmatch(reference):
        return reference
    original = node["original"]
    place = f"{original['type']}:{original['owner']}/{original['repo']}"
    return "/".join(part for part in (place, reference or original.get("ref", "")) if part)


def _node(draft: Draft, name: str) -> dict[str, Any]:
    """Return the entry of a lock that its root calls nixpkgs."""
    try:
        lock = json.loads(draft.text(name))
        node: dict[str, Any] = lock["nodes"][_key(lock)]
        _ = node["locked"]["rev"], node["original"]  # both are needed
    except (ValueError, KeyError, TypeError) as error:
        raise PinFileError(f"{name} has no input {_INPUT} as Nix writes it: {error}") from error
    return node


def _key(lock: Mapping[str, Any]) -> str:
    key: str = lock["nodes"][lock["root"]]["inputs"][_INPUT]
    return key


def with_nixpkgs_at(text: str, fresh: Mapping[str, Any]) -> str:
    """Return a lock with nixpkgs at another revision, formatted as Nix does."""
    lock = json.loads(text)
    lock["nodes"][_key(lock)]["locked"].update(fresh)
    return json.dumps(lock, indent=2, sort_keys=True, ensure_ascii=False) + "\n"


def _take_versions(draft: Draft, nix: Nix, path: str) -> None:
    """Give every Nix channel of `stack.toml` the version that the nixpkgs at a path has."""
    pins = draft.pins()
    channels: dict[tuple[str, ...], NixChannel] = {("python", "nix"): pins.python.nix}
    for service, pinned in pins.services.items():
        channels["services", service, "channels", "nix"] = pinned.channels.nix
    names = " ".join(f'"{channel.attribute}"' for channel in channels.values())
    versions = nix.eval(
        f"let pkgs = import {path} {{ config = {{ }}; overlays = [ ]; }}; in"
        f" builtins.listToAttrs (map (name: {{ inherit name; value = pkgs.${{name}}.version; }}) [ {names} ])"
    )
    for keys, channel in channels.items():
        if versions[channel.attribute] != channel.version:
            draft.set_pin([*keys, "version"], channel.version, versions[channel.attribute])
