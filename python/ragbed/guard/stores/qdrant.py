"""Qdrant's REST API, as far as identity and marker go."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ragbed.guard.stores.base import Identity, NotThere, Unusable, WrongService
from ragbed.guard.stores.http import another_api, request
from ragbed.guard.stores.marker import MARKER, Marker, names_by_id

if TYPE_CHECKING:
    from ragbed.guard.stores.marker import Project
    from ragbed.http import HttpAnswer

_ABSENT = f"{MARKER}_absent"
"""A collection that no ragbed makes."""


class QdrantStore:
    """A light client of one Qdrant."""

    def __init__(self, url: str, *, api_key: str = "", timeout_s: float = 2.0) -> None:
        self.url = url
        self._api_key = api_key
        self._timeout_s = timeout_s

    def pulse(self) -> None:
        """Return if `/readyz` answers 200, or it is one of before there was that path."""
        answer = self._ask("GET", "/readyz")
        if answer.status >= 500:
            raise NotThere(f"/readyz answers {answer.status}")
        if answer.status == 404:
            self.identify()
        elif answer.status != 200:
            raise another_api(answer, self.url, "/readyz", "is not ready")

    def identify(self) -> Identity:
        """Return the version that `/` names, and whether it is our embedded one."""
        answer = self._ask("GET", "/")
        if not isinstance(answer.value, dict) or "qdrant" not in str(answer.value.get("title", "")).lower():
            raise another_api(answer, self.url, "/", "does not name Qdrant")
        return Identity(product=answer.substitute or "qdrant", version=str(answer.value.get("version", "?")))

    def marker(self) -> Marker | None:
        """Return what the metadata of the marker's collection says; None where there is no such collection."""
        answer = self._ask("GET", f"/collections/{MARKER}")
        if answer.status == 404:
            return None
        self._expect(answer, "show the marker")
        return Marker(names_by_id(self._result(answer, "config").get("metadata")))

    def let_in(self, project: Project) -> None:
        """Write a project into the metadata of the marker's collection; create that where it is missing."""
        named = {"metadata": {project.id: project.name}}
        empty = {"vectors": {"size": 1, "distance": "Dot"}}
        answer = self._ask("PUT", f"/collections/{MARKER}", body=empty | named)
        if answer.status not in {400, 409}:  # it is there; servers differ in how they say so
            self._expect(answer, "write the marker")
            return
        # The server merges metadata by key, so two projects that come at once are both let in.
        self._expect(self._ask("PATCH", f"/collections/{MARKER}", body=named), "write the marker")

    def leave(self, project: Project) -> None:
        """Take a project out of the metadata, and delete the collection where it names no other."""
        marker = self.marker()
        if marker is None:
            return
        if set(marker.projects) <= {project.id}:
            self._expect(self._ask("DELETE", f"/collections/{MARKER}"), "delete the marker")
            return
        body = {"metadata": {project.id: None}}
        self._expect(self._ask("PATCH", f"/collections/{MARKER}", body=body), "change the marker")

    def require_writable(self) -> None:
        """Ask for a change of a collection that does not exist: a server looks at the key's rights first.

        Raises:
            Unusable: The key may only read.
        """
        answer = self._ask("PATCH", f"/collections/{_ABSENT}", body={})
        if answer.status in {401, 403}:
            self._expect(answer, "take a change")

    def contents(self) -> list[str]:
        """Return the collections."""
        answer = self._ask("GET", "/collections")
        self._expect(answer, "list the collections")
        names = [entry["name"] for entry in self._result(answer, "collections")]
        return [f"collection {name}" for name in names] or ["no collections"]

    def _ask(self, method: str, path: str, *, body: object = None) -> HttpAnswer:
        return request(self.url, method, path, body=body, api_key=self._api_key, timeout_s=self._timeout_s)

    def _expect(self, answer: HttpAnswer, what: str) -> None:
        if answer.status == 401:
            raise _refused_key(given=bool(self._api_key))
        if answer.status == 403:
            raise Unusable(
                "its API key may only read (HTTP 403)", hint="set QDRANT_API_KEY to a key that may write"
            )
        if answer.status != 200 or not isinstance(answer.value, dict):
            raise WrongService(f"it would not {what}: HTTP {answer.status}, {str(answer.value)[:120]}")

    def _result(self, answer: HttpAnswer, name: str) -> Any:
        result = answer.value.get("result")
        if not isinstance(result, dict) or name not in result:
            raise WrongService(f"its answer has no {name}, as Qdrant's has")
        return result[name]


def _refused_key(*, given: bool) -> Unusable:
    if given:
        return Unusable("it refuses the API key (HTTP 401)", hint="correct QDRANT_API_KEY")
    hint = "set QDRANT_API_KEY in the place where {named} is set"
    return Unusable("it needs an API key, and none was given with the address (HTTP 401)", hint=hint)
