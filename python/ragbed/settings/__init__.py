"""Settings: tiers, the order of sources, and where each value came from."""

from ragbed.settings import definitions
from ragbed.settings.definitions import Setting, all_settings
from ragbed.settings.kept_back import line_to_add
from ragbed.settings.llm import LlmChoice, choose_llm
from ragbed.settings.resolution import resolve_settings
from ragbed.settings.resolved import Resolved, Settings
from ragbed.settings.source import Source
from ragbed.settings.tiers import TIERS, Tier

__all__ = [
    "TIERS",
    "LlmChoice",
    "Resolved",
    "Setting",
    "Settings",
    "Source",
    "Tier",
    "all_settings",
    "choose_llm",
    "definitions",
    "line_to_add",
    "resolve_settings",
]
