"""Which folders the documents of the index came from.

Revision ID: 0002
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import context, op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create the table of folders; documents that are there already came from the first one."""
    schema = context.config.attributes["schema"]
    op.create_table(
        "source_folders",
        sa.Column("prefix", sa.Text, primary_key=True),
        sa.Column("folder", sa.Text, nullable=False, unique=True),
        schema=schema,
    )
    op.add_column("documents", sa.Column("source", sa.Text, nullable=False, server_default=""), schema=schema)


def downgrade() -> None:
    """Drop the table and the column."""
    schema = context.config.attributes["schema"]
    op.drop_column("documents", "source", schema=schema)
    op.drop_table("source_folders", schema=schema)
