"""Quantization: how vectors are kept in short for quick search."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import qdrant_edge as engine

from ragbed.qdrant.errors import FormatError, InvalidValue
from ragbed.qdrant.translate.fields import boolean, choice, fields, number
from ragbed.qdrant.translate.storage import MEMORY

if TYPE_CHECKING:
    from collections.abc import Callable

    from qdrant_edge import QuantizationConfigType

    from ragbed.qdrant.translate.fields import Fields

RATIOS = {name.lower(): getattr(engine.CompressionRatio, name) for name in ("X4", "X8", "X16", "X32", "X64")}
ENCODINGS = {
    "one_bit": engine.BinaryQuantizationEncoding.OneBit,
    "two_bits": engine.BinaryQuantizationEncoding.TwoBits,
    "one_and_half_bits": engine.BinaryQuantizationEncoding.OneAndHalfBits,
}
QUERY_ENCODINGS = {
    "default": engine.BinaryQuantizationQueryEncoding.Default,
    "binary": engine.BinaryQuantizationQueryEncoding.Binary,
    "scalar4bits": engine.BinaryQuantizationQueryEncoding.Scalar4Bits,
    "scalar8bits": engine.BinaryQuantizationQueryEncoding.Scalar8Bits,
}
BITS = {
    "bits1": engine.TurboQuantBitSize.Bits1,
    "bits1_5": engine.TurboQuantBitSize.Bits1_5,
    "bits2": engine.TurboQuantBitSize.Bits2,
    "bits4": engine.TurboQuantBitSize.Bits4,
}


def read_quantization(value: Any, path: str) -> QuantizationConfigType:
    """Return the engine's form of a `quantization_config`: an object with the kind's name as its only key.

    Raises:
        FormatError: The kind is unknown, or one of its parameters.
        InvalidValue: A parameter is outside its range.
    """
    with fields(value, path) as members:
        for name, read in KINDS.items():
            if name in members:
                return members.required(name, read)
        raise FormatError(f"data did not match any variant of untagged enum QuantizationConfig at `{path}`")


def _common(members: Fields) -> dict[str, Any]:
    return {
        "always_ram": members.maybe("always_ram", boolean),
        "memory": members.maybe("memory", choice(MEMORY)),
    }


def _scalar(value: Any, path: str) -> QuantizationConfigType:
    with fields(value, path) as members:
        kind = members.required("type", choice({"int8": engine.ScalarType.Int8}))
        quantile = members.maybe("quantile", number)
        if quantile is not None and not 0.5 <= quantile <= 1:
            raise InvalidValue(f"{path}.quantile", f"value {quantile:g} invalid, must be from 0.5 to 1.0")
        return engine.ScalarQuantizationConfig(kind, quantile=quantile, **_common(members))


def _product(value: Any, path: str) -> QuantizationConfigType:
    with fields(value, path) as members:
        ratio = members.required("compression", choice(RATIOS))
        return engine.ProductQuantizationConfig(ratio, **_common(members))


def _binary(value: Any, path: str) -> QuantizationConfigType:
    with fields(value, path) as members:
        return engine.BinaryQuantizationConfig(
            encoding=members.maybe("encoding", choice(ENCODINGS)),
            query_encoding=members.maybe("query_encoding", choice(QUERY_ENCODINGS)),
            **_common(members),
        )


def _turbo(value: Any, path: str) -> QuantizationConfigType:
    with fields(value, path) as members:
        return engine.TurboQuantQuantizationConfig(
            bits=members.maybe("bits", choice(BITS)), **_common(members)
        )


KINDS: dict[str, Callable[[Any, str], QuantizationConfigType]] = {
    "scalar": _scalar,
    "product": _product,
    "binary": _binary,
    "turbo": _turbo,
}
