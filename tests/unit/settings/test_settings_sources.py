"""What a source may say: names, kinds, files, secrets; and how it is refused when it is wrong."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from ragbed.errors import ConfigurationError
from ragbed.settings import Setting, all_settings, definitions, resolve_settings

if TYPE_CHECKING:
    from pathlib import Path

HONOURED = {
    "MODEL_PROVIDER": "llm.provider",
    "EMBEDDING_PROVIDER": "embedding.provider",
    "VECTOR_DB_URL": "qdrant.url",
    "DATABASE_URL": "postgres.url",
    "REDIS_URL": "redis.url",
    "QDRANT_URL": "qdrant.url",
    "QDRANT_API_KEY": "qdrant.api_key",
    "OLLAMA_HOST": "ollama.url",
    "LOG_LEVEL": "log.level",
    "CACHE_TTL_SECONDS": "cache.ttl_s",
    "SECRET_KEY": "app.secret_key",
    "DEBUG": "app.debug",
    "TEST_MODE": "app.test_mode",
    "TEST_ENV": "app.test_env",
    "RATE_LIMIT_ENABLED": "rate_limit.enabled",
    "METRICS_ENABLED": "metrics.enabled",
    "USE_MOCK_LLM": "llm.use_mock",
    "MOCK_LLM_SERVER_URL": "llm.mock_url",
    "RECORDER_MODE": "llm.recorder",
    "FAIL_ON_REAL_API_CALL": "llm.fail_on_real_call",
    "DAILY_COST_LIMIT_USD": "budget.daily_usd",
    "TEST_COST_BUDGET_USD": "budget.run_usd",
    "E2E_COST_LIMIT": "budget.run_usd",
    "MAX_TOKENS_PER_REQUEST": "budget.request_tokens",
    "ANTHROPIC_API_KEY": "llm.anthropic_api_key",
    "OPENAI_API_KEY": "llm.openai_api_key",
    "STAGING_URL": "staging.url",
    "STAGING_DATABASE_URL": "staging.database_url",
    "STAGING_REDIS_URL": "staging.redis_url",
    "STAGING_ANTHROPIC_KEY": "staging.anthropic_key",
    "STAGING_OPENAI_KEY": "staging.openai_key",
}
SECRETS = [setting for setting in all_settings().values() if setting.secret]


def example_of(setting: Setting[object]) -> str:
    """Return a value that the setting takes and that is not its default."""
    if setting.choices:
        return next(choice for choice in setting.choices if choice not in {"", setting.default})
    if setting.key == "models.set":
        return "large"  # a set of the checkout's lock
    if setting.key == "stack.launchers":
        return "redis=container"
    if setting.kind is dict:
        return '{"plain": {}}'
    return {bool: str(not setting.default), int: "77", float: "7.5", str: "test-value"}[setting.kind]


@pytest.mark.parametrize(("variable", "key"), HONOURED.items(), ids=list(HONOURED))
def test_a_variable_of_the_field_is_honoured(variable: str, key: str, tmp_path: Path) -> None:
    """The variable sets its setting, and is named as the source."""
    setting = all_settings()[key]
    settings = resolve_settings(folder=tmp_path, environ={variable: example_of(setting)})

    assert str(settings.source(setting)) == f"environment {variable}"
    assert settings[setting] != setting.default


@pytest.mark.parametrize("setting", all_settings().values(), ids=list(all_settings()))
def test_every_setting_has_a_variable_of_ragbeds_form(setting: Setting[object], tmp_path: Path) -> None:
    """RAGBED_SECTION__KEY sets any setting."""
    settings = resolve_settings(folder=tmp_path, environ={setting.own_variable: example_of(setting)})

    assert str(settings.source(setting)) == f"environment {setting.own_variable}"


@pytest.mark.parametrize("setting", SECRETS, ids=[setting.key for setting in SECRETS])
def test_a_secret_may_stand_in_a_file(setting: Setting[str], tmp_path: Path) -> None:
    """VARIABLE_FILE names a file whose content, without the line's end, is the secret."""
    (tmp_path / "secret").write_text("test-key\n", encoding="utf-8")
    variable = f"{(*setting.env, setting.own_variable)[0]}_FILE"

    settings = resolve_settings(folder=tmp_path, environ={variable: str(tmp_path / "secret")})

    assert (settings[setting], str(settings.source(setting))) == ("test-key", f"environment {variable}")


@pytest.mark.parametrize("sign", ["\n", "\r", "\t", "\x00", "\x7f"])
@pytest.mark.parametrize("setting", SECRETS, ids=[setting.key for setting in SECRETS])
def test_a_secret_with_a_control_character_is_refused_and_not_shown(
    setting: Setting[str], sign: str, tmp_path: Path
) -> None:
    """No client can send it, and some repeat it in their complaint; it is told by its source."""
    variable = (*setting.env, setting.own_variable)[0]

    with pytest.raises(ConfigurationError, match=rf"{setting.key} \(environment {variable}\)") as caught:
        resolve_settings(folder=tmp_path, environ={variable: f"abc{sign}sekret"})

    assert "sekret" not in caught.value.render()


def test_a_file_that_is_missing_is_named_once(tmp_path: Path) -> None:
    """The system's own words would bring the path a second time, and a number."""
    with pytest.raises(ConfigurationError) as caught:
        resolve_settings(folder=tmp_path, environ={"OPENAI_API_KEY_FILE": f"{tmp_path}/none"})

    assert caught.value.message.endswith(
        f"names {tmp_path}/none, which cannot be read: No such file or directory"
    )


