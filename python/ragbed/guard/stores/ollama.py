"""Ollama's API, as far as identity and models go. It is only read, so it needs no marker."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ragbed.guard.stores.base import Identity, NotThere, WrongService
from ragbed.guard.stores.http import another_api, request

if TYPE_CHECKING:
    from ragbed.guard.stores.marker import Project


class OllamaStore:
    """A light client of one Ollama."""

    def __init__(self, url: str, *, timeout_s: float = 2.0) -> None:
        self.url = url
        self._timeout_s = timeout_s

    def pulse(self) -> None:
        """Return if `/api/version` answers 200."""
        answer = request(self.url, "GET", "/api/version", timeout_s=self._timeout_s)
        if answer.status >= 500:
            raise NotThere(f"/api/version answers {answer.status}")
        if answer.status != 200:
            raise another_api(answer, self.url, "/api/version", "names no version")

    def identify(self) -> Identity:
        """Return version and models, and whether it is our mock."""
        answer = request(self.url, "GET", "/api/version", timeout_s=self._timeout_s)
        if answer.status != 200 or not isinstance(answer.value, dict) or "version" not in answer.value:
            raise another_api(answer, self.url, "/api/version", "names no version")
        tags = request(self.url, "GET", "/api/tags", timeout_s=self._timeout_s)
        if tags.status != 200 or not isinstance(tags.value, dict):
            raise another_api(tags, self.url, "/api/tags", "lists no models")
        models = tags.value.get("models") or []
        if not isinstance(models, list) or not all(isinstance(one, dict) and "name" in one for one in models):
            raise WrongService("/api/tags answers no list of models")
        return Identity(
            product=answer.substitute or "ollama",
            version=str(answer.value["version"]),
            models=tuple(str(model["name"]) for model in models),
            digests={str(model["name"]): _digest(model["digest"]) for model in models if model.get("digest")},
        )

    def marker(self) -> None:
        """Return None: nothing is ever written to an LLM server, so it needs none."""

    def let_in(self, project: Project) -> None:
        """Do nothing: there is no marker."""

    def leave(self, project: Project) -> None:
        """Do nothing: there is no marker."""

    def require_writable(self) -> None:
        """Do nothing: nothing is ever written to an LLM server."""

    def contents(self) -> list[str]:
        """Return the models."""
        return [f"model {name}" for name in self.identify().models] or ["no models"]


def _digest(value: object) -> str:
    """Return a digest with its algorithm, which `/api/tags` leaves out."""
    return f"sha256:{str(value).removeprefix('sha256:')}"
