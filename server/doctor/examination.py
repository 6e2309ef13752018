"""The examination from outside: every check, in the order in which a client would meet what it looks at."""

from collections.abc import AsyncIterator, Callable
from typing import NamedTuple

from server.doctor import authorization, discovery, endpoint, network, registration, tokens
from server.doctor.findings import Finding, unknown
from server.doctor.patient import Patient, discover
from server.doctor.probe import probing

Check = Callable[[Patient], AsyncIterator[Finding]]


class Stage(NamedTuple):
    """Checks that need the same thing to look at."""

    name: str
    needs: Callable[[Patient], object]
    """Gives it; where there is none, the stage is over with one line."""
    lacking: str
    """Says so."""
    checks: tuple[Check, ...]


STAGES = (
    Stage(
        "the way to the server",
        lambda patient: patient,
        "",
        (network.name, network.tls, network.redirects, network.challenges, network.clock),
    ),
    Stage(
        "the endpoint",
        lambda patient: not patient.is_silent,
        "nothing answers there, so there is nothing more to look at",
        (endpoint.methods, endpoint.challenge, endpoint.bad_token, endpoint.sessions),
    ),
    Stage(
        "discovery",
        lambda patient: not patient.is_open,
        "the server asks nobody to sign in",
        (
            discovery.resource_metadata,
            discovery.resource,
            discovery.authorization_servers,
            discovery.server_metadata,
            discovery.unknown_documents,
            endpoint.cors,
        ),
    ),
    Stage(
        "the authorization server",
        lambda patient: patient.metadata,
        "there is no metadata that tells anything about it",
        (
            discovery.issuer,
            discovery.members,
            discovery.pkce,
            discovery.public_clients,
            discovery.client_ids,
            discovery.refresh,
            authorization.unknown_client,
            authorization.chatgpt,
            tokens.unknown_client,
            tokens.burst,
            network.caching,
        ),
    ),
    Stage(
        "registration",
        lambda patient: patient.place("registration_endpoint"),
        "it is not advertised",
        (registration.registration,),
    ),
    Stage(
        "authorization requests",
        lambda patient: patient.registered,
        "there is no client to send one for",
        (
            registration.methods,
            registration.odd_redirect_uris,
            authorization.request,
            authorization.scopes,
            authorization.resources,
            authorization.loopback_port,
            authorization.errors,
            tokens.bad_code,
            registration.removal,
        ),
    ),
)


async def examine(url: str) -> AsyncIterator[Finding]:
    """Look at a server from outside; nothing is approved, and what was registered is removed again.

    Args:
        url: Its origin, whose endpoint is then ``/mcp``, or the endpoint itself.
    """
    async with probing() as probe:
        patient = await discover(probe, url)
        for stage in STAGES:
            if not stage.needs(patient):
                yield unknown(stage.name, stage.lacking)
                if patient.is_silent:
                    return
                continue
            for check in stage.checks:
                async for finding in check(patient):
                    yield finding
