"""Collections and aliases over the wire."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from uuid import uuid4

import pytest
from qdrant_client import QdrantClient, models
from qdrant_client.http.exceptions import UnexpectedResponse

if TYPE_CHECKING:
    import httpx

DOT = models.VectorParams(size=2, distance=models.Distance.DOT)


def test_new_collection_is_listed(client: QdrantClient, plain: str) -> None:
    """What was created is in the list."""
    assert plain in {found.name for found in client.get_collections().collections}


def test_info_gives_back_the_vectors_that_were_asked_for(client: QdrantClient, name: str) -> None:
    """The configuration is echoed, as the client's models."""
    vectors = {
        "a": models.VectorParams(size=3, distance=models.Distance.EUCLID, on_disk=True),
        "b": models.VectorParams(
            size=2,
            distance=models.Distance.DOT,
            multivector_config=models.MultiVectorConfig(comparator=models.MultiVectorComparator.MAX_SIM),
        ),
    }
    sparse = {"s": models.SparseVectorParams(modifier=models.Modifier.IDF)}
    client.create_collection(
        name, vectors_config=vectors, sparse_vectors_config=sparse, hnsw_config=models.HnswConfigDiff(m=8)
    )

    config = client.get_collection(name).config

    assert (config.params.vectors, config.params.sparse_vectors) == (vectors, sparse)
    assert (config.hnsw_config.m, config.hnsw_config.ef_construct) == (8, 100)


def test_info_counts_the_points(client: QdrantClient, plain: str) -> None:
    """The count is right at once, and the collection green."""
    info = client.get_collection(plain)

    assert (info.points_count, info.status) == (6, models.CollectionStatus.GREEN)


def test_collection_exists_until_it_is_deleted(client: QdrantClient, name: str) -> None:
    """Existence follows creation and deletion."""
    seen = [client.collection_exists(name)]
    client.create_collection(name, vectors_config=DOT)
    seen.append(client.collection_exists(name))
    client.delete_collection(name)
    seen.append(client.collection_exists(name))

    assert seen == [False, True, False]


def test_deleting_what_is_not_there_says_so_without_an_error(client: QdrantClient, name: str) -> None:
    """The answer is false, the status fine."""
    assert client.delete_collection(name) is False


def test_deleted_collection_can_be_created_anew(client: QdrantClient, plain: str) -> None:
    """The new one is empty."""
    client.delete_collection(plain)
    client.create_collection(plain, vectors_config=DOT)

    assert client.count(plain).count == 0


@pytest.mark.parametrize("label", ["Ärger über Größe", "集合", "a b%20c#?".replace("?", ""), "é" * 255])
def test_names_may_be_unicode(client: QdrantClient, label: str) -> None:
    """Up to 255 characters of any script, whatever a file name may hold."""
    unique = (uuid4().hex + label)[:255]
    client.create_collection(unique, vectors_config=DOT)

    assert client.get_collection(unique).points_count == 0
    client.delete_collection(unique)


@pytest.mark.parametrize(
    ("label", "why"),
    [("n" * 256, "must be from 1 to 255 characters"), ("a*b", "cannot contain"), ("a<b", "cannot contain")],
    ids=["too long", "star", "angle"],
)
def test_bad_names_are_refused(http: httpx.Client, label: str, why: str) -> None:
    """422, with the reason."""
    answer = http.put(f"/collections/{label}", json={"vectors": {"size": 2, "distance": "Dot"}})

    assert answer.status_code == 422
    assert why in answer.json()["status"]["error"]


def test_second_creation_conflicts(client: QdrantClient, plain: str) -> None:
    """409, and the first collection stays as it was."""
    with pytest.raises(UnexpectedResponse, match="already exists!") as caught:
        client.create_collection(plain, vectors_config=DOT)

    assert caught.value.status_code == 409
    assert client.count(plain).count == 6


def test_missing_collection_is_404(http: httpx.Client) -> None:
    """In Qdrant's words."""
    answer = http.get("/collections/nowhere")

    assert answer.status_code == 404
    assert answer.json()["status"]["error"] == "Not found: Collection `nowhere` doesn't exist!"


