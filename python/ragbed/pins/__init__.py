"""The pins: `stack.toml` and `models.lock.json` parsed, validated and compared with what is found."""

from ragbed.pins.drift import Drift, drift, is_exact, wheel_of
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
    "drift",
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
