"""The OpenAPI description of what the embedded server serves: `scripts/openapi-qdrant` writes it.

Paths and methods are the server's own table; the bodies' schemas come from the client's request models, so that the
description and what the client sends cannot part.
"""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter
from qdrant_client import models as m

from ragbed.qdrant import WIRE_VERSION
from ragbed.qdrant.calls.endpoints import ENDPOINTS

DESCRIPTION = Path(__file__).parents[4] / "python" / "ragbed" / "qdrant" / "openapi.json"
REF = "#/components/schemas/{model}"
POINTS = "/collections/{name}/points"

BODIES: dict[tuple[str, str], Any] = {
    ("PUT", "/collections/{name}"): m.CreateCollection,
    ("PATCH", "/collections/{name}"): m.UpdateCollection,
    ("POST", "/collections/aliases"): m.ChangeAliasesOperation,
    ("PUT", "/collections/{name}/index"): m.CreateFieldIndex,
    ("PUT", "/collections/{name}/vectors/{vector_name}"): m.DenseVectorNameConfig | m.SparseVectorNameConfig,
    ("POST", "/collections/{name}/facet"): m.FacetRequest,
    ("PUT", "/collections/{name}/snapshots/recover"): m.SnapshotRecover,
    ("PUT", POINTS): m.PointsBatch | m.PointsList,
    ("POST", POINTS): m.PointRequest,
    ("POST", f"{POINTS}/delete"): m.PointIdsList | m.FilterSelector,
    ("POST", f"{POINTS}/scroll"): m.ScrollRequest,
    ("POST", f"{POINTS}/count"): m.CountRequest,
    ("POST", f"{POINTS}/payload"): m.SetPayload,
    ("PUT", f"{POINTS}/payload"): m.SetPayload,
    ("POST", f"{POINTS}/payload/delete"): m.DeletePayload,
    ("POST", f"{POINTS}/payload/clear"): m.PointIdsList | m.FilterSelector,
    ("PUT", f"{POINTS}/vectors"): m.UpdateVectors,
    ("POST", f"{POINTS}/vectors/delete"): m.DeleteVectors,
    ("POST", f"{POINTS}/batch"): m.UpdateOperations,
    ("POST", f"{POINTS}/query"): m.QueryRequest,
    ("POST", f"{POINTS}/query/batch"): m.QueryRequestBatch,
    ("POST", f"{POINTS}/query/groups"): m.QueryGroupsRequest,
    ("POST", f"{POINTS}/search/matrix/pairs"): m.SearchMatrixRequest,
    ("POST", f"{POINTS}/search/matrix/offsets"): m.SearchMatrixRequest,
}
"""What a call's body is; calls that are not named have none."""

_NUMBERS = {"type": "array", "items": {"type": "number"}}
_ID = {"anyOf": [{"type": "integer", "minimum": 0}, {"type": "string", "format": "uuid"}]}
_EXAMPLE = {"anyOf": [_ID, _NUMBERS]}
_NAMED = {
    "type": "object",
    "required": ["name", "vector"],
    "properties": {"name": {"type": "string"}, "vector": _NUMBERS},
    "additionalProperties": False,
}
_PAIR = {
    "type": "object",
    "required": ["positive", "negative"],
    "properties": {"positive": _EXAMPLE, "negative": _EXAMPLE},
    "additionalProperties": False,
}
_SELECTION = {
    "limit": {"type": "integer", "minimum": 1},
    "filter": {"$ref": REF.format(model="Filter")},
    "score_threshold": {"type": "number"},
    "with_payload": {"type": "boolean"},
    "with_vector": {"type": "boolean"},
}
_GROUPS = {"group_by": {"type": "string"}, "group_size": {"type": "integer", "minimum": 1}}
_OLD: dict[str, dict[str, Any]] = {
    "search": {"vector": {"anyOf": [_NUMBERS, _NAMED]}},
    "recommend": {
        "positive": {"type": "array", "items": _EXAMPLE},
        "negative": {"type": "array", "items": _EXAMPLE},
        "strategy": {"type": "string", "enum": ["average_vector", "best_score", "sum_scores"]},
        "using": {"type": "string"},
    },
    "discover": {
        "target": _EXAMPLE,
        "context": {"type": "array", "items": _PAIR},
        "using": {"type": "string"},
    },
}
"""What the routes that the client has left behind take besides a selection, written by hand."""

_NEEDED = {"search": ["vector", "limit"], "recommend": ["limit"], "discover": ["limit"]}


def _old_bodies() -> dict[tuple[str, str], dict[str, Any]]:
    found = {}
    for name, fields in _OLD.items():
        one = {**_object({**fields, **_SELECTION}), "required": _NEEDED[name]}
        found["POST", f"{POINTS}/{name}"] = one
        found["POST", f"{POINTS}/{name}/batch"] = {
            **_object({"searches": {"type": "array", "items": one}}),
            "required": ["searches"],
        }
        if name != "discover":
            groups = _object({**fields, **_SELECTION, **_GROUPS})
            found["POST", f"{POINTS}/{name}/groups"] = {
                **groups,
                "required": [*_NEEDED[name], "group_by", "group_size"],
            }
    return found


def _object(properties: dict[str, Any]) -> dict[str, Any]:
    return {"type": "object", "properties": properties, "additionalProperties": False}


