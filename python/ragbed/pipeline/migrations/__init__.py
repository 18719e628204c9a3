"""The schema of a namespace in Postgres, by Alembic."""
