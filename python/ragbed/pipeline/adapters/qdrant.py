"""The index in Qdrant: collections behind an alias, each with dense and sparse vectors."""

from __future__ import annotations

import secrets
from contextlib import contextmanager
from functools import cached_property
from typing import TYPE_CHECKING, Any

from ragbed.errors import IndexFailed, ServiceMissing
from ragbed.guard.stores import read_note
from ragbed.pipeline.adapters.http import ask_service
from ragbed.pipeline.ownership import require_own
from ragbed.pipeline.ports import Hit
from ragbed.pipeline.records import FILTER_FIELDS

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from qdrant_client import QdrantClient, models

    from ragbed.pipeline.config import PipelineConfig
    from ragbed.pipeline.ports import Filters, IndexPoint, SparseVector
    from ragbed.pipeline.records import Vector

DENSE, SPARSE = "dense", "sparse"
NOTE = "ragbed"
"""Key in a collection's metadata; its value says whose the collection is."""

_UP = "ragbed up starts the services, ragbed status shows them"


class QdrantIndex:
    """The collections of one namespace.

    What reads asks by plain HTTP: a question and an unchanged ingest need nothing else, and the client takes 0.7 s to
    import.

    Args:
        config: Address, key and namespace.
    """

    def __init__(self, config: PipelineConfig) -> None:
        self._config = config
        # The dash keeps namespaces apart: names of namespaces have none.
        self._prefix = f"{config.alias}-"

    @cached_property
    def _client(self) -> QdrantClient:
        from qdrant_client import QdrantClient  # noqa: PLC0415 - 0.7 s to import

        return QdrantClient(
            url=self._config.stores.qdrant_url,
            api_key=self._config.stores.qdrant_api_key,
            timeout=round(self._config.limits.embed_timeout_s),
            check_compatibility=False,  # the stack has compared versions with the pins
            trust_env=False,
        )

    def live(self) -> str | None:
        """Return the collection that the alias names, or None; refuse one of another project."""
        aliases = self._get("GET", "/aliases")["aliases"]
        names = [item["collection_name"] for item in aliases if item["alias_name"] == self._config.alias]
        if not names:
            return None
        require_own(self._config, self._note(names[0]) or "", store="Qdrant")
        return str(names[0])

    def _note(self, collection: str) -> str | None:
        """Return what the metadata of a collection says of its project; None when there is no such collection."""
        found = self._get("GET", f"/collections/{collection}")
        return None if found is None else str((found["config"].get("metadata") or {}).get(NOTE, ""))

    def _is_own(self, collection: str) -> bool:
        owner = read_note(self._note(collection))
        return (owner[0] if owner else "") == self._config.project_id

    def count(self, collection: str) -> int | None:
        """Return the exact number of points, or None when there is no such collection.

        The collection's own `points_count` is an estimate on a server that optimizes meanwhile.
        """
        result = self._get("POST", f"/collections/{collection}/points/count", {"exact": True})
        return None if result is None else int(result["count"])

    def create(self, dimensions: int) -> str:
        """Create an empty collection that the alias does not name yet, and return its name."""
        from qdrant_client import models  # noqa: PLC0415 - 0.7 s to import

        name = f"{self._prefix}{secrets.token_hex(4)}"
        with _translated(f"creating collection {name}"):
            self._client.create_collection(
                name,
                vectors_config={DENSE: models.VectorParams(size=dimensions, distance=models.Distance.COSINE)},
                sparse_vectors_config={SPARSE: models.SparseVectorParams(modifier=models.Modifier.IDF)},
                metadata={NOTE: self._config.note} if self._config.note else None,
            )
            for field in FILTER_FIELDS:
                self._client.create_payload_index(name, field, models.PayloadSchemaType.KEYWORD, wait=True)
        return name

    def publish(self, collection: str) -> None:
        """Point the alias at a collection, in one step; refuse an alias that names another project's."""
        from qdrant_client import models  # noqa: PLC0415 - 0.7 s to import

        alias = self._config.alias
        switch: list[Any] = []
        if self.live() is not None:
            switch.append(models.DeleteAliasOperation(delete_alias=models.DeleteAlias(alias_name=alias)))
        create = models.CreateAlias(collection_name=collection, alias_name=alias)
        switch.append(models.CreateAliasOperation(create_alias=create))
        with _translated(f"pointing {alias} at {collection}"):
            self._client.update_collection_aliases(change_aliases_operations=switch)

    def forget_others(self, collection: str) -> None:
        """Delete the project's other collections of this namespace."""
        with _translated(f"deleting what {collection} replaces"):
            for name in self._collections():
                if name != collection:
                    self._client.delete_collection(name)

    def upsert(self, collection: str, points: Sequence[IndexPoint]) -> None:
        """Write points; once it returns they survive a kill."""
        from qdrant_client import models  # noqa: PLC0415 - 0.7 s to import

        structs = [
            models.PointStruct(
                id=point.id,
                vector={DENSE: point.dense, SPARSE: _sparse(point.sparse)},
                payload=dict(point.payload),
            )
            for point in points
        ]
        with _translated(f"writing {len(structs)} points to {collection}"):
            self._client.upsert(collection, structs, wait=True)

    def delete(self, collection: str, documents: Sequence[str], *, keep: Sequence[str] = ()) -> None:
        """Delete the points of documents, except the ids in `keep`."""
        from qdrant_client import models  # noqa: PLC0415 - 0.7 s to import

        wanted = models.FieldCondition(key="document", match=models.MatchAny(any=list(documents)))
        kept = models.HasIdCondition(has_id=list(keep))
        chosen = models.Filter(must=[wanted], must_not=[kept] if keep else None)
        with _translated(f"deleting points of {len(documents)} documents from {collection}"):
            self._client.delete(collection, models.FilterSelector(filter=chosen), wait=True)

    def search(
        self, collection: str, dense: Vector, sparse: SparseVector, *, limit: int, filters: Filters
    ) -> tuple[list[Hit], list[Hit]]:
        """Return the best hits by cosine and the best by BM25, each best first; one request."""
        queries: list[tuple[str, object]] = [(DENSE, dense)]
        if sparse:  # a question of stop words has no terms, and an empty sparse vector finds nothing
            ids = sorted(sparse)
            queries.append((SPARSE, {"indices": ids, "values": [sparse[term] for term in ids]}))
        rest = {"limit": limit, "with_payload": True, **_filter(filters)}
        searches = [{"query": query, "using": name, **rest} for name, query in queries]
        answers = self._get(
            "POST",
            f"/collections/{collection}/points/query/batch",
            {"searches": searches},
            timeout_s=self._config.limits.embed_timeout_s,
        )
        if answers is None:
            raise IndexFailed(
                f"Qdrant has no collection {collection}", hint="ragbed ingest FOLDER builds the index"
            )
        hits = [[_hit(point) for point in answer["points"]] for answer in answers]
        return hits[0], hits[1] if sparse else []

    def drop(self) -> None:
        """Delete the alias and the project's collections of this namespace; refuse another project's alias."""
        from qdrant_client import models  # noqa: PLC0415 - 0.7 s to import

        alias = models.DeleteAlias(alias_name=self._config.alias)
        with _translated(f"dropping {self._config.alias}"):
            if self.live() is not None:
                self._client.update_collection_aliases([models.DeleteAliasOperation(delete_alias=alias)])
            for name in self._collections():
                self._client.delete_collection(name)

    def close(self) -> None:
        """Close connections; doing it twice is harmless."""
        if "_client" in self.__dict__:
            self._client.close()

    def _collections(self) -> list[str]:
        """Return the project's collections of this namespace, one that was taken over from an older ragbed too."""
        names = [item.name for item in self._client.get_collections().collections]
        prefixes = (self._prefix, f"ragbed_{self._config.namespace}-")
        return [name for name in names if name.startswith(prefixes) and self._is_own(name)]

    def _get(self, method: str, path: str, body: object = None, *, timeout_s: float | None = None) -> Any:
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


