"""What pip is told to download for another system than the one it runs on."""

from __future__ import annotations

import pytest

from ragbed.pins.updating.wheels import requirements_on

LOCK = """\
everywhere==1.0 \\
    --hash=sha256:aa \\
    --hash=sha256:bb
old==1.0 ; python_full_version < '3.12' \\
    --hash=sha256:cc
loop==1.0 ; sys_platform != 'win32' \\
    --hash=sha256:dd
mac==1.0 ; sys_platform == 'darwin' and platform_machine == 'arm64' \\
    --hash=sha256:ee
"""


@pytest.mark.parametrize(
    ("system", "version", "names"),
    [
        ("x86_64-linux", "3.13.1", ["everywhere", "loop"]),
        ("aarch64-darwin", "3.13.1", ["everywhere", "loop", "mac"]),
        ("aarch64-linux", "3.11.9", ["everywhere", "old", "loop"]),
    ],
)
def test_conditions_are_judged_for_the_system_asked_for(system: str, version: str, names: list[str]) -> None:
    """Pip would judge them by the Python it runs on: they are judged before, and taken away."""
    text = requirements_on(system, LOCK, version)

    assert [line.partition("==")[0] for line in text.splitlines() if "==" in line] == names
    assert ";" not in text


def test_every_hash_stays_with_its_package() -> None:
    """Pip takes no file that the lock does not name."""
    text = requirements_on("x86_64-linux", LOCK, "3.13.1")

    assert text.startswith(
        "everywhere==1.0 \\\n    --hash=sha256:aa \\\n    --hash=sha256:bb\nloop==1.0 \\\n"
    )
