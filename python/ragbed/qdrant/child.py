"""Child processes of the server: work that is long, or that is not trusted, beside it."""

from __future__ import annotations

import ctypes
import errno
import os
import signal
import subprocess
import sys
import time
from typing import TYPE_CHECKING, Any

import orjson

from ragbed.qdrant import errors
from ragbed.qdrant.errors import ApiError, DiskFull, WrongInput

if TYPE_CHECKING:
    from collections.abc import Callable

PR_SET_PDEATHSIG = 1
POLL_S = 0.05


def end_with_parent(parent: int) -> bool:
    """Have the kernel end this process with the one that started it; say whether that is still there.

    Args:
        parent: Process id of the parent, read first of all.
    """
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    return os.getppid() == parent


def answered(answer: Callable[[Any], Any]) -> int:
    """Answer the JSON on stdin by JSON on stdout, for `asked` in the parent; return the exit code."""
    try:
        told = {"result": answer(orjson.loads(sys.stdin.buffer.read()))}
    except ApiError as error:
        told = _refusal(error)
    except OSError as error:
        lacks = error.errno in (errno.ENOSPC, errno.EDQUOT)
        told = _refusal((DiskFull if lacks else ApiError)(error.strerror or str(error)))
    sys.stdout.buffer.write(orjson.dumps(told))
    return 0


def _refusal(error: ApiError) -> dict[str, str]:
    return {"error": type(error).__name__, "message": str(error).removeprefix(error.prefix)}


def asked(module: str, request: Any, *, is_cancelled: Callable[[], bool], timeout_s: float) -> Any:
    """Return what a module of ours answers in a process of its own.

    Args:
        module: Run by `python -m`; it calls `answered`.
        request: JSON value, which no other process of this machine can read.
        is_cancelled: Asked all the time; once true, the process is killed.
        timeout_s: How long it may take.

    Raises:
        ApiError: The module answered with it, by its own class; it was cancelled, or took too long.
        WrongInput: The process died: what it was given broke it.
    """
    until = time.monotonic() + timeout_s
    with subprocess.Popen(
        [sys.executable, "-P", "-s", "-m", module],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
    ) as process:
        sent: bytes | None = orjson.dumps(request)
        while True:
            try:
                output, _ = process.communicate(sent, timeout=POLL_S)
                break
            except subprocess.TimeoutExpired:
                sent = None
                if why := _reason_to_stop(until, timeout_s, is_cancelled):
                    process.kill()
                    process.communicate()
                    raise ApiError(why) from None
    return _result(output, process.returncode)


def _reason_to_stop(until: float, timeout_s: float, is_cancelled: Callable[[], bool]) -> str | None:
    if is_cancelled():
        return "given up: the client has gone, or the server stops"
    return f"given up after {timeout_s:g} s" if time.monotonic() > until else None


def _result(output: bytes, exit_code: int) -> Any:
    if exit_code or not output:
        raise WrongInput(f"the process that looked into it ended with {exit_code}")
    told = orjson.loads(output)
    if "error" in told:
        kind: type[ApiError] = getattr(errors, told["error"], ApiError)
        error = kind.__new__(kind)
        Exception.__init__(error, told["message"])
        raise error
    return told["result"]
