"""The pins: `stack.toml` and `models.lock.json` parsed, validated and compared with what is found.

`drift` is a module, and its function of that name is imported from there.
"""

from typing import TYPE_CHECKING

from ragbed.lazy import public_names

if TYPE_CHECKING:
    from ragbed.pins.drift import Drift, is_exact, wheel_of
    from ragbed.pins.in_force import refuse_installed
    from ragbed.pins.model_lock import (
        ModelLock,
        fetch_command,
        load_model_lock,
        lock_to_write,
        model_lock_path,
        pinned_digests,
        with_tag,
    )
    from ragbed.pins.model_pin import (
        OLLAMA_REGISTRY,
        Manifest,
        ModelPin,
        Part,
        manifest_path,
        parse_manifest,
    )
    from ragbed.pins.nix_store import in_nix_store
    from ragbed.pins.provenance import DEVENV, RAGBED, Channel, Provenance
    from ragbed.pins.server_wheels import install_servers, pip_install, server_advice, server_wheels
    from ragbed.pins.stack_file import (
        GoChannel,
        ImageChannel,
        Limits,
        NixChannel,
        ServicePins,
        StackPins,
        WheelChannel,
        load_stack_pins,
        stack_file_path,
    )
    from ragbed.pins.versions import satisfies

__all__ = [
    "DEVENV",
    "OLLAMA_REGISTRY",
    "RAGBED",
    "Channel",
    "Drift",
    "GoChannel",
    "ImageChannel",
    "Limits",
    "Manifest",
    "ModelLock",
    "ModelPin",
    "NixChannel",
    "Part",
    "Provenance",
    "ServicePins",
    "StackPins",
    "WheelChannel",
    "fetch_command",
    "in_nix_store",
    "install_servers",
    "is_exact",
    "load_model_lock",
    "load_stack_pins",
    "lock_to_write",
    "manifest_path",
    "model_lock_path",
    "parse_manifest",
    "pinned_digests",
    "pip_install",
    "refuse_installed",
    "satisfies",
    "server_advice",
    "server_wheels",
    "stack_file_path",
    "wheel_of",
    "with_tag",
]

__getattr__ = public_names(
    __name__,
    {
        "Drift": "drift",
        "is_exact": "drift",
        "wheel_of": "drift",
        "refuse_installed": "in_force",
        "ModelLock": "model_lock",
        "fetch_command": "model_lock",
        "load_model_lock": "model_lock",
        "lock_to_write": "model_lock",
        "model_lock_path": "model_lock",
        "pinned_digests": "model_lock",
        "with_tag": "model_lock",
        "Manifest": "model_pin",
        "ModelPin": "model_pin",
        "OLLAMA_REGISTRY": "model_pin",
        "Part": "model_pin",
        "manifest_path": "model_pin",
        "parse_manifest": "model_pin",
        "in_nix_store": "nix_store",
        "Channel": "provenance",
        "DEVENV": "provenance",
        "Provenance": "provenance",
        "RAGBED": "provenance",
        "install_servers": "server_wheels",
        "pip_install": "server_wheels",
        "server_advice": "server_wheels",
        "server_wheels": "server_wheels",
        "GoChannel": "stack_file",
        "ImageChannel": "stack_file",
        "Limits": "stack_file",
        "NixChannel": "stack_file",
        "ServicePins": "stack_file",
        "StackPins": "stack_file",
        "WheelChannel": "stack_file",
        "load_stack_pins": "stack_file",
        "stack_file_path": "stack_file",
        "satisfies": "versions",
    },
)
