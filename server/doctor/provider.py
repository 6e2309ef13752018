"""The identity provider that the settings name: whether it answers, and as who it should."""

import asyncio
from collections.abc import Iterator

from server.doctor.findings import Finding, bad, good
from server.identity.oidc.discovery import Metadata
from server.identity.oidc.errors import UpstreamError
from server.identity.oidc.registration import Registration
from server.identity.oidc.upstream import Upstream
from server.outbound.upstream import UpstreamHttp
from server.settings import Settings
from server.upstreams import PROVIDERS

_ADVICE = "Nobody can sign in so. Look at OAUTH_UPSTREAM_ISSUER, the network, and the provider's own status."


def examine(settings: Settings, now: int) -> Iterator[Finding]:
    """Ask the provider for its metadata, if people sign in at one.

    What it thinks of this server's secret only a sign-in shows.
    """
    if not settings.oauth_enabled or settings.oauth_provider not in PROVIDERS:
        return
    registration = Registration.of(settings)
    try:
        metadata = asyncio.run(_ask(registration, now))
    except UpstreamError as error:
        yield bad("identity provider", error.detail, _ADVICE, ())
    else:
        seen = f"{registration.title} answers as {metadata.issuer}, and is to lead back to {registration.redirect_uri}"
        yield good("identity provider", seen)


async def _ask(registration: Registration, now: int) -> Metadata:
    upstream = Upstream(registration, UpstreamHttp())
    try:
        return await upstream.metadata(now)
    finally:
        await upstream.close()
