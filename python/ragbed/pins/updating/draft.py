"""The pin files as they would be: nothing is written before everything is known and has been checked."""

from __future__ import annotations

import difflib
import tempfile
from dataclasses import dataclass, field
from pathlib import Path

from ragbed.errors import PinFileError
from ragbed.pins.stack_file import StackPins, line_of, load_stack_pins
from ragbed.state.files import SHARED, write_together

STACK_FILE = "stack.toml"


@dataclass(slots=True)
class Draft:
    """Changes of a checkout's files, not yet written.

    Attributes:
        root: The checkout.
        changes: What changes, a line each.
    """

    root: Path
    changes: list[str] = field(default_factory=list)
    _texts: dict[str, str] = field(default_factory=dict)

    def text(self, name: str) -> str:
        """Return a file as it would be.

        Raises:
            PinFileError: It cannot be read.
        """
        if name not in self._texts:
            try:
                return (self.root / name).read_text(encoding="utf-8")
            except OSError as error:
                raise PinFileError(f"cannot read {self.root / name}: {error.strerror}") from error
        return self._texts[name]

    def write(self, name: str, text: str, *changes: str) -> None:
        """Take a file's new text, and say what changes by it."""
        self._texts[name] = text
        self.changes += changes

    def set_pin(self, keys: list[str], old: str, new: str) -> None:
        """Change one value of `stack.toml`, and leave everything else as it stands, comments too.

        Raises:
            PinFileError: The value does not stand where its key leads.
        """
        lines = self.text(STACK_FILE).splitlines(keepends=True)
        number = line_of("".join(lines), keys)
        written = f'{keys[-1]} = "{old}"'
        if not number or written not in lines[number - 1]:
            raise PinFileError(f"{STACK_FILE}: no {written} stands at {'.'.join(keys)}")
        lines[number - 1] = lines[number - 1].replace(written, f'{keys[-1]} = "{new}"', 1)
        self.write(STACK_FILE, "".join(lines), f"{'.'.join(keys)}: {old} -> {new}")

    def diff(self) -> str:
        """Return what would be written, as a unified diff."""
        return "".join(
            line
            for name, text in self._texts.items()
            for line in difflib.unified_diff(
                (self.root / name).read_text(encoding="utf-8").splitlines(keepends=True),
                text.splitlines(keepends=True),
                f"a/{name}",
                f"b/{name}",
                n=1,
            )
        )

    def pins(self) -> StackPins:
        """Return the pins as they would be.

        Raises:
            PinFileError: They would be wrong, a version outside its own range for example; names key and value.
        """
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder, STACK_FILE)
            path.write_text(self.text(STACK_FILE), encoding="utf-8")
            return load_stack_pins(path)

    def save(self) -> None:
        """Write every changed file; none changes unless all can be written."""
        write_together({self.root / name: text for name, text in self._texts.items()}, mode=SHARED)
