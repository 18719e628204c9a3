# shellcheck shell=bash
# Sourced by the other scripts: sets `root` and `python`, making the virtual environment when it is needed.

root=$(unset CDPATH && cd "$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")/.." && pwd)
venv=${RAGBED_VENV:-$root/.venv}
python=$venv/bin/python

die() {
  printf '%s\n' "$@" >&2
  exit 2
}

# The first Python that is new enough, by the usual names.
find_python() {
  local name
  for name in ${PYTHON:+"$PYTHON"} python3 python3.13 python3.12 python3.11 python3.14; do
    if "$name" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then
      command -v "$name"
      return
    fi
  done
  die "ragbed needs Python 3.11 or newer, and found none on PATH" "try: install it, or set PYTHON=/path/to/python3.11"
}

# What an installed environment depends on: the lock, the package's metadata, and where the checkout lies.
fingerprint() {
  printf '%s\n' "$root"
  cat "$root/requirements.lock" "$root/pyproject.toml"
}

owner_of() {
  stat -c %U "$1" 2>/dev/null || stat -f %Su "$1" 2>/dev/null || echo "somebody else"
}

# An environment made by another user may have a Python that this one cannot run.
is_installed() {
  fingerprint | cmp -s - "$venv/ragbed.stamp" && [ -x "$python" ]
}

install() {
  local base
  base=$(find_python)
  "$base" -c 'import venv, ensurepip' 2>/dev/null ||
    die "$base has no venv module: install the package python$("$base" -c 'import sys; print("%d.%d" % sys.version_info[:2])')-venv"
  local target=$venv
  [ -e "$target" ] || target=$(dirname "$venv")
  mkdir -p "$target" 2>/dev/null || true
  [ -w "$target" ] ||
    die "cannot write $target: it belongs to $(owner_of "$target"), and you are $(id -un)" \
      "try: RAGBED_VENV=\$HOME/.cache/ragbed-venv $0"
  # One installer at a time: a second one waits for the lock, then finds the work done.
  "$base" - "$venv.lock" "$base" "$root" "$venv" <<'PYTHON'
import fcntl, subprocess, sys
from pathlib import Path

lock, base, root, venv = sys.argv[1:]
with Path(lock).open("w") as held:
    fcntl.flock(held, fcntl.LOCK_EX)
    stamp = Path(venv, "ragbed.stamp")
    want = root + "\n" + Path(root, "requirements.lock").read_text() + Path(root, "pyproject.toml").read_text()
    has_python = Path(venv, "bin/python").exists()  # not so when the system's Python behind it has gone
    if has_python and stamp.exists() and stamp.read_text() == want:
        raise SystemExit(0)
    print(f"ragbed: installing its Python packages into {venv} (once; about a minute)", file=sys.stderr, flush=True)
    # An environment made here is brought up to date in place; one that was moved, or broke, is made anew.
    made_here = has_python and stamp.exists() and stamp.read_text().splitlines()[0] == root
    stamp.unlink(missing_ok=True)
    pip = [f"{venv}/bin/python", "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-input"]
    steps = [
        *([] if made_here else [[base, "-m", "venv", "--clear", venv]]),
        [*pip, "--require-hashes", "--only-binary", ":all:", "-r", f"{root}/requirements.lock"],
        [*pip, "--no-deps", "--no-build-isolation", "--editable", root],
    ]
    for step in steps:
        if subprocess.run(step, stdin=subprocess.DEVNULL).returncode:
            print("ragbed: this step failed: " + " ".join(step), file=sys.stderr)
            raise SystemExit(2)
    stamp.write_text(want)
PYTHON
}

# Inside a Nix shell whose Python has ragbed and what it needs, that one is used. Not asked for `ragbed` alone, which the
# source folder also answers to (-P leaves the current folder out).
if [ -n "${IN_NIX_SHELL:-}" ] && python3 -P -c 'import ragbed.pins, click' 2>/dev/null; then
  python=$(command -v python3)
elif ! is_installed 2>/dev/null; then
  install
fi
