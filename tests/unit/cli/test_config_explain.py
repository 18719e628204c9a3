"""`ragbed config explain`: every value with its source, and no secret."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest

from ragbed.settings import all_settings

if TYPE_CHECKING:
    from pathlib import Path

SECRETS = [setting for setting in all_settings().values() if setting.secret]


def explain(folder: Path, *words: str, **environ: str) -> subprocess.CompletedProcess[str]:
    """Run the command in a folder without project files."""
    return subprocess.run(
        [sys.executable, "-m", "ragbed", "config", "explain", *words],
        capture_output=True,
        text=True,
        check=False,
        cwd=folder,
        env={**os.environ, **environ},
    )


def explained(folder: Path, *words: str, **environ: str) -> dict[str, Any]:
    """Return what `--json` prints."""
    value: dict[str, Any] = json.loads(explain(folder, *words, "--json", **environ).stdout)
    return value


def test_every_setting_is_shown_with_its_source(tmp_path: Path) -> None:
    """All keys, in the table and in the JSON, the variable named where one spoke."""
    environ = {
        setting.env[0]: "7" for setting in all_settings().values() if setting.kind is int and setting.env
    }

    shown = explain(tmp_path, **environ).stdout
    value = explained(tmp_path, **environ)

    assert [key for key in all_settings() if f"\n{key}\t" not in shown] == []
    assert list(value["settings"]) == list(all_settings())
    assert [name for name in environ if f"environment {name}" not in shown] == []


@pytest.mark.parametrize("form", ["--json", "table", "key"])
def test_no_secret_is_shown(form: str, tmp_path: Path) -> None:
    """A secret's value appears in no form of the answer; that it is set does."""
    environ = {
        (*setting.env, setting.own_variable)[0]: f"sesame-{number}" for number, setting in enumerate(SECRETS)
    }
    words = {"--json": ["--json"], "table": [], "key": ["llm.openai_api_key"]}[form]

    shown = explain(tmp_path, *words, **environ).stdout

    assert "sesame" not in shown
    assert "***" in shown


@pytest.mark.parametrize(
    ("variable", "url", "shown"),
    [
        ("QDRANT_URL", "http://me:sesame@127.0.0.1:6333", "http://me:***@127.0.0.1:6333"),
        ("OLLAMA_HOST", "me:sesame@127.0.0.1", "me:***@127.0.0.1"),
        ("MOCK_LLM_SERVER_URL", "http://127.0.0.1:1?token=sesame", "http://127.0.0.1:1?token=***"),
    ],
)
def test_a_password_in_an_open_address_is_hidden(variable: str, url: str, shown: str, tmp_path: Path) -> None:
    """An address that is not a secret may still carry one."""
    table = explain(tmp_path, **{variable: url}).stdout

    assert "sesame" not in table
    assert shown in table


def test_a_key_shows_every_source_that_had_a_word(tmp_path: Path) -> None:
    """With a key the whole history is shown, the last line in force."""
    (tmp_path / "ragbed.toml").write_text('[llm]\nprovider = "ollama"\n', encoding="utf-8")

    lines = explain(tmp_path, "llm.provider", MODEL_PROVIDER="mock").stdout.splitlines()

    rows = [line.split("\t") for line in lines[-4:]]
    assert [row[0] for row in rows] == ["(none)", "mock", "ollama", "mock"]
    assert rows[-1][1] == "environment MODEL_PROVIDER (in force)"


def test_a_key_that_is_no_setting_offers_the_nearest(tmp_path: Path) -> None:
    """A misspelt key exits 2 with the key that was meant."""
    done = explain(tmp_path, "llm.providr")

    assert done.returncode == 2
    assert "did you mean llm.provider?" in done.stderr


def test_the_tier_and_the_features_are_shown(tmp_path: Path) -> None:
    """The first line says which tier and why; feature flags stand below the settings."""
    shown = explain(tmp_path, APP_ENV="ci", FEATURE_RERANK="true").stdout
    value = explained(tmp_path, APP_ENV="ci", FEATURE_RERANK="true")

    assert shown.startswith("tier: ci (environment APP_ENV)\n")
    assert "environment FEATURE_RERANK" in shown
    assert value["features"] == {"rerank": True}
