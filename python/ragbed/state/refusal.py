"""What to say when the system refuses a file of the state folder: whose folder it is, and what helps."""

from __future__ import annotations

import errno
import os
import shlex
from typing import TYPE_CHECKING

from ragbed.errors import ConfigurationError

if TYPE_CHECKING:
    from pathlib import Path


def refused(root: Path, error: OSError) -> ConfigurationError:
    """Return the error of a command whose state folder cannot be written or read.

    Args:
        root: The state folder.
        error: What the system said.
    """
    details = []
    existing = next(path for path in (root, *root.parents) if os.path.exists(path))  # noqa: PTH110 - False where we may not look
    owner = existing.stat().st_uid
    if owner != os.geteuid():
        details.append(f"{existing} belongs to user id {owner}, and you are {os.geteuid()}")
    hint = "set RAGBED_STATE_DIR to a folder of yours"
    if owner == 0 and os.geteuid() != 0:
        hint = f"it was made by root: `sudo chown -R $USER {shlex.quote(str(existing))}`, or {hint}"
    if error.errno in {errno.ENOSPC, errno.EDQUOT}:
        hint = f"free some disk space below {existing}, or {hint}"
    return ConfigurationError(
        f"cannot write the state folder {root}: {error.strerror or error}",
        details=details,
        hint=hint,
    )