def test_a_secrets_file_that_cannot_be_read_is_refused_by_name(tmp_path: Path) -> None:
    """The variable and the path are in the message."""
    with pytest.raises(ConfigurationError, match=f"OPENAI_API_KEY_FILE names {tmp_path}/none"):
        resolve_settings(folder=tmp_path, environ={"OPENAI_API_KEY_FILE": f"{tmp_path}/none"})


@pytest.mark.parametrize(
    ("environ", "file", "wrong", "near"),
    [
        pytest.param(
            {"RAGBED_LLM__PROVIDR": "mock"}, "", "RAGBED_LLM__PROVIDR", "RAGBED_LLM__PROVIDER", id="variable"
        ),
        pytest.param(
            {"RAGBED_STACK__LAUNCHER_FILE": "x"},
            "",
            "RAGBED_STACK__LAUNCHER_FILE",
            "RAGBED_STACK__LAUNCHER",
            id="file",
        ),
        pytest.param({}, '[llm]\nprovidr = "mock"', "llm.providr", "llm.provider", id="key"),
        pytest.param({}, "[stak]\ndefault_ports = true", "stak.default_ports", "default_ports", id="section"),
    ],
)
def test_an_unknown_name_is_refused_with_the_nearest_known_one(
    environ: dict[str, str], file: str, wrong: str, near: str, tmp_path: Path
) -> None:
    """A typing error changes nothing silently; the name meant is offered."""
    (tmp_path / "ragbed.toml").write_text(file, encoding="utf-8")

    with pytest.raises(ConfigurationError, match=wrong) as caught:
        resolve_settings(folder=tmp_path, environ=environ)

    assert near in caught.value.hint


def test_a_name_near_to_nothing_points_to_the_list(tmp_path: Path) -> None:
    """Where no name is near, the command that lists them is offered."""
    (tmp_path / "ragbed.toml").write_text("[qqq]\nzzz = 1", encoding="utf-8")

    with pytest.raises(ConfigurationError) as caught:
        resolve_settings(folder=tmp_path, environ={})

    assert "ragbed config explain" in caught.value.hint


@pytest.mark.parametrize(
    ("variable", "value", "expected"),
    [
        pytest.param("DEBUG", "maybe", "true or false", id="switch"),
        pytest.param("CACHE_TTL_SECONDS", "1.5", "a whole number", id="whole-number"),
        pytest.param("CACHE_TTL_SECONDS", "-1", "at least 0", id="negative"),
        pytest.param("DAILY_COST_LIMIT_USD", "nan", "a number of at least 0", id="nan"),
        pytest.param("DAILY_COST_LIMIT_USD", "inf", "a number of at least 0", id="endless-budget"),
        pytest.param("DAILY_COST_LIMIT_USD", "1 USD", "a number", id="number"),
        pytest.param("MODEL_PROVIDER", "gpt", "one of mock, ollama, openai, anthropic", id="choice"),
    ],
)
def test_a_value_of_a_wrong_kind_is_refused_with_its_source(
    variable: str, value: str, expected: str, tmp_path: Path
) -> None:
    """The message names setting, value, source and what was expected."""
    with pytest.raises(ConfigurationError) as caught:
        resolve_settings(folder=tmp_path, environ={variable: value})

    assert f"is {value!r} (environment {variable}), expected" in caught.value.message
    assert expected in caught.value.message


@pytest.mark.parametrize(
    ("variable", "value", "hint"),
    [
        pytest.param("DEBUG", "release", "DEBUG=true or DEBUG=false", id="switch"),
        pytest.param("CACHE_TTL_SECONDS", "1h", "CACHE_TTL_SECONDS=3600", id="whole-number"),
        pytest.param("DAILY_COST_LIMIT_USD", "1 USD", "DAILY_COST_LIMIT_USD=0", id="number"),
    ],
)
def test_the_hint_for_a_wrong_kind_can_be_copied(
    variable: str, value: str, hint: str, tmp_path: Path
) -> None:
    """It shows the variable with values that are taken, and what the setting is for."""
    with pytest.raises(ConfigurationError) as caught:
        resolve_settings(folder=tmp_path, environ={variable: value})

    assert hint in caught.value.hint


@pytest.mark.parametrize("said", ["debug", "Debug", "DEBUG"])
def test_a_choice_may_be_written_in_any_case(said: str, tmp_path: Path) -> None:
    """LOG_LEVEL=debug is the level DEBUG."""
    settings = resolve_settings(folder=tmp_path, environ={"LOG_LEVEL": said})

    assert settings[definitions.LOG_LEVEL] == "DEBUG"


def test_a_wrong_secret_is_not_shown(tmp_path: Path) -> None:
    """A secret of a wrong kind is refused without its value."""
    (tmp_path / "ragbed.toml").write_text("[llm]\nopenai_api_key = [4711]", encoding="utf-8")

    with pytest.raises(ConfigurationError, match="is a secret") as caught:
        resolve_settings(folder=tmp_path, environ={})

    assert "4711" not in caught.value.render()


@pytest.mark.parametrize(
    ("content", "said"),
    [
        pytest.param(b"[llm", "cannot be read", id="not-toml"),
        pytest.param(b"\xff", "cannot be read", id="not-text"),
        pytest.param(b'provider = "mock"', "provider stands outside a section", id="no-section"),
    ],
)
def test_a_file_that_cannot_be_understood_is_refused_by_name(
    content: bytes, said: str, tmp_path: Path
) -> None:
    """The file's path is in the message."""
    (tmp_path / "ragbed.local.toml").write_bytes(content)

    with pytest.raises(ConfigurationError, match=said) as caught:
        resolve_settings(folder=tmp_path, environ={})

    assert str(tmp_path / "ragbed.local.toml") in caught.value.message
