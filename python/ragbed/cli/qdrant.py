"""`ragbed qdrant`: serve the embedded Qdrant."""

from __future__ import annotations

from pathlib import Path

import click

from ragbed.cli.data_folder import data_option, data_or_default
from ragbed.cli.quarantine import quarantine


@click.group(epilog="Example: ragbed qdrant serve --port 6333")
def qdrant() -> None:
    """Serve the embedded Qdrant: Qdrant's REST API on Qdrant's own engine, without a Qdrant server."""


@qdrant.command(
    epilog="Example: ragbed qdrant serve --port 6333 --data ./qdrant-data",
    short_help="Serve on 127.0.0.1 until interrupted.",
)
@click.option("--port", type=int, default=6333, show_default=True, help="TCP port; 0 takes a free one.")
@data_option
@click.option(
    "--api-key-file",
    type=click.Path(dir_okay=False, path_type=Path),
    metavar="F",
    help="File with the key that clients must send.",
)
@click.option(
    "--read-only-api-key-file",
    type=click.Path(dir_okay=False, path_type=Path),
    metavar="F",
    help="File with another key, whose clients may only read.",
)
@click.option(
    "--no-optimize",
    is_flag=True,
    help="Build no index: searches stay exact (or set RAGBED_QDRANT_OPTIMIZE=0).",
)
@click.option(
    "--max-open",
    type=click.IntRange(min=1),
    default=64,
    show_default=True,
    metavar="N",
    help="Collections that hold their files open at once.",
)
@click.option(
    "--max-snapshot-mb",
    type=click.IntRange(min=1),
    default=16 * 1024,
    show_default=True,
    metavar="N",
    help="Largest snapshot that is taken in, packed and unpacked.",
)
@click.option(
    "--grpc-port",
    type=click.IntRange(0, 65535),
    show_default="the one after --port",
    metavar="N",
    help="Port where gRPC clients are told that there is no gRPC; 0 for none.",
)
def serve(
    *,
    port: int,
    data: Path | None,
    api_key_file: Path | None,
    read_only_api_key_file: Path | None,
    no_optimize: bool,
    max_open: int,
    max_snapshot_mb: int,
    grpc_port: int | None,
) -> None:
    """Serve on 127.0.0.1 until interrupted; prints one line once it answers."""
    from ragbed.cli.project import project_settings
    from ragbed.qdrant.server import serve as serve_qdrant

    project_settings()  # who may call it
    serve_qdrant(
        data=data_or_default(data),
        port=port,
        api_key_file=api_key_file,
        read_only_api_key_file=read_only_api_key_file,
        optimize=False if no_optimize else None,
        max_open=max_open,
        max_snapshot_mb=max_snapshot_mb,
        grpc_port=grpc_port,
    )


qdrant.add_command(quarantine)
