"""Which function a method and a path lead to."""

from __future__ import annotations

import pytest

from ragbed.qdrant.routes import Routes

ROUTES = Routes(
    [
        ("GET", "/collections", "list"),
        ("GET", "/collections/{name}", "info"),
        ("PUT", "/collections/{name}", "create"),
        ("POST", "/collections/aliases", "aliases"),
        ("GET", "/collections/{name}/points/{id}", "point"),
        ("POST", "/collections/{name}/points/query", "query"),
        ("POST", "/collections/{name}/points/query/batch", "batch"),
    ]
)


@pytest.mark.parametrize(
    ("method", "path", "found"),
    [
        ("GET", "/collections", ("list", {})),
        ("GET", "/collections/a", ("info", {"name": "a"})),
        ("PUT", "/collections/ä b", ("create", {"name": "ä b"})),
        ("POST", "/collections/aliases", ("aliases", {})),
        ("GET", "/collections/aliases", ("info", {"name": "aliases"})),
        ("GET", "/collections/query/points/7", ("point", {"name": "query", "id": "7"})),
        ("GET", "/collections/a/points/query", ("point", {"name": "a", "id": "query"})),
        ("POST", "/collections/a/points/query/batch", ("batch", {"name": "a"})),
        ("DELETE", "/collections/a", None),
        ("GET", "/collections/", ("list", {})),
        ("GET", "//collections//a//", ("info", {"name": "a"})),
        ("GET", "/collections//points/7", None),
        ("GET", "/nowhere", None),
        ("GET", "/", None),
        ("GET", "/collections/a/points/query/batch/more", None),
    ],
)
def test_path_leads_to_its_function(method: str, path: str, found: object) -> None:
    """A fixed part goes before a name; a slash at the end or one too many is overlooked."""
    assert ROUTES.find(method, path) == found
