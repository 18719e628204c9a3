"""A version of the index, which every ingest that writes raises: readers keep what they know of one.

Revision ID: 0003
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import context, op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the column; an index that is there has the first version."""
    schema = context.config.attributes["schema"]
    op.add_column(
        "index_state", sa.Column("version", sa.BigInteger, nullable=False, server_default="0"), schema=schema
    )


def downgrade() -> None:
    """Drop the column."""
    op.drop_column("index_state", "version", schema=context.config.attributes["schema"])
