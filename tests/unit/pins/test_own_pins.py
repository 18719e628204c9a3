"""A project's own pin files are what counts in its folder; parts of them are laid over ours."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from ragbed.errors import ConfigurationError, PinFileError
from ragbed.models.writing import write_text
from ragbed.pins import load_model_lock, load_stack_pins, lock_to_write, stack_file_path
from ragbed.pins.in_force import our_pin_file
from ragbed.settings import definitions, resolve_settings


@pytest.fixture(autouse=True)
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A project with its mark; the current folder is one below it."""
    (tmp_path / "ragbed.toml").touch()
    (below := tmp_path / "below").mkdir()
    monkeypatch.chdir(below)
    return tmp_path


def test_without_own_files_ours_count() -> None:
    """A project that brings none works as ever."""
    assert stack_file_path() == our_pin_file("stack.toml")
    assert load_model_lock().path == our_pin_file("models.lock.json")


@pytest.mark.parametrize("name", ["stack.toml", "models.lock.json"])
@pytest.mark.parametrize("text", ["garbage = [", "{", "[" * 5000, "7", '"x"', "\xff"])
def test_a_broken_own_file_is_refused_by_name(name: str, text: str, project: Path) -> None:
    """It is not passed over in silence."""
    (project / name).write_text(text, encoding="latin-1")

    with pytest.raises(PinFileError) as caught:
        load_stack_pins() if name == "stack.toml" else load_model_lock()

    assert str(project / name) in caught.value.message


def test_a_part_of_the_stack_file_is_laid_over_ours(project: Path) -> None:
    """What the project leaves out is ours."""
    (project / "stack.toml").write_text("[services.qdrant]\nport = 7333\n", encoding="utf-8")

    own, ours = load_stack_pins(), load_stack_pins(our_pin_file("stack.toml"))

    assert (own.path, own["qdrant"].port) == (project / "stack.toml", 7333)
    assert own["qdrant"].channels == ours["qdrant"].channels
    assert own["redis"] == ours["redis"]


def test_a_part_that_contradicts_ours_is_refused(project: Path) -> None:
    """A range that does not accept the version of a channel is a mistake, whoever wrote which."""
    (project / "stack.toml").write_text('[services.postgres.accept]\npostgres = ">=99"\n', encoding="utf-8")

    with pytest.raises(PinFileError, match="postgres"):
        load_stack_pins()


def test_a_whole_lock_counts_alone_and_chooses_the_models(project: Path) -> None:
    """Its default set names the models that the settings leave open."""
    values = json.loads(our_pin_file("models.lock.json").read_text(encoding="utf-8"))
    values["default"] = "large"
    (project / "models.lock.json").write_text(json.dumps(values), encoding="utf-8")

    assert load_model_lock().default == "large"
    chosen = resolve_settings(folder=project, environ={})[definitions.LLM_MODEL]
    assert chosen in values["sets"]["large"]
    assert chosen != definitions.LLM_MODEL.default


def test_a_part_of_a_lock_is_laid_over_ours(project: Path) -> None:
    """The default set alone, for example."""
    (project / "models.lock.json").write_text('{"default": "large"}', encoding="utf-8")

    lock = load_model_lock()

    assert (lock.default, lock.models) == (
        "large",
        load_model_lock(our_pin_file("models.lock.json")).models,
    )


def test_a_change_goes_to_the_projects_file(project: Path) -> None:
    """Also where the project has none yet: ours belongs to ragbed."""
    assert lock_to_write() == project / "models.lock.json"


@pytest.mark.parametrize(
    "place", ["/nix/store/abc-ragbed/models.lock.json", "{}/site-packages/ragbed/models.lock.json"]
)
def test_nothing_is_written_among_installed_files(place: str, tmp_path: Path) -> None:
    """The Nix store is read-only for a reason, and a wheel's files are replaced by the next install."""
    with pytest.raises(ConfigurationError, match="belongs to an installed package"):
        write_text(Path(place.format(tmp_path)), "")


def test_a_channel_of_ones_own_is_taken_whole(project: Path) -> None:
    """The digest of an image is that of its own version: a part of a channel is not completed by ours."""
    (project / "stack.toml").write_text(
        '[services.redis.channels.image]\nversion = "8.9.0"\nreference = "docker.io/library/redis:8.9.0"\n',
        encoding="utf-8",
    )

    with pytest.raises(PinFileError, match=r"services\.redis\.channels\.image\.digest"):
        load_stack_pins()


def test_a_model_of_ones_own_is_taken_whole(project: Path) -> None:
    """So is a model: its digest is that of its own manifest."""
    name = next(iter(load_model_lock().models))
    part = {"models": {name: {"digest": f"sha256:{'0' * 64}"}}}
    (project / "models.lock.json").write_text(json.dumps(part), encoding="utf-8")

    with pytest.raises(PinFileError, match="found nothing"):
        load_model_lock()


def test_a_variable_names_the_part_of_a_stack_file(
    project: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nix lays a project's part elsewhere, and says where."""
    (project / "stack.toml").write_text("[services.qdrant]\nport = 7333\n", encoding="utf-8")
    (tmp_path / "elsewhere.toml").write_text("[services.qdrant]\nport = 7444\n", encoding="utf-8")
    monkeypatch.setenv("RAGBED_STACK_FILE", str(tmp_path / "elsewhere.toml"))

    assert (stack_file_path(), load_stack_pins()["qdrant"].port) == (tmp_path / "elsewhere.toml", 7444)


def test_a_variable_names_the_part_of_a_lock(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What the part leaves out is ours."""
    ours = load_model_lock()
    part = {"sets": {"own": [next(iter(ours.models))]}}
    (tmp_path / "part.json").write_text(json.dumps(part), encoding="utf-8")
    monkeypatch.setenv("RAGBED_MODELS_LOCK", str(tmp_path / "part.json"))

    lock = load_model_lock()

    assert (lock.default, lock.models) == (ours.default, ours.models)
    assert lock.sets == {**ours.sets, "own": tuple(part["sets"]["own"])}
