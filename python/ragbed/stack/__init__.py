"""Services and their launchers: attach, process; readiness, leases, up, down, status."""

from ragbed.project import project_folder
from ragbed.stack.building import Stack, StackBuilder
from ragbed.stack.endpoint import SERVICES, Endpoint
from ragbed.stack.finding import Found, find_services
from ragbed.stack.lifecycle import down, mend, reset, up
from ragbed.stack.reaping import running_record
from ragbed.stack.session import running_stack
from ragbed.stack.threads import num_thread, num_thread_at

__all__ = [
    "SERVICES",
    "Endpoint",
    "Found",
    "Stack",
    "StackBuilder",
    "down",
    "find_services",
    "mend",
    "num_thread",
    "num_thread_at",
    "project_folder",
    "reset",
    "running_record",
    "running_stack",
    "up",
]
