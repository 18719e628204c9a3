"""The texts whose vectors, and the prompts whose answers, stand for all others."""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cache
from hashlib import sha256
from importlib.resources import files
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from collections.abc import Mapping

Purpose = Literal["embedding", "chat"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Canaries:
    """What models are asked.

    Attributes:
        texts: To embed, by name: short, long, code, several scripts, almost nothing. None exceeds 256 tokens, which
            is all that the smallest context of the lock takes.
        prompts: To answer, by name.
    """

    texts: Mapping[str, str]
    prompts: Mapping[str, str]

    def asked_of(self, purpose: Purpose) -> Mapping[str, str]:
        """Return what a model of that purpose is asked."""
        return self.texts if purpose == "embedding" else self.prompts

    def key(self, purpose: Purpose) -> str:
        """Return what tells these canaries from others: what was asked otherwise cannot be compared."""
        return sha256(json.dumps(dict(self.asked_of(purpose))).encode()).hexdigest()[:12]


@cache
def load_canaries() -> Canaries:
    """Return the canaries of this version of ragbed."""
    text = files("ragbed.models.fingerprint").joinpath("canaries.json").read_text(encoding="utf-8")
    value = json.loads(text)
    return Canaries(texts=value["texts"], prompts=value["prompts"])
