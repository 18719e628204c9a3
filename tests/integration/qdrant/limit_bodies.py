"""Bodies at the limits of the engine, for every call that writes.

Depth, sizes, numbers, names, ids, vectors, filters and paths into a payload.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from limit_parts import SIZE, Parts, Written, as_json
from limit_values import NUMBERS

if TYPE_CHECKING:
    from collections.abc import Callable
    from random import Random

VECTORS = {
    "dense": {"size": SIZE, "distance": "Cosine"},
    "rows": {"size": 2, "distance": "Dot", "multivector_config": {"comparator": "max_sim"}},
    "far": {"size": SIZE, "distance": "Euclid"},
}
CONFIG = {"vectors": VECTORS, "sparse_vectors": {"words": {}, "idf": {"modifier": "idf"}}}


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """One call.

    Attributes:
        method: HTTP method.
        path: Path and query, encoded.
        body: What is sent.
        about: What it is, for messages.
    """

    method: str
    path: str
    body: bytes
    about: str


class Bodies(Parts):
    """Generates requests on a collection.

    Args:
        random: As for `Parts`.
        collection: Its name.
    """

    def __init__(self, random: Random, collection: str) -> None:
        super().__init__(random)
        self._at = f"/collections/{collection}"
        self._collection = collection

    def request(self) -> Request:
        """Return the next request."""
        make = self._random.choice(self._kinds)
        method, path, body = make(self)
        raw = as_json(body).encode("utf-8", "surrogatepass")
        about = f"{make.__name__.strip('_')}: {method} {path[:90]} {len(raw)} bytes {raw[:160]!r}"
        return Request(method=method, path=path, body=raw, about=about)

    def _upsert(self) -> tuple[str, str, Any]:
        return "PUT", f"{self._at}/points?wait=true", self._upserted()

    def _upserted(self) -> dict[str, Any]:
        points = [self.point() for _ in range(self._random.choice((1, 1, 2, 20)))]
        body: dict[str, Any] = {"points": points}
        if self._random.random() < 0.3:
            ids = [point["id"] for point in points]
            payloads = [point["payload"] for point in points]
            body = {
                "batch": {
                    "ids": ids,
                    "payloads": payloads,
                    "vectors": {"dense": [self.row() for _ in points]},
                }
            }
        if self._random.random() < 0.2:
            body["update_filter"] = self.filter()
        if self._random.random() < 0.2:
            body["update_mode"] = self._random.choice(("upsert", "insert_only", "update_only"))
        return body

    def _payload(self) -> tuple[str, str, Any]:
        return self._random.choice(("PUT", "POST")), f"{self._at}/points/payload?wait=true", self._set()

    def _set(self) -> dict[str, Any]:
        body = {"payload": self.payload(), **self._target()}
        if self._random.random() < 0.5:
            body["key"] = self.text()
        return body

    def _delete_payload(self) -> tuple[str, str, Any]:
        keys = [self.text() for _ in range(2)]
        return "POST", f"{self._at}/points/payload/delete?wait=true", {"keys": keys, **self._target()}

    def _clear_payload(self) -> tuple[str, str, Any]:
        return "POST", f"{self._at}/points/payload/clear?wait=true", {"filter": self.filter()}

    def _delete(self) -> tuple[str, str, Any]:
        return "POST", f"{self._at}/points/delete?wait=true", self._target()

    def _update_vectors(self) -> tuple[str, str, Any]:
        return "PUT", f"{self._at}/points/vectors?wait=true", self._updated_vectors()

    def _updated_vectors(self) -> dict[str, Any]:
        body: dict[str, Any] = {
            "points": [{"id": self.point_id(), "vector": self.vectors()} for _ in range(2)]
        }
        if self._random.random() < 0.4:
            body["update_filter"] = self.filter()
        return body

    def _delete_vectors(self) -> tuple[str, str, Any]:
        names = [self._random.choice(("dense", "words", "rows", self.text()))]
        return "POST", f"{self._at}/points/vectors/delete?wait=true", {"vector": names, **self._target()}

    def _batch(self) -> tuple[str, str, Any]:
        makers: tuple[Callable[[], dict[str, Any]], ...] = (
            lambda: {"upsert": self._upserted()},
            lambda: {"set_payload": self._set()},
            lambda: {"overwrite_payload": self._set()},
            lambda: {"delete_payload": {"keys": [self.text()], **self._target()}},
            lambda: {"clear_payload": self._target()},
            lambda: {"update_vectors": self._updated_vectors()},
            lambda: {"delete": self._target()},
        )
        count = self._random.choice((1, 3, 3, 300))
        operations = [self._random.choice(makers)() for _ in range(min(count, 5))]
        return "POST", f"{self._at}/points/batch?wait=true", {"operations": operations * (count // 5 or 1)}

    def _index(self) -> tuple[str, str, Any]:
        kinds = ("keyword", "integer", "float", "geo", "text", "bool", "datetime", "uuid")
        schema: Any = self._random.choice(
            (*kinds, {"type": "text", "min_token_len": 2**63, "max_token_len": 0})
        )
        name = self.text() if self._random.random() < 0.6 else "n"
        return "PUT", f"{self._at}/index?wait=true", {"field_name": name, "field_schema": schema}

    def _drop_index(self) -> tuple[str, str, Any]:
        return (
            "DELETE",
            f"{self._at}/index/{quote(self.text().encode('utf-8', 'replace')[:2000], safe='')}",
            {},
        )

    def _patch(self) -> tuple[str, str, Any]:
        number = Written(self._random.choice(NUMBERS))
        changes = (
            {"metadata": self.payload()},
            {"optimizers_config": {"indexing_threshold": number}},
            {"hnsw_config": {"m": number}},
            {"params": {"read_fan_out_factor": number}},
            {"optimizers_config": {"deleted_threshold": number}},
            self.nested(),
        )
        return "PATCH", self._at, self._random.choice(changes)

    def _vector(self) -> tuple[str, str, Any]:
        name = quote(self.text().encode("utf-8", "replace")[:2000], safe="")
        kind = self._random.choice(({"dense": {"size": 2, "distance": "Dot"}}, {"sparse": {}}, self.nested()))
        return self._random.choice(("PUT", "DELETE")), f"{self._at}/vectors/{name}", kind

    def _alias(self) -> tuple[str, str, Any]:
        create = {"create_alias": {"alias_name": self.text(), "collection_name": self._collection}}
        rename = {"rename_alias": {"old_alias_name": self.text(), "new_alias_name": self.text()}}
        actions = [self._random.choice((create, rename, {"delete_alias": {"alias_name": self.text()}}))]
        return "POST", "/collections/aliases", {"actions": actions * self._random.choice((1, 1, 1000))}

    def _create(self) -> tuple[str, str, Any]:
        name = quote(self.text().encode("utf-8", "replace")[:2000], safe="")
        size = Written(self._random.choice((*NUMBERS, "65535", "65536", "65537")))
        vectors = self._random.choice(
            ({"size": size, "distance": "Dot"}, {self.text(): {"size": 1, "distance": "Dot"}})
        )
        body = {"vectors": vectors}
        if self._random.random() < 0.3:
            body["metadata"] = self.payload()
        return "PUT", f"/collections/{name}", body

    def _snapshot(self) -> tuple[str, str, Any]:
        return "POST", f"{self._at}/snapshots", {}

    def _read(self) -> tuple[str, str, Any]:
        deep = self._random.choice((60, 63, 64, 65, 123, 124, 125))
        prefetch = Written('{"prefetch":' * deep + '{"using":"far","query":[1,2,3,4]}' + "}" * deep)
        reads = (
            ("scroll", {"filter": self.filter()}),
            ("count", {"filter": self.filter()}),
            ("query", {"query": self.row(), "using": "far", "filter": self.filter()}),
            ("query", self.nested()),
            (
                "query",
                {"query": {"formula": self.nested()}, "prefetch": {"query": self.row(), "using": "far"}},
            ),
            ("query", {"prefetch": prefetch, "query": {"fusion": "rrf"}}),
            ("scroll", {"order_by": self.text()}),
            ("facet", {"key": self.text()}),
            ("scroll", {"with_payload": [self.text()], "limit": Written(self._random.choice(NUMBERS))}),
        )
        call, body = self._random.choice(reads)
        return "POST", f"{self._at}/{'facet' if call == 'facet' else f'points/{call}'}", body

    _kinds = (
        *(_upsert, _upsert, _upsert, _upsert, _payload, _payload, _payload, _batch, _batch),
        *(_delete_payload, _clear_payload, _delete, _update_vectors, _delete_vectors, _index),
        *(_drop_index, _patch, _vector, _alias, _create, _snapshot, _read, _read),
    )  # fmt: skip
