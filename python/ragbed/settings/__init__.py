"""Settings: tiers, the order of sources, and where each value came from."""

from ragbed.settings import definitions
from ragbed.settings.handed_down import application_environ, log_level, server_environ
from ragbed.settings.kept_back import line_to_add
from ragbed.settings.llm import LlmChoice, choose_llm
from ragbed.settings.not_yet import not_there_yet
from ragbed.settings.registry import all_settings
from ragbed.settings.resolution import resolve_settings
from ragbed.settings.resolved import Resolved, Settings
from ragbed.settings.setting import Setting
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
    "application_environ",
    "choose_llm",
    "definitions",
    "line_to_add",
    "log_level",
    "not_there_yet",
    "resolve_settings",
    "server_environ",
]
