"""The order of settings: each source overrides those before it, and every value remembers its sources."""

from __future__ import annotations

from itertools import combinations
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ragbed.settings import Settings, definitions, resolve_settings
from ragbed.stack.section import STACK_LAUNCHER

if TYPE_CHECKING:
    from pathlib import Path

SOURCES = ("default", "tier ci", "ragbed.toml", "ragbed.local.toml", "environment", "flag", "override")
VALUES = {
    "tier ci": "container",
    "ragbed.toml": "process",
    "ragbed.local.toml": "attach",
    "environment": "process",
    "flag": "container",
    "override": "attach",
}


def resolve_from(sources: frozenset[str] | set[str], folder: Path) -> Settings:
    """Resolve `stack.launcher` with a word from each of these sources."""
    for name in ("ragbed.toml", "ragbed.local.toml"):
        path = folder / name
        path.unlink(missing_ok=True)
        if name in sources:
            path.write_text(f'[stack]\nlauncher = "{VALUES[name]}"\n', encoding="utf-8")
    return resolve_settings(
        folder=folder,
        environ={
            # The tier production says "attach" and so has its word too; ci is the one that is told apart.
            "APP_ENV": "ci" if "tier ci" in sources else "production",
            **({"RAGBED_STACK__LAUNCHER": VALUES["environment"]} if "environment" in sources else {}),
        },
        flags={"stack.launcher": VALUES["flag"] if "flag" in sources else None},
        overrides={"stack.launcher": VALUES["override"]} if "override" in sources else {},
    )


@pytest.mark.parametrize(
    ("earlier", "later"),
    [pytest.param(*pair, id=f"{pair[0]}<{pair[1]}") for pair in combinations(SOURCES[1:], 2)],
)
def test_a_later_source_overrides_an_earlier_one(earlier: str, later: str, tmp_path: Path) -> None:
    """Of any two sources, the later one of the fixed order is in force."""
    settings = resolve_from({earlier, later}, tmp_path)

    assert str(settings.source(STACK_LAUNCHER)).startswith(later)
    assert settings[STACK_LAUNCHER] == VALUES[later]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder for project files, written anew by each example."""
    return tmp_path_factory.mktemp("project")


@given(spoken=st.sets(st.sampled_from(SOURCES[1:])))
def test_the_last_source_wins_and_all_are_remembered(spoken: set[str], folder: Path) -> None:
    """Whichever sources have a word, the last one is in force and the history lists them in order."""
    settings = resolve_from(spoken, folder)

    history = [str(resolved.source) for resolved in settings.history["stack.launcher"]]
    told = [source for source in history if source != "tier production"]
    assert [source.removesuffix(" RAGBED_STACK__LAUNCHER") for source in told] == [
        source for source in SOURCES if source in spoken or source == "default"
    ]


def test_a_fields_own_name_loses_to_ragbeds_form(tmp_path: Path) -> None:
    """RAGBED_LLM__PROVIDER overrides MODEL_PROVIDER, and both are in the history."""
    settings = resolve_settings(
        folder=tmp_path, environ={"MODEL_PROVIDER": "ollama", "RAGBED_LLM__PROVIDER": "mock"}
    )

    assert settings[definitions.LLM_PROVIDER] == "mock"
    assert [str(resolved.source) for resolved in settings.history["llm.provider"]] == [
        "default",
        "tier local",
        "environment MODEL_PROVIDER",
        "environment RAGBED_LLM__PROVIDER",
    ]


def test_qdrants_own_variable_wins_over_the_general_one(tmp_path: Path) -> None:
    """QDRANT_URL overrides VECTOR_DB_URL."""
    settings = resolve_settings(
        folder=tmp_path, environ={"QDRANT_URL": "http://127.0.0.1:1", "VECTOR_DB_URL": "memory://"}
    )

    assert settings[definitions.QDRANT_URL] == "http://127.0.0.1:1"


def test_an_empty_variable_is_not_given(tmp_path: Path) -> None:
    """`VARIABLE=` in a shell takes nothing away."""
    settings = resolve_settings(folder=tmp_path, environ={"LOG_LEVEL": "", "APP_ENV": ""})

    assert (settings[definitions.LOG_LEVEL], settings.tier.name) == ("WARNING", "local")


@pytest.mark.parametrize(
    ("environ", "given"),
    [
        pytest.param({}, False, id="tier"),
        pytest.param({"MODEL_PROVIDER": "mock"}, True, id="environment"),
    ],
)
def test_only_what_somebody_chose_counts_as_given(
    environ: dict[str, str], given: bool, tmp_path: Path
) -> None:
    """A default or a tier's value is not given, whatever it is."""
    settings = resolve_settings(folder=tmp_path, environ=environ)

    assert settings.is_given(definitions.LLM_PROVIDER) is given


@pytest.mark.parametrize(
    ("environ", "features"),
    [
        pytest.param({"FEATURE_RERANK": "true"}, {"rerank": True}, id="true"),
        pytest.param({"FEATURE_RERANK": "On"}, {"rerank": True}, id="on"),
        pytest.param({"FEATURE_RERANK": "false", "FEATURE_X": "0"}, {"rerank": False, "x": False}, id="off"),
        pytest.param({}, {}, id="none"),
    ],
)
def test_feature_variables_are_flags(
    environ: dict[str, str], features: dict[str, Any], tmp_path: Path
) -> None:
    """FEATURE_NAME=true switches the flag `name` on."""
    assert resolve_settings(folder=tmp_path, environ=environ).features == features
