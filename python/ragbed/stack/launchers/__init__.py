"""What starts services, keeps their logs and ends them: the contract, a module or folder per launcher."""

from ragbed.stack.launchers.contract import Launcher, Ready, Running, StartOrder

__all__ = ["Launcher", "Ready", "Running", "StartOrder"]
