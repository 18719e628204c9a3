"""One setting: its key, type, safe default and environment variables."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Generic, Literal, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable

T = TypeVar("T")


@dataclass(frozen=True, slots=True, kw_only=True)
class Setting(Generic[T]):
    """One setting.

    Attributes:
        key: `section.name`, as in `ragbed.toml`.
        kind: The type that a value is read as: str, int, float, bool, or dict, which has a reader.
        default: The safe production default, the first of all sources.
        env: Environment variables of the field that are honoured, beside `RAGBED_SECTION__NAME`.
        secret: Whether the value is hidden wherever it is shown, and may be given as `…_FILE`.
        choices: The only values allowed; empty allows all.
        old_choices: Earlier words for choices, each with its choice; they are still read.
        old_key: Its earlier key, which is still read in files, flags and overrides; empty for none.
        help: What it does, one line.
        reader: Checks a table, from a file or as JSON, and names the source where it is wrong.
        loosens: Which of its values lift a guard: `given`, any value; `more`, a larger number than the one before;
            `off`, false where it was true; empty, none does. A project's file, which comes with a checkout, can only
            tighten guards.
        not_yet: What it is for and is not there yet, a clause; empty where the value counts.
        not_yet_values: The only values of which `not_yet` speaks; empty means every value.
    """

    key: str
    kind: type[T]
    default: T
    help: str
    env: tuple[str, ...] = ()
    secret: bool = False
    choices: tuple[str, ...] = ()
    old_choices: tuple[tuple[str, str], ...] = ()
    old_key: str = ""
    reader: Callable[[object, str], T] | None = None
    loosens: Literal["", "given", "more", "off"] = ""
    not_yet: str = ""
    not_yet_values: tuple[T, ...] = ()

    @property
    def own_variable(self) -> str:
        """The environment variable in ragbed's own form."""
        section, _, name = self.key.partition(".")
        return f"RAGBED_{section.upper()}__{name.upper()}"

    @property
    def described(self) -> str:
        """What it does, and what of that is not there yet, in sentences."""
        if not self.not_yet:
            return self.help
        where = f" with {', '.join(map(str, self.not_yet_values))}" if self.not_yet_values else ""
        return f"{self.help} Not there yet{where}: {self.not_yet}."

    def is_looser(self, value: T, before: T) -> bool:
        """Tell whether a value lifts a guard that the one before it has set.

        Args:
            value: The new value.
            before: The value in force until then.
        """
        if self.loosens == "given":
            return value not in {before, self.default}
        if self.loosens == "more":
            return bool(value > before)  # type: ignore[operator]
        return self.loosens == "off" and bool(before) and not value


def text(key: str, default: str, help: str, **more: Any) -> Setting[str]:  # noqa: A002 - as in the record
    """Return a setting of text."""
    return Setting(key=key, kind=str, default=default, help=help, **more)


def whole(key: str, default: int, help: str, **more: Any) -> Setting[int]:  # noqa: A002 - as in the record
    """Return a setting that is a whole number of at least 0."""
    return Setting(key=key, kind=int, default=default, help=help, **more)


def number(key: str, default: float, help: str, **more: Any) -> Setting[float]:  # noqa: A002 - as above
    """Return a setting that is a number of at least 0."""
    return Setting(key=key, kind=float, default=default, help=help, **more)


def switch(key: str, default: bool, help: str, **more: Any) -> Setting[bool]:  # noqa: A002 - as above
    """Return a setting that is true or false."""
    return Setting(key=key, kind=bool, default=default, help=help, **more)
