"""Vectors that the server makes itself: sparse ones of texts by `qdrant/bm25`; other models are refused."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import qdrant_edge as engine

from ragbed.qdrant.errors import Unsupported, WrongInput
from ragbed.qdrant.translate.fields import boolean, choice, engine_value, fields, integer, number, text
from ragbed.qdrant.translate.tokenizers import TOKENIZERS, read_stemmer, read_stopwords

if TYPE_CHECKING:
    from ragbed.qdrant.translate.schema import VectorKind

MODELS = frozenset({"qdrant/bm25", "bm25"})
"""Names of the one model that a server has inside, in small letters."""

OPTIONS: dict[str, Any] = {
    "k": number,
    "b": number,
    "avg_len": number,
    "tokenizer": choice(TOKENIZERS),
    "language": text,
    "lowercase": boolean,
    "ascii_folding": boolean,
    "stopwords": read_stopwords,
    "stemmer": read_stemmer,
    "min_token_len": integer(0),
    "max_token_len": integer(0),
}


def is_inference(value: Any) -> bool:
    """Say whether a JSON value asks the server to make a vector: an object that names a model."""
    return isinstance(value, dict) and isinstance(value.get("model"), str)


def as_document(value: Any, path: str, kind: VectorKind) -> engine.SparseVector:
    """Return the vector of a text that is stored.

    Args:
        value: Object with `text`, `model` and `options`.
        path: Where it stands in the body, for messages.
        kind: What the vector is for.

    Raises:
        Unsupported: A model other than BM25.
        WrongInput: The vector is not sparse, or an option is wrong.
    """
    return _model(value, path, kind).embed_document(value["text"])


def as_query(value: Any, path: str, kind: VectorKind) -> engine.SparseVector:
    """Return the vector of a text that is searched for; raise as `as_document` does."""
    return _model(value, path, kind).embed_query(value["text"])


def _model(value: Any, path: str, kind: VectorKind) -> engine.Bm25:
    with fields(value, path) as members:
        model = members.required("model", text)
        if model.lower() not in MODELS:
            raise Unsupported(f"inference by model `{model}` at `{path}`")
        if "text" not in members:
            raise WrongInput(f"Only text input is supported for {model}.")
        members.required("text", text)
        options = members.maybe("options", _options)
    if not kind.sparse:
        raise WrongInput("Conversion between sparse and regular vectors failed")
    with engine_value(path, WrongInput):
        return engine.Bm25(options)


def _options(value: Any, path: str) -> engine.Bm25Config:
    with fields(value, path) as members, engine_value(path, WrongInput):
        return engine.Bm25Config(**{name: members.maybe(name, read) for name, read in OPTIONS.items()})
