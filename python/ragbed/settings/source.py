"""Where a setting's value came from: typed, so that no code has to read the words that a person sees."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

PROJECT_FILE, LOCAL_FILE = "ragbed.toml", "ragbed.local.toml"
SourceKind = Literal["default", "tier", "file", "environment", "flag", "override", "model_set"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """Where a value came from.

    Attributes:
        kind: The kind of source.
        name: The tier, file, variable or set of models; for a default, the provider that it is of, else empty.
        doubt: Why a developer's own file does not speak for this user, in words; empty where it does.
    """

    kind: SourceKind
    name: str = ""
    doubt: str = ""

    def __str__(self) -> str:
        """Return it in words: `default`, `tier local`, a file, `environment NAME`, `flag`, `override`."""
        if self.kind == "file":
            return f"{self.name} ({self.doubt})" if self.doubt else self.name
        before = {"default": "default of", "model_set": "default of set"}.get(self.kind, self.kind)
        return f"{before} {self.name}" if self.name else self.kind

    @property
    def short(self) -> str:
        """Return what a message calls it: a variable by its bare name, all else as in words."""
        return self.name if self.kind == "environment" else str(self)

    @property
    def is_chosen(self) -> bool:
        """Tell whether a person chose the value, beyond defaults and the tier."""
        return self.kind not in {"default", "tier", "model_set"}

    @property
    def level(self) -> str:
        """Return the place: a key goes only to an address of the same. Flags and variables are typed together."""
        if self.kind == "file":
            return self.name
        return "environment" if self.kind == "flag" else self.kind

    @property
    def may_lift_guards(self) -> bool:
        """Tell whether it speaks for the user: all do but files that a checkout may have brought along."""
        return self.kind != "file" or (self.name == LOCAL_FILE and not self.doubt)
