"""The state folder of a checkout: its paths and locks, its identity, and how its files are written and read."""

from ragbed.state.folder import StateFolder, find_state_folder
from ragbed.state.identity import ProjectIdentity

__all__ = ["ProjectIdentity", "StateFolder", "find_state_folder"]
