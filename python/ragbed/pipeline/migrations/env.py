"""Alembic's entry: runs the revisions on the connection and schema that `upgrade` hands over."""

from __future__ import annotations

from alembic import context

_attributes = context.config.attributes
context.configure(connection=_attributes["connection"], version_table_schema=_attributes["schema"])
with context.begin_transaction():
    context.run_migrations()
