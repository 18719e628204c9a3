"""What the error replies of Redis and Valkey mean for a user, by their first word."""

from __future__ import annotations

from ragbed.guard.stores.base import NotThere, Unusable, WrongService

_NO_CLUSTER = "name a server without cluster mode in {named}"
_REFUSALS = {
    "NOAUTH": (
        "it needs a password, and the address has none",
        "write it into {named}: redis://:PASSWORD@host:port/0",
    ),
    "WRONGPASS": ("it refuses the user name or the password", "put the right password into {named}"),
    "READONLY": ("it is a read-only replica", "name its primary in {named}"),
    "OOM": ("it refuses writes, since its memory is full (maxmemory)", "raise its maxmemory, or empty it"),
    "MISCONF": (
        "it refuses writes, since it cannot save to its disk",
        "read its log: its disk may be full, or its folder missing",
    ),
    "NOREPLICAS": ("it refuses writes, since too few of its replicas are up", "start its replicas"),
    "DENIED": (
        "it runs in protected mode, and takes clients of its own machine only",
        "give it a password, and write that into {named}",
    ),
    "MOVED": ("it is a node of a cluster, which ragbed does not use", _NO_CLUSTER),
    "CLUSTERDOWN": ("it is a node of a cluster, which ragbed does not use", _NO_CLUSTER),
}
_WRITING = {"SET", "UNLINK"}
_NOT_YET = {
    "LOADING": "it still loads its data",
    "BUSY": "it is busy with a script",
    "MASTERDOWN": "it is a replica that has lost its primary",
}
_WORDED = (  # refusals that share the first word ERR, told apart by what they contain
    (
        "without any password configured",
        "it has no password, and the address has one",
        "take the password out of {named}",
    ),
    ("but no password is set", "it has no password, and the address has one", "take it out of {named}"),
    (
        "max number of clients",
        "it has no connection left (maxclients)",
        "end some clients, or raise its maxclients",
    ),
    ("DB index", "it has no database of that number", "correct the number after the port in {named}"),
    ("invalid password", "it refuses the user name or the password", "put the right password into {named}"),
)


def refusal(reply: str, *, command: str, user: str) -> NotThere | WrongService:
    """Return what an error reply means; the server's own words follow where they add to ours.

    Args:
        reply: Without its minus sign.
        command: What was asked, without its arguments.
        user: As whom; empty for the default user.
    """
    word, _, rest = reply.partition(" ")
    if word in _NOT_YET:
        return NotThere(f"{_NOT_YET[word]} ({word})")
    if word == "NOPERM":
        return _not_permitted(rest, command, user or "default")
    if word in _REFUSALS:
        seen, hint = _REFUSALS[word]
        return Unusable(f"{seen} ({word})", hint=hint)
    for words, seen, hint in _WORDED:
        if words in reply:
            return Unusable(f"{seen} ({reply[:80]})", hint=hint)
    return Unusable(f"it refuses {command}: {reply[:200]}")


def _not_permitted(rest: str, command: str, user: str) -> Unusable:
    """Return what an access list forbids: the command, or keys of ours."""
    what = "touch the keys ragbed:*" if " key" in rest else f"run {command}"
    what = f"write: it may not {what}" if command in _WRITING else what
    allow = "~ragbed:*" if " key" in rest else f"+{command.lower()}"
    return Unusable(
        f"its user {user} may not {what} (NOPERM)",
        hint=f"let it (ACL SETUSER {user} {allow}), or name a user who may in {{named}}",
    )
