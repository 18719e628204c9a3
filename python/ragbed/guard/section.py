"""Settings that the guard reads: what may be reached, and addresses and keys that give production away."""

from __future__ import annotations

from ragbed.settings.setting import text

GUARD_ALLOWED_HOSTS = text(
    "guard.allowed_hosts",
    "",
    "Hosts beside loopback that local and CI tiers may reach, comma-separated.",
    loosens="given",
)
SECRET_KEY = text("app.secret_key", "", "Key that signs sessions.", env=("SECRET_KEY",), secret=True)
TEST_ENV = text("app.test_env", "", "Name of the environment under test.", env=("TEST_ENV",))
STAGING_URL = text("staging.url", "", "Where staging answers.", env=("STAGING_URL",))
STAGING_DATABASE_URL = text(
    "staging.database_url", "", "Staging's Postgres.", env=("STAGING_DATABASE_URL",), secret=True
)
STAGING_REDIS_URL = text("staging.redis_url", "", "Staging's Redis.", env=("STAGING_REDIS_URL",), secret=True)
STAGING_OPENAI_KEY = text(
    "staging.openai_key", "", "Staging's OpenAI key.", env=("STAGING_OPENAI_KEY",), secret=True
)
STAGING_ANTHROPIC_KEY = text(
    "staging.anthropic_key", "", "Staging's Anthropic key.", env=("STAGING_ANTHROPIC_KEY",), secret=True
)
OPENAI_KEY = text("llm.openai_api_key", "", "OpenAI key.", env=("OPENAI_API_KEY",), secret=True)
ANTHROPIC_KEY = text("llm.anthropic_api_key", "", "Anthropic key.", env=("ANTHROPIC_API_KEY",), secret=True)
