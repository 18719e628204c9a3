"""The index in Qdrant: collections behind an alias, each with dense and sparse vectors."""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from ragbed.errors import IndexFailed
from ragbed.guard.stores import read_note
from ragbed.pipeline.adapters.http import ask_service
from ragbed.pipeline.ownership import require_own
from ragbed.pipeline.ports import Hit
from ragbed.pipeline.records import FILTER_FIELDS

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from ragbed.pipeline.config import PipelineConfig
    from ragbed.pipeline.ports import Filters, IndexPoint, SparseVector
    from ragbed.pipeline.records import Vector

DENSE, SPARSE = "dense", "sparse"
NOTE = "ragbed"
"""Key in a collection's metadata; its value says whose the collection is."""
_BUILD = "ragbed ingest FOLDER builds the index"


class QdrantIndex:
    """The collections of one namespace.

    It asks by plain HTTP: the dozen requests are short, and qdrant-client takes 0.9 s of processor time to import.

    Args:
        config: Address, key and namespace.
    """

    def __init__(self, config: PipelineConfig) -> None:
        self._config = config
        # The dash keeps namespaces apart: names of namespaces have none.
        self._prefix = f"{config.alias}-"

    def live(self) -> str | None:
        """Return the collection that the alias names, or None; refuse one of another project."""
        aliases = self._ask("GET", "/aliases")["aliases"]
        names = [item["collection_name"] for item in aliases if item["alias_name"] == self._config.alias]
        if not names:
            return None
        require_own(self._config, self._note(names[0]) or "", store="Qdrant")
        return str(names[0])

    def _note(self, collection: str) -> str | None:
        """Return what the metadata of a collection says of its project; None when there is no such collection."""
        described = self._ask("GET", _collection(collection))
        return None if described is None else str((described["config"].get("metadata") or {}).get(NOTE, ""))

    def _is_own(self, collection: str) -> bool:
        owner = read_note(self._note(collection))
        return (owner[0] if owner else "") == self._config.project_id

    def count(self, collection: str) -> int | None:
        """Return the exact number of points, or None when there is no such collection.

        The collection's own `points_count` is an estimate on a server that optimizes meanwhile.
        """
        result = self._ask("POST", _collection(collection, "/points/count"), {"exact": True})
        return None if result is None else int(result["count"])

    def create(self, dimensions: int) -> str:
        """Create an empty collection that the alias does not name yet, and return its name."""
        name = f"{self._prefix}{secrets.token_hex(4)}"
        form = {
            "vectors": {DENSE: {"size": dimensions, "distance": "Cosine"}},
            "sparse_vectors": {SPARSE: {"modifier": "idf"}},
            **({"metadata": {NOTE: self._config.note}} if self._config.note else {}),
        }
        self._write("PUT", _collection(name), form)
        for field in FILTER_FIELDS:
            index = {"field_name": field, "field_schema": "keyword"}
            self._write("PUT", _collection(name, "/index?wait=true"), index)
        return name

    def publish(self, collection: str) -> None:
        """Point the alias at a collection, in one step; refuse an alias that names another project's."""
        alias = self._config.alias
        switch: list[dict[str, object]] = []
        if self.live() is not None:
            switch.append({"delete_alias": {"alias_name": alias}})
        switch.append({"create_alias": {"collection_name": collection, "alias_name": alias}})
        self._write("POST", "/collections/aliases", {"actions": switch})

    def forget_others(self, collection: str) -> None:
        """Delete the project's other collections of this namespace."""
        for name in self._collections():
            if name != collection:
                self._write("DELETE", _collection(name))

    def upsert(self, collection: str, points: Sequence[IndexPoint]) -> None:
        """Write points; once it returns they survive a kill."""
        rows = [
            {
                "id": point.id,
                "vector": {DENSE: point.dense, SPARSE: _sparse(point.sparse)},
                "payload": dict(point.payload),
            }
            for point in points
        ]
        self._write("PUT", _collection(collection, "/points?wait=true"), {"points": rows})

    def delete(self, collection: str, documents: Sequence[str], *, keep: Sequence[str] = ()) -> None:
        """Delete the points of documents, except the ids in `keep`."""
        chosen: dict[str, object] = {"must": [{"key": "document", "match": {"any": list(documents)}}]}
        if keep:
            chosen["must_not"] = [{"has_id": list(keep)}]
        self._write("POST", _collection(collection, "/points/delete?wait=true"), {"filter": chosen})

    def search(
        self, collection: str, dense: Vector, sparse: SparseVector, *, limit: int, filters: Filters
    ) -> tuple[list[Hit], list[Hit]]:
        """Return the best hits by cosine and the best by BM25, each best first; one request."""
        queries: list[tuple[str, object]] = [(DENSE, dense)]
        if sparse:  # a question of stop words has no terms, and an empty sparse vector finds nothing
            queries.append((SPARSE, _sparse(sparse)))
        rest = {"limit": limit, "with_payload": True, **_filter(filters)}
        searches = [{"query": query, "using": name, **rest} for name, query in queries]
        answers = self._ask(
            "POST",
            _collection(collection, "/points/query/batch"),
            {"searches": searches},
            timeout_s=self._config.limits.embed_timeout_s,
        )
        if answers is None:
            raise IndexFailed(f"Qdrant has no collection {collection}", hint=_BUILD)
        hits = [[_hit(point) for point in answer["points"]] for answer in answers]
        return hits[0], hits[1] if sparse else []

    def drop(self) -> None:
        """Delete the alias and the project's collections of this namespace; refuse another project's alias."""
        if self.live() is not None:
            alias = {"delete_alias": {"alias_name": self._config.alias}}
            self._write("POST", "/collections/aliases", {"actions": [alias]})
        for name in self._collections():
            self._write("DELETE", _collection(name))

    def close(self) -> None:
        """Close connections: each request has one of its own."""

    def _collections(self) -> list[str]:
        """Return the project's collections of this namespace, one that was taken over from an older ragbed too."""
        names = [item["name"] for item in self._ask("GET", "/collections")["collections"]]
        prefixes = (self._prefix, f"ragbed_{self._config.namespace}-")
        return [name for name in names if name.startswith(prefixes) and self._is_own(name)]

    def _write(self, method: str, path: str, body: object = None) -> None:
        """Change something; what takes long on a busy server is waited for as long as an embedding is.

        Raises:
            IndexFailed: Qdrant refuses, or has no such collection.
            ServiceMissing: It does not answer.
        """
        if self._ask(method, path, body, timeout_s=self._config.limits.embed_timeout_s) is None:
            raise IndexFailed(f"Qdrant answered 404 to {method} {path}: no such collection", hint=_BUILD)

    def _ask(self, method: str, path: str, body: object = None, *, timeout_s: float | None = None) -> Any:
        """Return the result that Qdrant gives; None where it has no such collection."""
        key = self._config.stores.qdrant_api_key
        answer = ask_service(
            method,
            self._config.stores.qdrant_url.rstrip("/") + path,
            service="Qdrant",
            body=body,
            headers={"api-key": key} if key else None,
            timeout_s=timeout_s or self._config.limits.connect_timeout_s,
        )
        if answer.status == 404:
            return None
        if answer.status != 200 or not isinstance(answer.value, dict):
            raise IndexFailed(f"Qdrant answered {answer.status} to {method} {path}: {_problem(answer.value)}")
        return answer.value["result"]


def _collection(name: str, path: str = "") -> str:
    """Return the path of a collection, or of what is below it."""
    return f"/collections/{quote(name, safe='')}{path}"


def _problem(answer: object) -> str:
    status = answer.get("status") if isinstance(answer, dict) else None
    return str(status.get("error", status)) if isinstance(status, dict) else "no reason given"


def _sparse(weights: SparseVector) -> dict[str, object]:
    ids = sorted(weights)
    return {"indices": ids, "values": [weights[term] for term in ids]}


def _filter(filters: Filters) -> dict[str, Any]:
    """Return filters as a member of a request; nothing where there are none."""
    if not filters:
        return {}
    must = [{"key": field, "match": {"any": list(values)}} for field, values in filters.items()]
    return {"filter": {"must": must}}


def _hit(point: Mapping[str, Any]) -> Hit:
    return Hit(id=str(point["id"]), score=float(point["score"]), payload=point.get("payload") or {})
