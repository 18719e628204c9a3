"""What plain HTTP gives where Qdrant's clients always say more, or never ask."""

from __future__ import annotations

import gzip
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    import httpx


def test_points_come_without_payload_and_vector_unless_asked(http: httpx.Client, plain: str) -> None:
    """As from a real server, whatever its description says."""
    answer = http.post(f"/collections/{plain}/points", json={"ids": [1]})

    assert answer.json()["result"] == [{"id": 1}]


def test_an_alias_has_no_aliases(http: httpx.Client, plain: str) -> None:
    """Only the collection behind it has."""
    alias = f"{plain}-alias"
    create = {"create_alias": {"collection_name": plain, "alias_name": alias}}
    http.post("/collections/aliases", json={"actions": [create]}).raise_for_status()

    listed = [http.get(f"/collections/{name}/aliases").json()["result"] for name in (plain, alias)]

    assert [[one["alias_name"] for one in found["aliases"]] for found in listed] == [[alias], []]


@pytest.mark.parametrize(
    "schema",
    [
        {"stopwords": "de"},
        {"stopwords": {"languages": ["de"]}},
        {"stemmer": {"type": "snowball", "language": "de"}},
    ],
    ids=["stop words", "several", "stemmer"],
)
def test_a_language_may_be_named_by_its_code(
    http: httpx.Client, plain: str, schema: dict[str, object]
) -> None:
    """It is shown by its name."""
    index = {"field_name": "text", "field_schema": {"type": "text", **schema}}

    http.put(f"/collections/{plain}/index?wait=true", json=index).raise_for_status()

    shown = http.get(f"/collections/{plain}").json()["result"]["payload_schema"]["text"]["params"]
    assert "german" in str(shown)


def test_a_packed_body_is_refused_in_words(http: httpx.Client, plain: str) -> None:
    """Not as broken JSON."""
    path, packed = f"/collections/{plain}/points/count", gzip.compress(b"{}")

    answers = [
        http.post(path, content=body, headers={"content-encoding": encoding})
        for body, encoding in ((packed, "gzip"), (b"{}", "identity"))
    ]

    assert [answer.status_code for answer in answers] == [501, 200]
    assert "`content-encoding: gzip`" in answers[0].json()["status"]["error"]