@contextmanager
def _translated(what: str) -> Iterator[None]:
    """Turn the client's errors into ours."""
    from qdrant_client.http.exceptions import (  # noqa: PLC0415 - 0.7 s to import
        ApiException,
        ResponseHandlingException,
        UnexpectedResponse,
    )

    try:
        yield
    except ResponseHandlingException as error:
        raise ServiceMissing(f"Qdrant did not answer while {what}: {error.source}", hint=_UP) from error
    except UnexpectedResponse as error:
        hint = "ragbed ingest FOLDER builds the index" if error.status_code == 404 else ""
        raise IndexFailed(
            f"Qdrant refused {what}: {error.status_code} {_problem(_structured(error))}", hint=hint
        ) from error
    except ApiException as error:
        raise IndexFailed(f"Qdrant refused {what}: {error}") from error


def _structured(error: Any) -> Any:
    try:
        return error.structured()
    except ValueError:
        return None


def _problem(answer: object) -> str:
    status = answer.get("status") if isinstance(answer, dict) else None
    return str(status.get("error", status)) if isinstance(status, dict) else "no reason given"


def _sparse(weights: SparseVector) -> models.SparseVector:
    from qdrant_client import models  # noqa: PLC0415 - 0.7 s to import

    ids = sorted(weights)
    return models.SparseVector(indices=ids, values=[weights[term] for term in ids])


def _filter(filters: Filters) -> dict[str, Any]:
    """Return filters as a member of a request; nothing where there are none."""
    if not filters:
        return {}
    must = [{"key": field, "match": {"any": list(values)}} for field, values in filters.items()]
    return {"filter": {"must": must}}


def _hit(point: Mapping[str, Any]) -> Hit:
    return Hit(id=str(point["id"]), score=float(point["score"]), payload=point.get("payload") or {})
