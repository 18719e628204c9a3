"""Which layer a test is of, and which services it needs."""

from __future__ import annotations

from pathlib import PurePath

import pytest

AIMS = {"unit": (80, 120.0), "integration": (15, 300.0), "e2e": (5, 600.0)}
"""By layer: how many tests of a hundred are aimed at, and seconds that its suite may take."""

MARKERS = {
    "unit": "tests one part on this machine alone; ragbed refuses it the network",
    "integration": "tests parts together on real stores, with a mock LLM",
    "e2e": "tests the whole application, with a real LLM where there is one",
    "live": "needs a real LLM: `needs(ollama='real')` in a word",
    "needs(**services)": "needs services of a kind: needs(qdrant='server') skips on the embedded Qdrant",
}


def layer_of(item: pytest.Item) -> str:
    """Return a test's layer: by its marker, else by the nearest folder of that name; empty for none."""
    for layer in AIMS:
        if item.get_closest_marker(layer):
            return layer
    folders = PurePath(item.nodeid.partition("::")[0]).parts[:-1]
    return next((folder for folder in reversed(folders) if folder in AIMS), "")


def skip_unless_there(item: pytest.Item) -> None:
    """Skip a test whose markers `needs` or `live` ask for a service that the stack has not as they want it.

    Raises:
        pytest.UsageError: The marker names no service, or wants what is not `server`, `real` or `substitute`.
    """
    wanted: dict[str, str] = {}
    for marker in item.iter_markers("needs"):
        wanted.update(marker.kwargs)
    if item.get_closest_marker("live"):
        wanted.setdefault("ollama", "real")
    if not wanted:
        return
    stack = item._request.getfixturevalue("ragbed_stack")  # type: ignore[attr-defined] # noqa: SLF001 - as pytest's own plugins do
    for service, kind in wanted.items():
        if service not in stack.endpoints or kind not in {"server", "real", "substitute"}:
            known = ", ".join(stack.endpoints)
            raise pytest.UsageError(
                f"needs({service}={kind!r}): the services are {known}, each 'server' (or 'real') or 'substitute'"
            )
        endpoint = stack[service]
        if endpoint.real is (kind == "substitute"):
            what = "a substitute" if kind == "substitute" else f"a real {service}"
            pytest.skip(f"needs {what}, and the stack has {endpoint.product} {endpoint.version}")
