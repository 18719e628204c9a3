"""An Ollama that runs already is used only if its models are the pinned ones, digest by digest."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from listing_ollama import Listed, listing

from ragbed.errors import DriftError
from ragbed.pins import load_stack_pins
from ragbed.settings import resolve_settings
from ragbed.stack.attaching import attach_default, attach_given
from ragbed.stack.skipped_services import Skipped
from sample_models import sample_model, write_lock_of

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from ragbed.pins import ModelLock, ServicePins
    from ragbed.stack import Endpoint

MODEL = sample_model()


@pytest.fixture
def lock(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ModelLock:
    """The lock in force: one made model."""
    lock = write_lock_of(tmp_path / "models.lock.json", MODEL)
    monkeypatch.setenv("RAGBED_MODELS_LOCK", str(lock.path))
    return lock


@pytest.fixture
def server(lock: ModelLock) -> Iterator[Listed]:
    """An Ollama that has that model."""
    with listing(Listed()) as listed:
        listed.add(MODEL, lock["tiny"])
        yield listed


def give(server: Listed) -> Endpoint:
    """Attach to the server by URL."""
    return attach_given(
        "ollama",
        server.url,
        named="OLLAMA_HOST",
        pins=load_stack_pins()["ollama"],
        settings=resolve_settings(environ={}),
        project=None,
        models=["tiny:latest"],
    )


def find(server: Listed, tmp_path: Path) -> Endpoint | Skipped:
    """Find the server on its default port, which is where it happens to listen."""
    return attach_default(
        "ollama",
        pins=_pins_of_port(server, tmp_path),
        settings=resolve_settings(environ={}),
        project=None,
        models=["tiny:latest"],
    )


def _pins_of_port(server: Listed, tmp_path: Path) -> ServicePins:
    pins = load_stack_pins()
    text = pins.path.read_text(encoding="utf-8")
    path = tmp_path / "stack.toml"
    path.write_text(text.replace("port = 11434", f"port = {server.url.rpartition(':')[2]}"), encoding="utf-8")
    return load_stack_pins(path)["ollama"]


def move_tag(server: Listed) -> None:
    """Let the server's tag name another manifest."""
    server.tags["tiny:latest"]["digest"] = "0" * 64


def test_an_ollama_with_the_pinned_models_is_used(server: Listed, tmp_path: Path) -> None:
    """By URL and on the default port."""
    found = find(server, tmp_path)

    assert not isinstance(found, Skipped)
    assert give(server).product == "ollama"


def test_a_moved_tag_is_drift_when_the_url_is_given(server: Listed, lock: ModelLock) -> None:
    """It is never replaced silently: the refusal names what it has and what is pinned."""
    move_tag(server)

    pinned = lock["tiny"].digest.removeprefix("sha256:")[:12]
    with pytest.raises(DriftError, match=f"tiny:latest: tag moved: has {'0' * 12}, pinned {pinned}"):
        give(server)


def test_a_moved_tag_is_passed_over_on_the_default_port(server: Listed, tmp_path: Path) -> None:
    """And said."""
    move_tag(server)

    found = find(server, tmp_path)

    assert isinstance(found, Skipped)
    assert "tag moved: has 000000000000, pinned " in found.note


def test_what_lists_no_models_is_passed_over_on_the_default_port(server: Listed, tmp_path: Path) -> None:
    """Another server that answers the same paths is none that could be used, and no traceback."""
    server.tags = {"odd": 1}  # type: ignore[dict-item]

    found = find(server, tmp_path)

    assert isinstance(found, Skipped)
    assert "/api/tags answers no list of models" in found.note


def test_a_model_that_is_not_locked_needs_no_digest(server: Listed, lock: ModelLock) -> None:
    """Only what is pinned can drift."""
    write_lock_of(lock.path, sample_model("other"))

    assert give(server).product == "ollama"


def test_the_mock_is_exempt(server: Listed) -> None:
    """Its digests are its own, and it says that it is the mock."""
    server.substitute = "mock-llm"
    move_tag(server)

    assert give(server).product == "mock-llm"


def test_a_mock_on_the_default_port_is_passed_over(server: Listed, tmp_path: Path) -> None:
    """A colleague's scripted rules never become this project's answers, unless its address was given."""
    server.substitute = "mock-llm"

    found = find(server, tmp_path)

    assert isinstance(found, Skipped)
    assert (
        "is a substitute, which is used only where MOCK_LLM_SERVER_URL or OLLAMA_HOST names it" in found.note
    )
