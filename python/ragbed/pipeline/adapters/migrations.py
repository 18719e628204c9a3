"""The namespace's schema brought to the newest revision; Alembic is imported only when there is something to do."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import psycopg
from psycopg import sql

from ragbed.errors import PipelineError, RagbedError, ServiceMissing
from ragbed.guard.libpq import connect
from ragbed.pipeline.adapters.postgres_errors import first_line, is_gone

if TYPE_CHECKING:
    from collections.abc import Callable

    from psycopg import Connection

HEAD = "0003"
"""The newest revision in `migrations/versions`; a test compares the two."""

_SCRIPTS = Path(__file__).parents[1] / "migrations"


def current_revision(connection: Connection[tuple[object, ...]], schema: str) -> tuple[str, str]:
    """Return the revision a schema is at and the comment on it; both empty when there is none."""
    query = sql.SQL("SELECT version_num, ({}) FROM {}").format(
        _comment_on(schema), sql.Identifier(schema, "alembic_version")
    )
    try:
        row = connection.execute(query).fetchone()
    except (psycopg.errors.UndefinedTable, psycopg.errors.InvalidSchemaName):
        return "", ""
    return (str(row[0]), str(row[1] or "")) if row else ("", "")


def comment_on(connection: Connection[tuple[object, ...]], schema: str) -> str | None:
    """Return the comment on a schema, which says whose it is; None when there is no such schema."""
    query = sql.SQL("SELECT coalesce(({}), '') WHERE to_regnamespace({}) IS NOT NULL").format(
        _comment_on(schema), sql.Literal(schema)
    )
    row = connection.execute(query).fetchone()
    return str(row[0]) if row else None


def set_comment(connection: Connection[tuple[object, ...]], schema: str, text: str) -> None:
    """Write the comment on a schema."""
    connection.execute(
        sql.SQL("COMMENT ON SCHEMA {} IS {}").format(sql.Identifier(schema), sql.Literal(text))
    )


def rename_schema(connection: Connection[tuple[object, ...]], schema: str, name: str) -> None:
    """Give a schema another name, with everything in it."""
    connection.execute(
        sql.SQL("ALTER SCHEMA {} RENAME TO {}").format(sql.Identifier(schema), sql.Identifier(name))
    )


def _comment_on(schema: str) -> sql.Composed:
    return sql.SQL("SELECT obj_description(to_regnamespace({}), 'pg_namespace')").format(sql.Literal(schema))


def upgrade(url: str, schema: str, *, check: Callable[[str], None], note: str) -> str:
    """Run every revision that the schema lacks, and return the newest.

    Args:
        url: Of the database.
        schema: Created when missing.
        check: Called with the comment on a schema that is there; raises where it is not ours.
        note: Becomes the comment on a schema that is created; empty for none.

    Raises:
        ServiceMissing: Postgres went away, or refuses connections.
        PipelineError: The schema is at a revision that this ragbed does not know, or a revision failed.
    """
    import alembic.command  # noqa: PLC0415 - 0.3 s to import
    import alembic.util  # noqa: PLC0415 - as above
    import sqlalchemy as sa  # noqa: PLC0415 - as above
    from alembic.config import Config  # noqa: PLC0415 - as above

    config = Config()
    config.set_main_option("script_location", str(_SCRIPTS).replace("%", "%%"))
    # By `creator` the URL reaches libpq as the user wrote it, sockets and options included.
    engine = sa.create_engine("postgresql+psycopg://", creator=lambda: connect(url), poolclass=sa.NullPool)
    try:
        with engine.begin() as connection:
            connection.execute(
                sa.text("SELECT pg_advisory_xact_lock(hashtextextended(:s, 1))"), {"s": schema}
            )
            driver: Any = connection.connection.driver_connection
            _claim(driver, schema, check=check, note=note)
            config.attributes.update(connection=connection, schema=schema)
            alembic.command.upgrade(config, "head")
    except (alembic.util.CommandError, sa.exc.SQLAlchemyError, psycopg.Error) as error:
        raise _failure(error, schema) from error
    return HEAD


def _failure(error: Exception, schema: str) -> RagbedError:
    """Return why a schema stays where it is, and what helps."""
    from ragbed.stack.services import tells_of_full_disk  # noqa: PLC0415 - pins and services take 0.3 s

    message = f"schema {schema} cannot be brought to revision {HEAD}: {first_line(error)}"
    driver = getattr(error, "orig", error)  # SQLAlchemy wraps what psycopg raised
    if tells_of_full_disk(str(error)):
        hint = "free some disk space where Postgres keeps its data, then run it again: nothing was changed"
    elif isinstance(driver, psycopg.Error) and is_gone(driver):
        return ServiceMissing(message, hint="ragbed status shows the services")
    else:
        hint = "take the ragbed that wrote it, or drop the namespace"
    return PipelineError(message, hint=hint)


def _claim(
    connection: Connection[tuple[object, ...]], schema: str, *, check: Callable[[str], None], note: str
) -> None:
    """Create a schema and say whose it is, or check whose it is; call it with the schema's lock held."""
    comment = comment_on(connection, schema)
    if comment is not None:
        check(comment)
        return
    connection.execute(sql.SQL("CREATE SCHEMA {}").format(sql.Identifier(schema)))
    if note:
        set_comment(connection, schema, note)
