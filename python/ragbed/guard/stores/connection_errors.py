"""Why a connection came to nothing, in words: silence, a closed door, TLS on one side only, another protocol."""

from __future__ import annotations

import socket
import ssl
import struct
from dataclasses import dataclass

from ragbed.guard.addresses import is_loopback
from ragbed.guard.stores.base import NotThere, Unusable, WrongService

HTTP, REDIS, POSTGRES = "HTTP", "the protocol of Redis", "the protocol of PostgreSQL"
SSL_REQUEST = struct.pack("!ii", 8, 80877103)
"""What begins TLS in PostgreSQL's protocol; a server of it answers `S` or `N`."""

_SECOND_LOOK_S = 0.5
_KNOCKS = {HTTP: b"GET / HTTP/1.0\r\n\r\n", REDIS: b"PING\r\n", POSTGRES: SSL_REQUEST}
"""What a server of each protocol answers, and changes nothing."""

_OPENINGS = (
    (b"HTTP/", HTTP),
    (b"<", HTTP),  # the page of a server that did not understand the request
    (b"SSH-", "SSH"),
    (b"220", "SMTP or FTP"),
    (b"+", REDIS),
    (b"-", REDIS),
)
_NOT_TLS = {
    "WRONG_VERSION_NUMBER",
    "RECORD_LAYER_FAILURE",
    "UNEXPECTED_MESSAGE",
    "PACKET_LENGTH_TOO_LONG",
    "HTTP_REQUEST",
}
"""What OpenSSL calls bytes that are not TLS."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Door:
    """Where a client connects, and what it speaks there.

    Attributes:
        host: Name or address.
        port: TCP port.
        protocol: In words, for messages.
        schemes: Of its addresses: without TLS, and with it; None where TLS begins inside the protocol.
        secure: Whether the address asks for TLS.
        timeout_s: How long one connection or answer may take.
    """

    host: str
    port: int
    protocol: str
    schemes: tuple[str, str] | None
    secure: bool
    timeout_s: float


def why_closed(error: OSError, door: Door) -> NotThere | WrongService:
    """Return what an error of a connection tells of the server, or of what stands in its place.

    Args:
        error: What the client raised.
        door: Where it connected.
    """
    if isinstance(error, ssl.SSLError):
        return _tls_failed(error, door)
    if isinstance(error, socket.gaierror):
        return NotThere(f"no address is known for the host {door.host}")
    if isinstance(error, TimeoutError):
        return _silent(door)
    if isinstance(error, ConnectionRefusedError):
        return _nothing_listens(door)
    if isinstance(error, (ConnectionResetError, ConnectionAbortedError, BrokenPipeError)):
        return hung_up(door)
    return NotThere(str(error))


def hung_up(door: Door) -> NotThere | WrongService:
    """Return what it means that the server closed the connection without an answer."""
    if seen := _look_again(door):
        return seen
    if door.schemes and not door.secure and _speaks_tls(door):
        return _wants_tls(door.schemes)
    return NotThere("it closed the connection without an answer")


def other_protocol(answer: bytes, door: Door) -> WrongService:
    """Return what an answer tells that is not of the protocol.

    Args:
        answer: Its first bytes.
        door: Where it came from.
    """
    if door.schemes and answer[:1] in {b"\x15", b"\x16"} and answer[1:2] == b"\x03":
        return _wants_tls(door.schemes)
    name = _protocol_of(answer)
    if name == door.protocol and door.secure:
        return _has_no_tls(door)
    if name and name != door.protocol:
        return WrongService(f"it speaks {name}")
    return WrongService(f"it answers {answer[:40]!r}, which is not {door.protocol}")


def _protocol_of(answer: bytes) -> str:
    """Return the protocol that an answer's first bytes are of; empty for none that we know."""
    if answer[3:5] == b"\0\n":
        return "the protocol of MySQL or MariaDB"
    if answer in {b"S", b"N"}:
        return POSTGRES
    return next((name for opening, name in _OPENINGS if answer.startswith(opening)), "")


def _wants_tls(schemes: tuple[str, str]) -> Unusable:
    hint = f"begin the address in {{named}} with {schemes[1]}://"
    return Unusable("it speaks TLS, and the address does not", hint=hint)


def _has_no_tls(door: Door) -> Unusable:
    hint = f"begin the address in {{named}} with {door.schemes[0]}://" if door.schemes else ""
    return Unusable("it does not speak TLS, and the address asks for it", hint=hint)


def _tls_failed(error: ssl.SSLError, door: Door) -> NotThere | WrongService:
    if isinstance(error, ssl.SSLCertVerificationError):
        return Unusable(
            f"its TLS certificate is not trusted: {error.verify_message}",
            hint="name the PEM file of the authority that signed it: SSL_CERT_FILE=/path/to/ca.pem",
        )
    if isinstance(error, ssl.SSLEOFError):
        return WrongService("it closed the connection in the middle of the TLS handshake")
    if error.reason in _NOT_TLS:
        return _has_no_tls(door)
    if "CERTIFICATE_REQUIRED" in (error.reason or ""):
        return Unusable("it asks for a client certificate, and ragbed sends none")
    return WrongService(f"its TLS handshake failed: {error.reason or error}")


def _nothing_listens(door: Door) -> NotThere:
    """Return that nothing listens, and whether something does at the other family's loopback address."""
    other = "127.0.0.1" if ":" in door.host else "::1"
    if door.host.startswith("/") or not is_loopback(door.host) or not _connects(other, door.port):
        return NotThere("nothing listens there")
    shown = f"[{other}]" if ":" in other else other
    return NotThere(
        f"nothing listens there; something does at {shown}:{door.port}",
        hint=f"if that is the one, write {shown}:{door.port} into {{named}}",
    )


def _silent(door: Door) -> NotThere | WrongService:
    """Return what is known of a server that did not answer in time."""
    if seen := _look_again(door):
        return seen
    accepts = (
        "accepts connections, and sends no answer" if _connects(door.host, door.port) else "does not answer"
    )
    return NotThere(f"it {accepts} within {door.timeout_s:g} s")


def _look_again(door: Door) -> WrongService | None:
    """Return what the server speaks instead: some say nothing, or close, when they are not spoken to in their own way.

    One that stays silent is not asked for long.
    """
    for protocol, knock in _KNOCKS.items():
        if protocol == door.protocol and not door.secure:
            continue
        try:
            with _dialled(door.host, door.port) as connection:
                connection.sendall(knock)
                answer = connection.recv(64)
        except TimeoutError:
            return None
        except OSError:
            continue
        if _protocol_of(answer) == door.protocol and not door.secure:
            return None  # the right one, which is busy or has hung
        if answer:
            return other_protocol(answer, door)
    return None


def _speaks_tls(door: Door) -> bool:
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = (
        False,
        ssl.CERT_NONE,
    )  # nothing is sent: only whether it answers
    try:
        with _dialled(door.host, door.port) as plain, context.wrap_socket(plain, server_hostname=door.host):
            return True
    except ssl.SSLError as error:
        return "ALERT" in (error.reason or "")
    except OSError:
        return False


def _connects(host: str, port: int) -> bool:
    try:
        with _dialled(host, port):
            return True
    except OSError:
        return False


def _dialled(host: str, port: int) -> socket.socket:
    return socket.create_connection((host, port), timeout=_SECOND_LOOK_S)
