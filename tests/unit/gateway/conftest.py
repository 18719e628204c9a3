"""Servers' parts run in this process here: what holds up their event loop is caught."""

from blocking_calls import no_blocking_calls

__all__ = ["no_blocking_calls"]
