"""The namespace's schema brought to the newest revision; Alembic is imported only when there is something to do."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import psycopg
from psycopg import sql

from ragbed.errors import PipelineError
from ragbed.guard.libpq import fitting_environment

if TYPE_CHECKING:
    from psycopg import Connection

HEAD = "0001"
"""The newest revision in `migrations/versions`; a test compares the two."""

_SCRIPTS = Path(__file__).parents[1] / "migrations"


def current_revision(connection: Connection[tuple[object, ...]], schema: str) -> str:
    """Return the revision a schema is at; empty when there is none."""
    query = sql.SQL("SELECT version_num FROM {}").format(sql.Identifier(schema, "alembic_version"))
    try:
        row = connection.execute(query).fetchone()
    except (psycopg.errors.UndefinedTable, psycopg.errors.InvalidSchemaName):
        return ""
    return str(row[0]) if row else ""


def _connect(url: str) -> Connection[tuple[object, ...]]:
    with fitting_environment(url):
        return psycopg.connect(url)


def upgrade(url: str, schema: str) -> str:
    """Run every revision that the schema lacks, and return the newest.

    Args:
        url: Of the database.
        schema: Created when missing.

    Raises:
        PipelineError: The schema is at a revision that this ragbed does not know, or a revision failed.
    """
    import alembic.command  # noqa: PLC0415 - 0.3 s to import
    import alembic.util  # noqa: PLC0415 - as above
    import sqlalchemy as sa  # noqa: PLC0415 - as above
    from alembic.config import Config  # noqa: PLC0415 - as above

    config = Config()
    config.set_main_option("script_location", str(_SCRIPTS).replace("%", "%%"))
    # By `creator` the URL reaches libpq as the user wrote it, sockets and options included.
    engine = sa.create_engine("postgresql+psycopg://", creator=lambda: _connect(url), poolclass=sa.NullPool)
    try:
        with engine.begin() as connection:
            connection.execute(
                sa.text("SELECT pg_advisory_xact_lock(hashtextextended(:s, 1))"), {"s": schema}
            )
            connection.execute(sa.schema.CreateSchema(schema, if_not_exists=True))
            config.attributes.update(connection=connection, schema=schema)
            alembic.command.upgrade(config, "head")
    except (alembic.util.CommandError, sa.exc.SQLAlchemyError) as error:
        first_line = str(error).split("\n", 1)[0]
        raise PipelineError(
            f"schema {schema} cannot be brought to revision {HEAD}: {first_line}",
            hint="take the ragbed that wrote it, or drop the namespace",
        ) from error
    return HEAD
