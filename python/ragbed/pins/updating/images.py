"""Which digest an image's tag stands for, as its registry says."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from hashlib import sha256
from typing import TYPE_CHECKING
from urllib.error import HTTPError, URLError
from urllib.parse import urlencode, urlsplit
from urllib.request import Request, urlopen

from ragbed.errors import DriftError, ServiceMissing

if TYPE_CHECKING:
    from http.client import HTTPResponse

    from ragbed.pins.updating.draft import Draft

_INDEXES = (
    "application/vnd.oci.image.index.v1+json",
    "application/vnd.docker.distribution.manifest.list.v2+json",
)
_DEFAULT_REGISTRY = "registry-1.docker.io"
_CHALLENGE = re.compile(r'(\w+)="([^"]*)"')
_MOST_BYTES = 1 << 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Image:
    """An image by its tag.

    Attributes:
        registry: Host, or a whole URL for a mirror.
        repository: As the registry's API names it.
        tag: The tag.
    """

    registry: str
    repository: str
    tag: str

    @property
    def url(self) -> str:
        """Where its manifest is."""
        base = self.registry if "://" in self.registry else f"https://{self.registry}"
        return f"{base}/v2/{self.repository}/manifests/{self.tag}"


def update_images(draft: Draft, *, registry: str = "") -> None:
    """Give every image in `stack.toml` the digest that its tag has now.

    Args:
        draft: Takes the changes.
        registry: A mirror's URL, for every image; empty asks each one's own registry.

    Raises:
        ServiceMissing: A registry does not answer, or does not know an image.
        DriftError: It answers with something that is not a multi-platform image, or not what it says.
    """
    for service, pins in draft.pins().services.items():
        pinned = pins.channels.image
        digest = digest_of(parse_reference(pinned.reference, registry=registry))
        if digest != pinned.digest:
            draft.set_pin(["services", service, "channels", "image", "digest"], pinned.digest, digest)


def parse_reference(reference: str, *, registry: str = "") -> Image:
    """Return the parts of a reference such as `redis:8` or `ghcr.io/owner/name:tag`.

    Args:
        reference: As `docker pull` takes it.
        registry: A mirror's URL; empty takes the reference's own registry.

    Source: the grammar of references in the distribution project.
    """
    name, _, tag = reference.rpartition(":")
    first, slash, rest = name.partition("/")
    own = slash and ("." in first or ":" in first or first == "localhost")
    repository = rest if own else name if slash else f"library/{name}"
    return Image(registry=registry or (first if own else _DEFAULT_REGISTRY), repository=repository, tag=tag)


def digest_of(image: Image) -> str:
    """Return the digest of an image's multi-platform index, computed from the bytes that came.

    Raises:
        ServiceMissing: The registry does not answer, or does not know the image.
        DriftError: What came is not an index, or has another digest than the registry says.
    """
    accept = {"Accept": ", ".join(_INDEXES)}
    with _opened(image, accept) as response:
        body = response.read(_MOST_BYTES)
        kind = response.headers.get_content_type()
        said = response.headers.get("Docker-Content-Digest")
    digest = f"sha256:{sha256(body).hexdigest()}"
    if kind not in _INDEXES:
        raise DriftError(
            f"{image.url} is {kind}, and not an index of several platforms",
            hint="pin an image that is built for Linux on x86-64 and arm64",
        )
    if said not in {None, digest}:
        raise DriftError(f"{image.url} came as {digest}, and its registry calls it {said}")
    return digest


def _opened(image: Image, headers: dict[str, str]) -> HTTPResponse:
    try:
        try:
            return _get(image.url, headers)
        except HTTPError as error:
            if error.code != 401:
                raise
            token = _token(error.headers.get("WWW-Authenticate", ""))
            return _get(image.url, {**headers, "Authorization": f"Bearer {token}"})
    except (URLError, OSError) as error:
        reason = f"HTTP {error.code}" if isinstance(error, HTTPError) else str(error)
        raise ServiceMissing(
            f"cannot ask for the digest of {image.repository}:{image.tag} at {image.url}: {reason}",
            hint="give --registry URL for a mirror, or leave the images out: scripts/update-pins nix wheels",
        ) from error


def _token(challenge: str) -> str:
    """Return the token that a registry hands out to everybody.

    Source: "Token Authentication" of the distribution project.
    """
    asked = dict(_CHALLENGE.findall(challenge))
    realm = asked.pop("realm", "")
    with _get(f"{realm}?{urlencode(asked)}", {}) as response:
        answer = json.loads(response.read(_MOST_BYTES))
    return str(answer.get("token") or answer.get("access_token", ""))


def _get(url: str, headers: dict[str, str]) -> HTTPResponse:
    if urlsplit(url).scheme not in {"http", "https"}:
        raise URLError(f"{url!r} is not an address of a registry")
    response: HTTPResponse = urlopen(Request(url, headers=headers), timeout=20)  # noqa: S310 - checked above
    return response
