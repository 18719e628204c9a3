"""Base64 as Go's `encoding/base64` reads it: line breaks are passed over, padding is asked for."""

from __future__ import annotations

import base64
import binascii

from ragbed.gateway.wires.go_json.errors import DecodeError

_ALPHABET = frozenset(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/")
_PAD = ord("=")
_QUANTUM = 4
_BREAKS = b"\r\n"


def decode_base64(text: str) -> bytes:
    """Return the bytes that a text stands for; raise DecodeError, which says where it is wrong."""
    encoded = text.encode()
    try:
        return base64.b64decode(encoded.translate(None, _BREAKS), validate=True)
    except (binascii.Error, ValueError):
        raise DecodeError(f"illegal base64 data at input byte {_place(encoded)}") from None


def _place(encoded: bytes) -> int:
    """Return the offset of the first byte that does not fit."""
    held = 0
    for at, byte in enumerate(encoded):
        if byte in _BREAKS:
            continue
        if byte in _ALPHABET:
            held = (held + 1) % _QUANTUM
            continue
        return _place_of_padding(encoded, at, held) if byte == _PAD else at
    return len(encoded) - held


def _place_of_padding(encoded: bytes, at: int, held: int) -> int:
    """Return the offset of what is wrong about the padding that begins here."""
    rest = [place for place in range(at + 1, len(encoded)) if encoded[place] not in _BREAKS]
    if held < 2:
        return at
    if held == 2:
        if not rest:
            return len(encoded)
        if encoded[rest[0]] != _PAD:
            return rest[0] - 1
        rest = rest[1:]
    return rest[0] if rest else len(encoded)
