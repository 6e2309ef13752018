"""The server under examination: where it is, and the documents that it shows everybody."""

from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any
from urllib.parse import urlsplit

from server.doctor.probe import Probe, Seen

REDIRECT_URI = "https://doctor.invalid/callback"
LOOPBACK_URI = "http://127.0.0.1:33418/callback"
ODD_URI = "javascript:alert(1)"
OTHER_PORT_URI = "http://127.0.0.1:45999/callback"
CURSOR_URIS = (
    "cursor://anysphere.cursor-mcp/oauth/callback",
    "https://www.cursor.com/agents/mcp/oauth/callback",
    "http://localhost:8787/callback",
)


@dataclass
class Patient:
    """A server and what is known of it so far."""

    probe: Probe
    endpoint: str
    """The MCP endpoint, which is the resource (RFC 9728)."""
    resource: Seen = field(init=False)
    """The protected resource's metadata at the address for this endpoint."""
    documents: dict[str, Seen] = field(default_factory=dict)
    """Every form of the authorization server's metadata, by its address."""
    is_silent: bool = False
    """Whether nothing at all answers at the endpoint."""
    registered: dict[str, Any] = field(default_factory=dict)
    """The client that was registered, if any was."""

    @property
    def origin(self) -> str:
        """Scheme, host and port of the endpoint."""
        parts = urlsplit(self.endpoint)
        return f"{parts.scheme}://{parts.netloc}"

    @property
    def path(self) -> str:
        """The endpoint's path, such as ``/mcp``."""
        return urlsplit(self.endpoint).path

    @property
    def described(self) -> dict[str, Any]:
        """The protected resource's metadata; empty if there are none."""
        return self.resource.json if self.resource.status == HTTPStatus.OK else {}

    @property
    def issuer(self) -> str:
        """The authorization server: the first that the resource names, or else the same origin."""
        servers = self.described.get("authorization_servers")
        return servers[0] if isinstance(servers, list) and servers and isinstance(servers[0], str) else self.origin

    @property
    def metadata(self) -> dict[str, Any]:
        """The authorization server's metadata: the first form that can be had."""
        found = (seen.json for seen in self.documents.values() if seen.status == HTTPStatus.OK and seen.json)
        return next(found, {})

    @property
    def is_open(self) -> bool:
        """Whether it wants no token at all, so that there is nothing to sign in to."""
        return not self.described and not self.metadata

    def supported(self, member: str) -> list[str]:
        """Give a list of the metadata; empty if there is none."""
        values = self.metadata.get(member)
        return [value for value in values if isinstance(value, str)] if isinstance(values, list) else []

    def place(self, member: str) -> str:
        """Give an endpoint's address, or an empty text."""
        value = self.metadata.get(member)
        return value if isinstance(value, str) else ""


async def discover(probe: Probe, url: str) -> Patient:
    """Fetch the documents that clients fetch first.

    Args:
        probe: Asks.
        url: The server's origin, whose endpoint is then ``/mcp``, or the endpoint itself.
    """
    parts = urlsplit(url)
    path = parts.path.rstrip("/") or "/mcp"
    patient = Patient(probe, f"{parts.scheme}://{parts.netloc}{path}")
    well_known = f"{patient.origin}/.well-known"
    patient.resource = await probe.get(f"{well_known}/oauth-protected-resource{path}")
    if not patient.described:
        patient.resource = await probe.get(f"{well_known}/oauth-protected-resource")
    for address in forms(patient.issuer, path):
        patient.documents[address] = await probe.get(address)
    return patient


def forms(issuer: str, path: str) -> tuple[str, ...]:
    """Give every address at which some client looks for an authorization server's metadata (RFC 8414 section 3)."""
    parts = urlsplit(issuer)
    origin, own = f"{parts.scheme}://{parts.netloc}", parts.path.rstrip("/")
    names = ("oauth-authorization-server", "openid-configuration")
    suffixes = (own,) if own else ("", path)
    return tuple(f"{origin}/.well-known/{name}{suffix}" for name in names for suffix in suffixes)
