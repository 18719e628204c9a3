"""Why a service that others run is of no use: one line that names the cause, and a hint of what to type."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ragbed.errors import ServiceMissing, ServiceNotReady
from ragbed.guard import NotThere, Unusable, WrongService

if TYPE_CHECKING:
    from ragbed.stack.kinds import ServiceKind


def cannot_use(
    service: str, shown: str, error: NotThere | WrongService, *, named: str, clause: str = ""
) -> ServiceMissing:
    """Return the error of a service that was named and is of no use, in one line that names the cause.

    Args:
        service: Which one it should be.
        shown: Its address, without a password.
        error: What its light client raised.
        named: What names the address, for the hint.
        clause: Follows the address: `which REDIS_URL names`. Empty for an address that was typed.
    """
    hint = error.hint_for(named)
    where, then = (f"{shown}, {clause}", ",") if clause else (shown, "")
    otherwise = ", or unset {} to let ragbed start one" if clause else ""
    if isinstance(error, NotThere):
        message = f"{service} does not answer at {where}: {error}"
        return ServiceMissing(message, hint=hint or f"start it{otherwise.format(named)}")
    if isinstance(error, Unusable):
        message = f"{service} at {where}{then} cannot be used: {error}"
        return ServiceNotReady(message, hint=hint or f"mend that{otherwise.format(named)}")
    message = f"what answers at {where}{then} is not {service}: {error}"
    return ServiceNotReady(message, hint=hint or f"correct {named}{otherwise.format('it')}")


def why_skipped(kind: ServiceKind, port: int, error: NotThere | WrongService) -> str:
    """Return why what answers on a port that was not given is not used, and what would let it be.

    Args:
        kind: What it should be.
        port: Where it answers.
        error: What its light client raised.
    """
    if isinstance(error, NotThere):
        return f"port {port} answers, but {error}"
    if not isinstance(error, Unusable):
        return f"port {port} is held by something else ({error})"
    hint = error.hint_for(kind.variable)
    return f"{kind.name} on port {port} cannot be used: {error}{hint and f' (to use it: {hint})'}"
