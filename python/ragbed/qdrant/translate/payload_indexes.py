"""Payload indexes: what to build, and what is there."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import qdrant_edge as engine

from ragbed.qdrant.errors import BadRequest, InvalidValue, WrongInput
from ragbed.qdrant.translate.fields import boolean, choice, engine_value, fields, integer, text
from ragbed.qdrant.translate.storage import MEMORY
from ragbed.qdrant.translate.tokenizers import TOKENIZERS, read_stemmer, read_stopwords

if TYPE_CHECKING:
    from collections.abc import Callable

    from qdrant_edge import PayloadIndexInfo, UpdateOperation

TYPES = {
    "keyword": engine.PayloadSchemaType.Keyword,
    "integer": engine.PayloadSchemaType.Integer,
    "float": engine.PayloadSchemaType.Float,
    "geo": engine.PayloadSchemaType.Geo,
    "text": engine.PayloadSchemaType.Text,
    "bool": engine.PayloadSchemaType.Bool,
    "datetime": engine.PayloadSchemaType.Datetime,
    "uuid": engine.PayloadSchemaType.Uuid,
}
COMMON: dict[str, Callable[[Any, str], Any]] = {
    "on_disk": boolean,
    "enable_hnsw": boolean,
    "memory": choice(MEMORY),
}
TENANT = {"is_tenant": boolean}
PRINCIPAL = {"is_principal": boolean}
PARAMS: dict[str, tuple[type[Any], dict[str, Callable[[Any, str], Any]]]] = {
    "keyword": (engine.KeywordIndexParams, COMMON | TENANT | {"prefix": boolean}),
    "integer": (engine.IntegerIndexParams, COMMON | PRINCIPAL | {"lookup": boolean, "range": boolean}),
    "float": (engine.FloatIndexParams, COMMON | PRINCIPAL),
    "geo": (engine.GeoIndexParams, COMMON),
    "text": (
        engine.TextIndexParams,
        COMMON
        | {
            "tokenizer": choice(TOKENIZERS),
            "min_token_len": integer(0),
            "max_token_len": integer(0),
            "lowercase": boolean,
            "ascii_folding": boolean,
            "phrase_matching": boolean,
            "stopwords": read_stopwords,
            "stemmer": read_stemmer,
        },
    ),
    "bool": (engine.BoolIndexParams, COMMON),
    "datetime": (engine.DatetimeIndexParams, COMMON | PRINCIPAL),
    "uuid": (engine.UuidIndexParams, COMMON | TENANT),
}
"""For each type of index: the engine's parameters, and how each is read."""


def read_create_index(body: Any) -> UpdateOperation:
    """Return the operation that builds a payload index.

    Args:
        body: `field_name`, and `field_schema`: the name of a type, or an object with `type` and its parameters.
    """
    with fields(body) as members:
        name, schema = members.required("field_name", text), members.maybe("field_schema", read_schema)
    if schema is None:
        raise BadRequest("Can't auto-detect field type, please specify `field_schema` in the request")
    with engine_value("field_name", WrongInput):
        return engine.UpdateOperation.create_field_index(name, schema)


def read_schema(value: Any, path: str) -> Any:
    """Return the engine's type of a payload index, or its parameters."""
    if isinstance(value, str):
        return choice(TYPES)(value, path)
    with fields(value, path) as members:
        build, readers = members.required("type", choice(PARAMS))
        given = {name: members.maybe(name, read) for name, read in readers.items()}
        if given.get("lookup") is False and given.get("range") is False:
            reason = "Validation error: the 'lookup' and 'range' capabilities can't be both disabled"
            raise InvalidValue(path, reason)
        with engine_value(path):
            return build(**given)


def delete_index(field_name: str) -> UpdateOperation:
    """Return the operation that drops a payload index."""
    with engine_value("field_name", WrongInput):
        return engine.UpdateOperation.delete_field_index(field_name)


def index_json(info: PayloadIndexInfo) -> dict[str, Any]:
    """Return a payload index as collection info shows it."""
    kind = word(info.data_type)
    shown: dict[str, Any] = {"data_type": kind, "points": info.points}
    if (params := info.params) is not None:
        given = {name: _json(getattr(params, name)) for name in PARAMS[kind][1]}
        shown["params"] = {"type": kind, **{name: item for name, item in given.items() if item is not None}}
    return shown


def word(member: Any) -> str:
    """Return an engine's enum member as the API spells it."""
    return str(member).rpartition(".")[2].lower()


def _json(value: Any) -> Any:
    if value is None or isinstance(value, bool | int):
        return value
    if isinstance(value, engine.StopwordsSet):
        languages = sorted(word(language) for language in value.languages or ())
        return {"languages": languages, "custom": sorted(value.custom or ())}
    if isinstance(value, engine.DisabledStemmer):
        return {"type": "none"}
    if isinstance(value, engine.SnowballParams):
        return {"type": "snowball", "language": word(value.language)}
    return word(value)