@pytest.mark.parametrize(
    ("body", "status", "message"),
    [
        ({"vectors": {"size": 0, "distance": "Dot"}}, 400, "expected a nonzero u64 at `vectors.size`"),
        ({"vectors": {"size": 70000, "distance": "Dot"}}, 422, "must be from 1 to 65536"),
        ({"vectors": {"size": 2, "distance": "Hamming"}}, 400, "unknown variant `Hamming`"),
        ({"vectors": {"size": 2}}, 400, "missing field `distance`"),
        ({"vectors": {"size": 2, "distance": "Dot"}, "shards": 2}, 400, "unknown field `shards`"),
        ({"vectors": {"size": 2, "distance": "Dot"}, "sharding_method": "custom"}, 501, "sharding_method"),
        (
            {"vectors": {"size": 2, "distance": "Dot"}, "strict_mode_config": {"enabled": True}},
            501,
            "put a `qdrant` binary on PATH or set QDRANT_URL",
        ),
    ],
    ids=[
        "size 0",
        "size 70000",
        "distance",
        "no distance",
        "unknown",
        "sharding",
        "strict mode",
    ],
)
def test_bad_configurations_are_refused(
    http: httpx.Client, name: str, body: dict[str, Any], status: int, message: str
) -> None:
    """Each with its status and reason; nothing is created."""
    answer = http.put(f"/collections/{name}", json=body)

    assert (answer.status_code, message in answer.json()["status"]["error"]) == (status, True)
    assert http.get(f"/collections/{name}/exists").json()["result"] == {"exists": False}


def create_alias(collection: str, alias: str) -> models.CreateAliasOperation:
    """Return the action that creates an alias."""
    return models.CreateAliasOperation(
        create_alias=models.CreateAlias(collection_name=collection, alias_name=alias)
    )


def delete_alias(alias: str) -> models.DeleteAliasOperation:
    """Return the action that deletes an alias."""
    return models.DeleteAliasOperation(delete_alias=models.DeleteAlias(alias_name=alias))


def test_alias_leads_to_its_collection(client: QdrantClient, plain: str) -> None:
    """Every call takes the alias for the name."""
    client.update_collection_aliases([create_alias(plain, f"{plain}-alias")])

    assert client.count(f"{plain}-alias").count == 6
    assert client.get_collection_aliases(plain).aliases[0].alias_name == f"{plain}-alias"


def test_alias_switches_in_one_request(client: QdrantClient, plain: str) -> None:
    """Delete and create together: readers find the old collection or the new one."""
    alias, other = f"{plain}-live", f"{plain}-next"
    client.create_collection(other, vectors_config=DOT)
    client.update_collection_aliases([create_alias(plain, alias)])

    client.update_collection_aliases([delete_alias(alias), create_alias(other, alias)])

    assert client.count(alias).count == 0
    client.delete_collection(other)


def test_alias_actions_are_applied_all_or_none(client: QdrantClient, plain: str) -> None:
    """A bad action takes back the good one before it."""
    with pytest.raises(UnexpectedResponse, match="Collection `nowhere`"):
        client.update_collection_aliases([create_alias(plain, f"{plain}-x"), create_alias("nowhere", "y")])

    assert client.get_collection_aliases(plain).aliases == []


def test_alias_can_be_renamed(client: QdrantClient, plain: str) -> None:
    """The new name works, the old one does not."""
    client.update_collection_aliases([create_alias(plain, f"{plain}-old")])
    client.update_collection_aliases(
        [
            models.RenameAliasOperation(
                rename_alias=models.RenameAlias(old_alias_name=f"{plain}-old", new_alias_name=f"{plain}-new")
            )
        ]
    )

    assert [client.collection_exists(f"{plain}-{end}") for end in ("old", "new")] == [False, True]


def test_alias_goes_with_its_collection(client: QdrantClient, plain: str) -> None:
    """Deleting the collection deletes its aliases."""
    client.update_collection_aliases([create_alias(plain, f"{plain}-gone")])
    client.delete_collection(plain)

    assert f"{plain}-gone" not in {found.alias_name for found in client.get_aliases().aliases}


def test_alias_may_not_hide_a_collection(client: QdrantClient, plain: str) -> None:
    """An alias cannot take a collection's name, nor a collection an alias's."""
    client.update_collection_aliases([create_alias(plain, f"{plain}-taken")])

    with pytest.raises(UnexpectedResponse, match="already exists"):
        client.update_collection_aliases([create_alias(plain, plain)])
    with pytest.raises(UnexpectedResponse, match="Alias with the same name already exists"):
        client.create_collection(f"{plain}-taken", vectors_config=DOT)
