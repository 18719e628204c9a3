"""Namespaces that an older ragbed or another project made, made this project's: `ragbed adopt` does it, and says so.

An older ragbed wrote down no project, and all projects shared the namespace `default`.
"""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import psycopg
from psycopg import sql

from ragbed.errors import PipelineError, ServiceMissing
from ragbed.guard.libpq import connect
from ragbed.guard.stores import read_note
from ragbed.pipeline.adapters.http import ask_service
from ragbed.pipeline.adapters.migrations import comment_on, current_revision, rename_schema, set_comment
from ragbed.pipeline.adapters.qdrant import NOTE
from ragbed.pipeline.config import StoreConfig

if TYPE_CHECKING:
    from pathlib import Path

    from ragbed.pipeline.config import PipelineConfig


_HOLDERS = {"postgres": "database_url", "qdrant": "qdrant_url"}
"""The stores that hold namespaces, and the field of each address."""


def store_of(service: str, url: str, *, api_key: str | None, gaps_dir: Path) -> StoreConfig | None:
    """Return the one store in which namespaces are to be taken over; None where the service holds none.

    Args:
        service: Its name.
        url: Its address.
        api_key: Qdrant's key; None for none.
        gaps_dir: Where gap records go.
    """
    if service not in _HOLDERS:
        return None
    field = _HOLDERS[service]
    return StoreConfig(
        database_url=url if field == "database_url" else "",
        redis_url="",
        qdrant_url=url if field == "qdrant_url" else "",
        qdrant_api_key=api_key,
        gaps_dir=gaps_dir,
    )


def take_over(config: PipelineConfig, *, from_others: bool) -> list[str]:
    """Make what Postgres and Qdrant hold of a namespace this project's, and return what was done, a line each.

    Args:
        config: The namespace, the project, and the stores; one whose address is empty is left out.
        from_others: Take what another project owns, too, as the user asked for by name.

    Raises:
        ServiceMissing: A store does not answer.
        PipelineError: A store refused.
    """
    done = []
    if config.stores.database_url:
        done += _in_postgres(config, from_others=from_others)
    if config.stores.qdrant_url:
        done += _in_qdrant(config, from_others=from_others)
    return done


def _in_postgres(config: PipelineConfig, *, from_others: bool) -> list[str]:
    """Rename the schema where this project calls it otherwise, and write down whose it is."""
    older = _older(config)
    try:
        with connect(config.stores.database_url) as connection, connection.transaction():
            connection.execute("SELECT pg_advisory_xact_lock(hashtextextended(%s, 1))", [older])
            revision, note = current_revision(connection, older)
            if not revision or not _may_take(config, note, from_others=from_others):
                return []
            if older != config.schema:
                if comment_on(connection, config.schema) is not None and not _drop_unused(
                    connection, config.schema
                ):
                    return [f"schema {older} is left: this project has {config.schema} already"]
                rename_schema(connection, older, config.schema)
            set_comment(connection, config.schema, config.note)
    except psycopg.OperationalError as error:
        raise ServiceMissing(f"Postgres has gone while taking over {older}: {_line(error)}") from error
    except psycopg.Error as error:
        raise PipelineError(f"Postgres refused to hand over {older}: {_line(error)}") from error
    return [f"schema {older} {_whose(note)} is this project's now, as {config.schema}"]


def _drop_unused(connection: psycopg.Connection[Any], schema: str) -> bool:
    """Drop a schema that a mere question made, and tell whether it was one."""
    for table in ("index_state", "documents", "gaps"):
        query = sql.SQL("SELECT 1 FROM {} LIMIT 1").format(sql.Identifier(schema, table))
        if connection.execute(query).fetchone():
            return False
    connection.execute(sql.SQL("DROP SCHEMA {} CASCADE").format(sql.Identifier(schema)))
    return True


def _in_qdrant(config: PipelineConfig, *, from_others: bool) -> list[str]:
    """Move the alias where this project calls it otherwise, and write down whose the collection is."""
    older = _older(config)
    aliases = {
        one["alias_name"]: one["collection_name"] for one in _ask(config, "GET", "/aliases")["aliases"]
    }
    collection = aliases.get(older)
    if collection is None:
        return []
    described = _ask(config, "GET", f"/collections/{collection}")
    note = str((described["config"].get("metadata") or {}).get(NOTE, ""))
    if not _may_take(config, note, from_others=from_others):
        return []
    actions: list[dict[str, object]] = []
    if older != config.alias:
        if config.alias in aliases:
            return [f"the index {older} is left: this project has {config.alias} already"]
        named = {"alias_name": config.alias, "collection_name": collection}
        actions = [{"delete_alias": {"alias_name": older}}, {"create_alias": named}]
    _ask(config, "PATCH", f"/collections/{collection}", {"metadata": {NOTE: config.note}})
    if actions:
        _ask(config, "POST", "/collections/aliases", {"actions": actions})
    return [f"the index {older} {_whose(note)} is this project's now, as {config.alias}"]


def _older(config: PipelineConfig) -> str:
    """Return what the namespace is called where no project's id is in its name."""
    return replace(config, project_id="").schema


def _may_take(config: PipelineConfig, note: str, *, from_others: bool) -> bool:
    owner = read_note(note)
    if owner and owner[0] == config.project_id:
        return _older(config) != config.schema  # a takeover that was cut short
    return owner is None or from_others


def _whose(note: str) -> str:
    owner = read_note(note)
    return f"of {owner[1]} ({owner[0]})" if owner else "of an older ragbed"


def _ask(config: PipelineConfig, method: str, path: str, body: object = None) -> dict[str, Any]:
    key = config.stores.qdrant_api_key
    answer = ask_service(
        method,
        config.stores.qdrant_url.rstrip("/") + path,
        service="Qdrant",
        body=body,
        headers={"api-key": key} if key else None,
        timeout_s=config.limits.connect_timeout_s,
    )
    if answer.status != 200 or not isinstance(answer.value, dict):
        raise PipelineError(
            f"Qdrant answered {answer.status} to {method} {path}: {json.dumps(answer.value)[:200]}"
        )
    result = answer.value["result"]
    return result if isinstance(result, dict) else {}


def _line(error: Exception) -> str:
    return str(error).strip().split("\n", 1)[0]
