"""Ledger of what is in the index, and the gaps.

Revision ID: 0001
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import context, op
from sqlalchemy.dialects.postgresql import ARRAY, JSONB

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create the tables."""
    schema = context.config.attributes["schema"]
    op.create_table(
        "index_state",
        sa.Column(
            "only_row", sa.Boolean, sa.CheckConstraint("only_row"), primary_key=True, server_default=sa.true()
        ),
        sa.Column("collection", sa.Text, nullable=False),
        sa.Column("fingerprint", sa.Text, nullable=False),
        sa.Column("model_digest", sa.Text, nullable=False),
        sa.Column("dimensions", sa.Integer, nullable=False),
        schema=schema,
    )
    op.create_table(
        "documents",
        sa.Column("path", sa.Text, primary_key=True),
        sa.Column(
            "content_hash", sa.Text, nullable=False, comment="empty while an ingest writes the document"
        ),
        sa.Column("chunks", sa.Integer, nullable=False),
        sa.Column("terms", ARRAY(sa.Text), nullable=False, server_default="{}"),
        sa.Column("updated", sa.Date),
        sa.Column("indexed_at", sa.DateTime(timezone=True), nullable=False, server_default=sa.func.now()),
        schema=schema,
    )
    op.create_index("documents_terms", "documents", ["terms"], schema=schema, postgresql_using="gin")
    op.create_table(
        "gaps",
        sa.Column("id", sa.Text, primary_key=True),
        sa.Column("question", sa.Text, nullable=False),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("subject", sa.Text, nullable=False),
        sa.Column("reasons", JSONB, nullable=False),
        sa.Column("queries", JSONB, nullable=False),
        sa.Column("evidence", JSONB, nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("last_asked_at", sa.DateTime(timezone=True), nullable=False, server_default=sa.func.now()),
        sa.Column("times_asked", sa.Integer, nullable=False, server_default="1"),
        schema=schema,
    )


def downgrade() -> None:
    """Drop the tables."""
    schema = context.config.attributes["schema"]
    for table in ("gaps", "documents", "index_state"):
        op.drop_table(table, schema=schema)
