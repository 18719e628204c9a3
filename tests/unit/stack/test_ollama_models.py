"""Which models folder a private Ollama is started on."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from ragbed.stack.services.ollama_models import candidates, complaint, size_bytes
from sample_models import sample_model, write_lock_of

if TYPE_CHECKING:
    from pathlib import Path

    from sample_models import SampleModel

MODELS = ["tiny:latest"]


@pytest.fixture
def pinned(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> SampleModel:
    """A model that the lock in force pins."""
    model = sample_model()
    write_lock_of(tmp_path / "models.lock.json", model)
    monkeypatch.setenv("RAGBED_MODELS_LOCK", str(tmp_path / "models.lock.json"))
    return model


def folder_with(model: SampleModel, folder: Path) -> Path:
    """Write a models folder and return it."""
    pin = write_lock_of(folder.parent / "other.lock.json", model)[model.name]
    model.write_folder(folder, pin)
    return folder


def test_ragbeds_own_stores_come_before_the_users_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What was laid out from the lock is preferred; a store that is just being laid out is not looked at."""
    monkeypatch.setenv("OLLAMA_MODELS", str(tmp_path / "theirs"))
    for name in ("small", "large", ".small.x1"):
        (tmp_path / "own" / "stores" / name).mkdir(parents=True)

    names = [folder.name for folder in candidates(tmp_path / "own")]

    assert names == ["large", "small", "theirs"]


def test_a_folder_with_the_pinned_models_has_nothing_wrong(pinned: SampleModel, tmp_path: Path) -> None:
    """No complaint where every manifest has its pinned digest."""
    assert complaint(MODELS, folder_with(pinned, tmp_path / "models")) == ""


@pytest.mark.usefixtures("pinned")
def test_a_model_that_is_not_there_is_named(tmp_path: Path) -> None:
    """An empty folder lacks it."""
    assert complaint(MODELS, tmp_path) == "has no tiny:latest"


@pytest.mark.usefixtures("pinned")
def test_a_model_of_another_digest_is_not_taken(tmp_path: Path) -> None:
    """The same name over other weights is another model."""
    folder = folder_with(sample_model(seed=2), tmp_path / "models")

    assert complaint(MODELS, folder) == "has not the pinned tiny:latest"


@pytest.mark.usefixtures("pinned")
def test_a_folder_that_cannot_be_read_is_passed_over(tmp_path: Path) -> None:
    """A folder that turns out to be something else is not a reason to fail: it is said, and another may do."""
    path = tmp_path / "models" / "manifests" / "registry.ollama.ai" / "library" / "tiny" / "latest"
    path.mkdir(parents=True)

    assert complaint(MODELS, tmp_path / "models") == "cannot read the models (Is a directory)"


def test_the_size_of_a_model_is_that_of_its_parts(pinned: SampleModel, tmp_path: Path) -> None:
    """As a live server would list it: weights, template and all."""
    folder = folder_with(pinned, tmp_path / "models")

    assert size_bytes(folder, "tiny") == sum(map(len, pinned.blobs.values()))


def test_a_model_whose_manifest_cannot_be_read_has_no_size(tmp_path: Path) -> None:
    """Nobody waits for a load the less for it."""
    assert size_bytes(tmp_path, "tiny:latest") == 0
