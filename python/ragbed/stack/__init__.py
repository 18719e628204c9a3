"""Services and their launchers: attach, process; readiness, leases, up, down, status."""

from typing import TYPE_CHECKING

from ragbed.lazy import public_names
from ragbed.project import project_folder

if TYPE_CHECKING:
    from ragbed.stack.building import StackBuilder
    from ragbed.stack.endpoint import SERVICES, Endpoint
    from ragbed.stack.finding import Found, find_services
    from ragbed.stack.lifecycle import down, reset, restart_dead, up
    from ragbed.stack.reaping import running_record
    from ragbed.stack.session import running_stack
    from ragbed.stack.stack import Stack
    from ragbed.stack.threads import num_thread, num_thread_at

__all__ = [
    "SERVICES",
    "Endpoint",
    "Found",
    "Stack",
    "StackBuilder",
    "down",
    "find_services",
    "num_thread",
    "num_thread_at",
    "project_folder",
    "reset",
    "restart_dead",
    "running_record",
    "running_stack",
    "up",
]

__getattr__ = public_names(
    __name__,
    {
        "Stack": "stack",
        "StackBuilder": "building",
        "SERVICES": "endpoint",
        "Endpoint": "endpoint",
        "Found": "finding",
        "find_services": "finding",
        "down": "lifecycle",
        "restart_dead": "lifecycle",
        "reset": "lifecycle",
        "up": "lifecycle",
        "running_record": "reaping",
        "running_stack": "session",
        "num_thread": "threads",
        "num_thread_at": "threads",
    },
)
