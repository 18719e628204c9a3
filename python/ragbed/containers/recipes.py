"""What each local image is made of: Debian packages, files of ours, and how its container starts."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

PREFIX = "ragbed.local"
"""Begins every name: none of these images is upstream's."""

SUITE = "trixie"
"""Of Debian; its Postgres 17 and Redis 8 are in the range that `stack.toml` accepts."""

EPOCH = 1754697600
"""The time that every file bears which is younger: the day on which Debian released the suite, seconds since 1970."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RunConfig:
    """How a container of an image starts, as the image says it.

    Attributes:
        command: Default words; follow the entrypoint.
        entrypoint: Words that every container begins with.
        environ: Variables.
        user: Who runs it; empty for root.
        folder: Where it starts.
        volumes: Folders whose content outlives a container that names a volume for them.
        port: TCP port that it listens on; 0 for none.
        stop_signal: What asks it to end.
    """

    command: tuple[str, ...] = ()
    entrypoint: tuple[str, ...] = ()
    environ: Mapping[str, str] = field(default_factory=dict)
    user: str = ""
    folder: str = "/"
    volumes: tuple[str, ...] = ()
    port: int = 0
    stop_signal: str = "SIGTERM"


@dataclass(frozen=True, slots=True, kw_only=True)
class AddedFile:
    """A file that an image gets beside its packages.

    Attributes:
        path: Where it lies in the image, without the slash in front.
        source: Name of a file of ours; `ollama` is the program that `scripts/ollama` builds.
        mode: Permission bits.
    """

    path: str
    source: str
    mode: int = 0o755


@dataclass(frozen=True, slots=True, kw_only=True)
class Folder:
    """An empty folder of an image, for a volume.

    Attributes:
        path: Without the slash in front.
        owner: Name in the image's `/etc/passwd`.
        mode: Permission bits.
    """

    path: str
    owner: str
    mode: int = 0o750


@dataclass(frozen=True, slots=True, kw_only=True)
class Recipe:
    """An image made of Debian packages.

    Attributes:
        name: Follows the prefix.
        packages: Of Debian, beside its essential ones; none where those of the image below are enough.
        above: Name of the image whose layers are below its own; empty for the lowest.
        version_of: The package whose version the image bears; `ollama` for the program that we build.
        excluded: Path patterns that are left out of the packages.
        files: Ours.
        folders: For volumes.
        run: How its container starts.
    """

    name: str
    version_of: str
    packages: tuple[str, ...] = ()
    above: str = "base"
    excluded: tuple[str, ...] = ()
    files: tuple[AddedFile, ...] = ()
    folders: tuple[Folder, ...] = ()
    run: RunConfig = RunConfig()


@dataclass(frozen=True, slots=True, kw_only=True)
class DockerfileImage:
    """An image that the Dockerfile describes.

    Attributes:
        name: Follows the prefix; a target of the Dockerfile has the same.
        substitute: What it stands in for the real service by; empty for an application.
    """

    name: str
    substitute: str = ""


_COMMON = ("ca-certificates", "libstdc++6")

BASE = Recipe(name="base", above="", packages=_COMMON, version_of="base-files")
PYTHON = Recipe(name="python", packages=(*_COMMON, "python3"), version_of="python3.13")
POSTGRES = Recipe(
    name="postgres",
    packages=(*_COMMON, "postgresql-17", "postgresql-17-pgvector"),
    version_of="postgresql-17",
    # The compiler of queries weighs 160 MB; without it Postgres interprets them.
    excluded=(
        "/usr/lib/*/libLLVM*",
        "/usr/lib/*/libz3.*",
        "/usr/lib/postgresql/*/lib/bitcode/*",
        "*/llvmjit*",
    ),
    files=(AddedFile(path="usr/local/bin/start-postgres", source="start-postgres"),),
    folders=(
        Folder(path="run/postgresql", owner="postgres", mode=0o775),  # of the socket
        Folder(path="var/lib/postgresql/data", owner="postgres", mode=0o700),
    ),
    run=RunConfig(
        entrypoint=("start-postgres",),
        command=("postgres",),
        environ={
            "PATH": "/usr/local/bin:/usr/lib/postgresql/17/bin:/usr/bin:/bin",
            "PGDATA": "/var/lib/postgresql/data",
            "LANG": "C.UTF-8",
        },
        user="postgres",
        volumes=("/var/lib/postgresql",),
        port=5432,
        stop_signal="SIGINT",  # ends sessions; SIGTERM would wait for them
    ),
)
REDIS = Recipe(
    name="redis",
    packages=(*_COMMON, "redis-server"),
    version_of="redis-server",
    files=(AddedFile(path="usr/local/bin/start-redis", source="start-redis"),),
    folders=(Folder(path="data", owner="redis"),),
    run=RunConfig(
        entrypoint=("start-redis",),
        command=("redis-server",),
        user="redis",
        folder="/data",
        volumes=("/data",),
        port=6379,
    ),
)
OLLAMA = Recipe(
    name="ollama",
    version_of="ollama",
    files=(AddedFile(path="usr/bin/ollama", source="ollama"),),
    folders=(Folder(path="root/.ollama", owner="root", mode=0o755),),
    run=RunConfig(
        entrypoint=("/usr/bin/ollama",),
        command=("serve",),
        environ={"OLLAMA_HOST": "0.0.0.0:11434", "HOME": "/root"},
        volumes=("/root/.ollama",),
        port=11434,
    ),
)
ROOTS = (BASE, POSTGRES, PYTHON, REDIS, OLLAMA)
"""Made of Debian packages, in the order in which they are built."""

FROM_DOCKERFILE = (
    DockerfileImage(name="qdrant", substitute="embedded-qdrant"),
    DockerfileImage(name="mock-llm", substitute="mock-llm"),
    DockerfileImage(name="app"),
)
SERVICES = ("postgres", "redis", "qdrant", "ollama")
"""The services of `stack.toml`: an image of the same name is for each."""