PARAMETERS: dict[str, dict[str, Any]] = {
    "wait": {"type": "boolean"},
    "ordering": {"type": "string", "enum": ["weak", "medium", "strong"]},
    "timeout": {"type": "integer", "minimum": 1},
}
ENVELOPE = {
    "type": "object",
    "required": ["result", "status", "time"],
    "properties": {"result": {}, "status": {"const": "ok"}, "time": {"type": "number", "minimum": 0}},
}
ACCEPTED = {
    "type": "object",
    "required": ["status", "time"],
    "properties": {"status": {"const": "accepted"}, "time": {"type": "number", "minimum": 0}},
    "additionalProperties": False,
}
FAILURE = {
    "type": "object",
    "required": ["status", "time"],
    "properties": {
        "status": {"type": "object", "required": ["error"], "properties": {"error": {"type": "string"}}},
        "time": {"type": "number", "minimum": 0},
    },
}
FAILURES = {
    "400": "the body or a parameter is not what the call takes, or does not fit the collection",
    "403": "the key is missing, wrong, or may only read",
    "404": "no such collection, alias or point",
    "409": "the name is taken",
    "413": "the body is over the limit",
    "422": "a value is outside its range",
    "429": "too many requests at once",
    "501": "a real Qdrant can do this, the embedded one cannot",
}
PLAIN = ("/", "/healthz", "/livez", "/readyz", "/openapi.json")
"""Paths beside the table, which answer without the envelope."""

RAW = {
    "/metrics": "text/plain",
    "/snapshots/{snapshot_name}": "application/octet-stream",
    "/collections/{name}/snapshots/{snapshot_name}": "application/octet-stream",
}
"""What the table's calls give that answer a GET without the envelope."""


def build() -> dict[str, Any]:
    """Return the description."""
    schemas: dict[str, Any] = {"Success": ENVELOPE, "Accepted": ACCEPTED, "Failure": FAILURE}
    bodies = {**BODIES, **_old_bodies()}
    paths: dict[str, Any] = {}
    for endpoint in ENDPOINTS:
        body = bodies.get((endpoint.method, endpoint.path))
        operation = _operation(endpoint.method, endpoint.path, _summary(endpoint.answer))
        if endpoint.may_leave:
            operation["responses"]["202"] = _response("taken, with `wait=false`", "Accepted")
        if body is not None:
            operation["requestBody"] = _body(body, schemas)
        paths.setdefault(endpoint.path, {})[endpoint.method.lower()] = operation
    for path in PLAIN:
        paths[path] = {
            "get": {"operationId": f"get {path}", "responses": {"200": {"description": "as text or JSON"}}}
        }
    return {
        "openapi": "3.1.0",
        "info": {"title": "The embedded Qdrant", "version": WIRE_VERSION},
        "servers": [{"url": "http://127.0.0.1:6333"}],
        "paths": dict(sorted(paths.items())),
        "components": {
            "schemas": dict(sorted(schemas.items())),
            "securitySchemes": {"key": {"type": "apiKey", "in": "header", "name": "api-key"}},
        },
        "security": [{}, {"key": []}],
    }


def _operation(method: str, path: str, summary: str) -> dict[str, Any]:
    names = [
        {"name": name, "in": "path", "required": True, "schema": {"type": "string", "minLength": 1}}
        for name in re.findall(r"{(\w+)}", path)
    ]
    common = [{"name": name, "in": "query", "schema": schema} for name, schema in PARAMETERS.items()]
    responses = {"200": _response("done", "Success")}
    responses |= {status: _response(why, "Failure") for status, why in FAILURES.items()}
    if method == "GET" and path in RAW:
        responses["200"] = {"description": "done", "content": {RAW[path]: {}}}
    return {
        "operationId": f"{method.lower()} {path}",
        "summary": summary,
        "parameters": [*names, *common],
        "responses": responses,
    }


def _response(description: str, schema: str) -> dict[str, Any]:
    content = {"application/json": {"schema": {"$ref": REF.format(model=schema)}}}
    return {"description": description, "content": content}


def _summary(answer: Any) -> str:
    return (answer.__doc__ or answer.__name__).partition("\n")[0]


def _body(model: Any, schemas: dict[str, Any]) -> dict[str, Any]:
    written = model if isinstance(model, dict) else TypeAdapter(model).json_schema(ref_template=REF)
    schema = _without_prose(written)
    schemas.update(schema.pop("$defs", {}))
    return {"required": True, "content": {"application/json": {"schema": schema}}}


def _without_prose(schema: Any) -> Any:
    """Return a schema without descriptions, titles and defaults, whose words are others'."""
    if isinstance(schema, list):
        return [_without_prose(one) for one in schema]
    if not isinstance(schema, dict):
        return schema
    kept = {}
    for key, value in schema.items():
        if key in ("properties", "$defs"):
            kept[key] = {name: _without_prose(one) for name, one in value.items()}
        elif key not in ("description", "title", "default"):
            kept[key] = _without_prose(value)
    return kept


def text() -> str:
    """Return the description as it is stored."""
    return json.dumps(build(), separators=(",", ":")) + "\n"


if __name__ == "__main__":
    DESCRIPTION.write_text(text())
