"""The launcher `container`: services from their pinned images, by Docker's or Podman's daemon."""

from ragbed.stack.launchers.container.launcher import ContainerLauncher

__all__ = ["ContainerLauncher"]
