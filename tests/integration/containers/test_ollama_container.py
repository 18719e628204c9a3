"""A real Ollama in a container, on models of this machine."""

from __future__ import annotations

from typing import TYPE_CHECKING

from container_project import ContainerProject, container_project

from real_ollama import tiny_models

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["container_project", "tiny_models"]


def test_an_ollama_serves_the_models_folder_read_only(
    container_project: ContainerProject, tiny_models: Path
) -> None:
    """It has loaded the wanted models, and cannot change the folder."""
    environ = {
        "MODEL_PROVIDER": "ollama",
        "OLLAMA_MODELS": str(tiny_models),
        "RAGBED_LLM__MODEL": "made-tiny",
        "RAGBED_EMBEDDING__MODEL": "made-minilm",
    }
    words = ("up", "-d", "--launcher", "ollama=container")

    done = container_project.command.run(*words, timeout_s=240, **environ)
    services = {one["name"]: one for one in container_project.command.json("status")["services"]}
    container = container_project.containers().get("ollama")

    assert done.returncode == 0, done.stderr
    assert container is not None
    assert (services["ollama"]["product"], services["ollama"]["launcher"]) == ("ollama", "container")
    assert services["ollama"]["provenance"]["models"] == str(tiny_models)
    mounts = [(one["Source"], one["RW"]) for one in container.attrs["Mounts"] if one["Type"] == "bind"]
    assert mounts == [(str(tiny_models), False)]
