"""How to search: `params` of a query."""

from __future__ import annotations

from typing import Any

import qdrant_edge as engine

from ragbed.qdrant.errors import InvalidValue
from ragbed.qdrant.translate.fields import boolean, choice, fields, integer, number
from ragbed.qdrant.translate.filters import read_filter


def read_params(value: Any, path: str) -> engine.SearchParams:
    """Return how to search: `hnsw_ef`, `exact`, `indexed_only`, `quantization`, `acorn`, `idf`."""
    with fields(value, path) as members:
        return engine.SearchParams(
            hnsw_ef=members.maybe("hnsw_ef", integer(1)),
            exact=members.optional("exact", boolean, default=False),
            indexed_only=members.optional("indexed_only", boolean, default=False),
            quantization=members.maybe("quantization", _quantization),
            acorn=members.maybe("acorn", _acorn),
            idf=members.maybe("idf", _idf),
        )


def _quantization(value: Any, path: str) -> engine.QuantizationSearchParams:
    with fields(value, path) as members:
        oversampling = members.maybe("oversampling", number)
        if oversampling is not None and oversampling < 1:
            raise InvalidValue(
                f"{path}.oversampling", f"value {oversampling:g} invalid, must be 1.0 or larger"
            )
        return engine.QuantizationSearchParams(
            ignore=members.optional("ignore", boolean, default=False),
            rescore=members.maybe("rescore", boolean),
            oversampling=oversampling,
        )


def _acorn(value: Any, path: str) -> engine.AcornSearchParams:
    with fields(value, path) as members:
        share = members.maybe("max_selectivity", number)
        if share is not None and not 0 <= share <= 1:
            raise InvalidValue(f"{path}.max_selectivity", f"value {share:g} invalid, must be from 0.0 to 1.0")
        return engine.AcornSearchParams(
            enable=members.optional("enable", boolean, default=False), max_selectivity=share
        )


def _idf(value: Any, path: str) -> engine.IdfParams | None:
    if isinstance(value, str):
        return choice({"global": None})(value, path)
    with fields(value, path) as members:
        return engine.IdfParams(members.required("corpus", read_filter))
