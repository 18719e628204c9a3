"""Qdrant's REST API, as far as identity and marker go."""

from __future__ import annotations

from ragbed.guard.stores.base import MARKER, Identity, NotThere, WrongService
from ragbed.guard.stores.http import Answer, request


class QdrantStore:
    """A light client of one Qdrant."""

    def __init__(self, url: str, *, api_key: str = "", timeout_s: float = 2.0) -> None:
        self.url = url
        self._api_key = api_key
        self._timeout_s = timeout_s

    def pulse(self) -> None:
        """Return if `/readyz` answers 200."""
        answer = self._ask("GET", "/readyz")
        if answer.status != 200:
            raise NotThere(f"/readyz answers {answer.status}")

    def identify(self) -> Identity:
        """Return the version that `/` names, and whether it is our embedded one."""
        answer = self._ask("GET", "/")
        if not isinstance(answer.value, dict) or "qdrant" not in str(answer.value.get("title", "")).lower():
            raise WrongService(f"/ answers {answer.status} and does not name Qdrant")
        return Identity(product=answer.substitute or "qdrant", version=str(answer.value.get("version", "?")))

    def is_marked(self) -> bool:
        """Tell whether the marker's collection is there."""
        answer = self._ask("GET", f"/collections/{MARKER}/exists")
        self._expect(answer, "look for the marker")
        return bool(answer.value["result"]["exists"])

    def mark(self, note: str) -> None:
        """Create the marker's collection; a collection carries no note."""
        del note
        body = {"vectors": {"size": 1, "distance": "Dot"}}
        answer = self._ask("PUT", f"/collections/{MARKER}", body=body)
        if answer.status not in {200, 409}:
            self._expect(answer, "write the marker")

    def contents(self) -> list[str]:
        """Return the collections."""
        answer = self._ask("GET", "/collections")
        self._expect(answer, "list the collections")
        names = [entry["name"] for entry in answer.value["result"]["collections"]]
        return [f"collection {name}" for name in names] or ["no collections"]

    def _ask(self, method: str, path: str, *, body: object = None) -> Answer:
        return request(self.url, method, path, body=body, api_key=self._api_key, timeout_s=self._timeout_s)

    def _expect(self, answer: Answer, what: str) -> None:
        if answer.status in {401, 403}:
            raise WrongService(f"it refused the api key (HTTP {answer.status})")
        if answer.status != 200 or not isinstance(answer.value, dict):
            raise WrongService(f"it would not {what}: HTTP {answer.status}, {str(answer.value)[:120]}")
