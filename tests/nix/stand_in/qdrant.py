"""Stands in for the program qdrant: the embedded Qdrant, told by the real one's variables where to listen."""

import os
import sys

os.execv(  # noqa: S606 - our own server
    sys.executable,
    [
        sys.executable,
        "-m",
        "ragbed.qdrant",
        f"--host={os.environ['QDRANT__SERVICE__HOST']}",
        f"--port={os.environ['QDRANT__SERVICE__HTTP_PORT']}",
        f"--data={os.environ['QDRANT__STORAGE__STORAGE_PATH']}",
    ],
)
