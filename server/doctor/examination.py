"""The examination from outside: every check, in the order in which a client would meet what it looks at."""

from collections.abc import AsyncIterator, Callable

from server.doctor import authorization, discovery, endpoint, network, registration, tokens
from server.doctor.findings import Finding
from server.doctor.patient import Patient, discover
from server.doctor.probe import probing

Check = Callable[[Patient], AsyncIterator[Finding]]

NETWORK: tuple[Check, ...] = (network.name, network.tls, network.redirects, network.challenges, network.clock)
ENDPOINT: tuple[Check, ...] = (endpoint.methods, endpoint.challenge, endpoint.bad_token, endpoint.sessions)
SIGN_IN: tuple[Check, ...] = (
    discovery.resource_metadata,
    discovery.resource,
    discovery.authorization_servers,
    discovery.server_metadata,
    discovery.issuer,
    discovery.members,
    discovery.pkce,
    discovery.public_clients,
    discovery.client_ids,
    discovery.refresh,
    discovery.unknown_documents,
    endpoint.cors,
    registration.registration,
    registration.methods,
    registration.odd_redirect_uris,
    authorization.request,
    authorization.scopes,
    authorization.resources,
    authorization.loopback_port,
    authorization.errors,
    authorization.unknown_client,
    authorization.chatgpt,
    tokens.unknown_client,
    tokens.bad_code,
    tokens.burst,
    network.caching,
    registration.removal,
)


async def examine(url: str) -> AsyncIterator[Finding]:
    """Look at a server from outside; nothing is approved, and what was registered is removed again.

    Args:
        url: Its origin, whose endpoint is then ``/mcp``, or the endpoint itself.
    """
    async with probing() as probe:
        patient = await discover(probe, url)
        for check in NETWORK + ENDPOINT + (() if patient.is_open else SIGN_IN):
            async for finding in check(patient):
                yield finding
