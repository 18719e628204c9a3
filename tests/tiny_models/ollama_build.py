"""Build a real Ollama with the Go toolchain: the version that `stack.toml` pins, checked by its sums.

The module lacks a few C++ headers. Two come from the system's packages, one is a stand-in of ours.
"""

from __future__ import annotations

import json
import os
import shlex
import shutil
import subprocess
import sys
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING

from ragbed.errors import DriftError, ServiceMissing
from ragbed.pins import load_stack_pins
from tiny_models.cached import built_once, tools_folder

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ragbed.pins import GoChannel

HEADERS = Path(__file__).with_name("headers")
_WANTED = {"nlohmann/json.hpp": "nlohmann-json3-dev", "stb/stb_image.h": "libstb-dev"}
_FOLDERS = ("/usr/local/include", "/opt/homebrew/include", "/opt/local/include")
_CPU_FLAGS = {"avx2": "-mavx2", "fma": "-mfma", "f16c": "-mf16c", "bmi2": "-mbmi2"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Recipe:
    """All that decides which program comes out.

    Attributes:
        module: Path of the Go module.
        version: Its version.
        sums: Of its files and of its `go.mod`.
        includes: Folders with headers that the compiler does not look in by itself.
        header: Digest of our stand-in.
        flags: For the C and C++ compiler.
        tools: Versions of the Go toolchain and of the compiler.
    """

    module: str
    version: str
    sums: tuple[str, str]
    includes: tuple[str, ...]
    header: str
    flags: tuple[str, ...]
    tools: tuple[str, ...]

    @property
    def folder(self) -> Path:
        """Where the program is kept: another recipe, another folder."""
        values = [getattr(self, name) for name in self.__slots__]
        key = sha256(json.dumps(values).encode()).hexdigest()[:12]
        return tools_folder() / "ollama" / f"{self.version}-{key}"


def build() -> Path:
    """Return the program, building it where it is not there yet.

    Raises:
        ServiceMissing: Something is not there that the build needs.
        DriftError: The module is another one than the pinned.
    """
    recipe = _recipe(_pinned())
    return built_once(recipe.folder, lambda folder: _compile(recipe, folder)) / "ollama"


def newest_built() -> Path | None:
    """Return the program of the pinned version that was built last; None where none has been.

    It asks neither for Go nor for a compiler: a cache that was brought along serves as well.
    """
    programs = (tools_folder() / "ollama").glob(f"{_pinned().version}-*/ollama")
    return max(programs, key=lambda program: program.stat().st_mtime, default=None)


def _pinned() -> GoChannel:
    pinned = load_stack_pins()["ollama"].channels.go
    if pinned is None:
        raise ServiceMissing("stack.toml pins no Ollama for the Go toolchain")
    return pinned


def _recipe(pinned: GoChannel) -> Recipe:
    if not shutil.which("go"):
        raise ServiceMissing("there is no Go toolchain to build Ollama with")
    c_compiler, compiler = _say("go", "env", "CC", "CXX").splitlines()
    for one in (c_compiler, compiler):
        if not shutil.which(shlex.split(one)[0]):
            raise ServiceMissing(f"there is no compiler {one} to build Ollama with")
    return Recipe(
        module=pinned.module,
        version=pinned.version,
        sums=(pinned.sum, pinned.go_mod_sum),
        includes=_includes(compiler),
        header=sha256((HEADERS / "miniaudio" / "miniaudio.h").read_bytes()).hexdigest(),
        flags=("-O3", "-w", *_flags_of_this_cpu()),
        tools=(_say("go", "env", "GOVERSION"), _say(*shlex.split(compiler), "--version").splitlines()[0]),
    )


def _includes(compiler: str) -> tuple[str, ...]:
    """Return the folders to search, having installed what is missing where we may."""
    missing = _missing_headers(compiler)
    if missing and os.geteuid() == 0 and shutil.which("apt-get"):
        print(f"installing {' and '.join(missing)}", file=sys.stderr, flush=True)
        for words in (["update", "-qq"], ["install", "-y", "-qq", *missing]):
            subprocess.run(["apt-get", *words], stdout=subprocess.DEVNULL, check=False)
        missing = _missing_headers(compiler)
    if missing:
        raise ServiceMissing(f"there are no headers of {' and '.join(missing)} to build Ollama with")
    return _known_folders()


def _known_folders() -> tuple[str, ...]:
    return tuple(folder for folder in _FOLDERS if any(Path(folder, name).exists() for name in _WANTED))


def _missing_headers(compiler: str) -> list[str]:
    """Return the Debian packages of the headers that the compiler itself does not find."""
    folders = [f"-I{folder}" for folder in _known_folders()]
    asked = [f"#if !__has_include(<{header}>)\n{package}\n#endif" for header, package in _WANTED.items()]
    words = [*shlex.split(compiler), *folders, "-x", "c++", "-E", "-P", "-"]
    done = subprocess.run(words, input="\n".join(asked) + "\n", capture_output=True, text=True, check=False)
    if done.returncode:
        raise ServiceMissing(f"{compiler} does not compile: {_last_line(done.stderr)}")
    return done.stdout.split()


def _flags_of_this_cpu() -> list[str]:
    """Return what makes embeddings twenty times faster; none on ARM, whose compilers take the vector unit anyway."""
    try:
        told = Path("/proc/cpuinfo").read_text(encoding="utf-8")
    except OSError:
        return []
    can = {word for line in told.splitlines() if line.startswith("flags") for word in line.split()}
    return [flag for name, flag in _CPU_FLAGS.items() if name in can]


def _compile(recipe: Recipe, folder: Path) -> None:
    _require_pinned(recipe)
    print(f"building Ollama {recipe.version} with Go, 3 to 6 minutes, once", file=sys.stderr, flush=True)
    stamp = f"-s -w -X {recipe.module}/version.Version={recipe.version}"
    words = ["go", "install", "-ldflags", stamp, f"{recipe.module}@v{recipe.version}"]
    done = subprocess.run(
        words,
        env=_variables(recipe, folder),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise ServiceMissing(
            f"Go did not build Ollama: {_last_line(done.stderr)}", details=done.stderr.splitlines()[-20:-1]
        )


def _require_pinned(recipe: Recipe) -> None:
    """Fetch the module and compare it with the pins, before anything in it is compiled."""
    words = ["go", "mod", "download", "-json", f"{recipe.module}@v{recipe.version}"]
    done = subprocess.run(
        words, capture_output=True, text=True, check=False, cwd="/", stdin=subprocess.DEVNULL
    )
    try:
        told = json.loads(done.stdout)
    except ValueError:
        raise ServiceMissing(f"Go did not fetch Ollama: {_last_line(done.stderr)}") from None
    if "Error" in told:
        raise ServiceMissing(f"Go did not fetch Ollama: {_last_line(told['Error'])}")
    found = (told["Sum"], told["GoModSum"])
    if found != recipe.sums:
        raise DriftError(
            f"{recipe.module} {recipe.version} is not the pinned one",
            details=[f"found  {' '.join(found)}", f"pinned {' '.join(recipe.sums)}"],
            hint="do not build it; find out who changed it, then correct sum and go_mod_sum in stack.toml",
        )


def _variables(recipe: Recipe, folder: Path) -> Mapping[str, str]:
    flags = " ".join(recipe.flags)
    return {
        **os.environ,
        "GOBIN": str(folder),
        "GOFLAGS": f"{os.environ.get('GOFLAGS', '')} -mod=mod -buildvcs=false",
        "CGO_ENABLED": "1",
        "CGO_CPPFLAGS": shlex.join(f"-I{path}" for path in (HEADERS, *recipe.includes)),
        "CGO_CFLAGS": flags,
        "CGO_CXXFLAGS": flags,
    }


def _say(*words: str) -> str:
    """Return what a program prints."""
    return subprocess.run(words, capture_output=True, text=True, check=False, cwd="/").stdout.strip()


def _last_line(text: str) -> str:
    lines = text.strip().splitlines()
    return lines[-1] if lines else "it said nothing"
