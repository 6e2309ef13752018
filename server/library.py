"""For a server made with the SDK: the durable provider, opened, and the settings that fit it."""

import os
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager

from mcp.server.auth.settings import AuthSettings

from server.app import system_clock
from server.clock import Clock
from server.oauth.provider import OAuthProvider
from server.oauth.tokens import Entropy
from server.settings import Settings
from server.storage.database import open_database


@asynccontextmanager
async def open_provider(
    settings: Settings, *, pages: str, clock: Clock = system_clock, entropy: Entropy = os.urandom
) -> AsyncIterator[OAuthProvider]:
    """Open the database, applying migrations, and give a provider; on leaving, what was begun is finished.

    Args:
        settings: Those of the SDK's server, whose origin is ``SERVER_URL``.
        pages: The origin at which a browser reaches the consent page.
        clock: Gives the time in Unix seconds.
        entropy: Gives random bytes.

    Raises:
        MigrationError: The database cannot be used; the message is one line.
    """
    async with open_database(settings.database_path, clock()) as store:
        yield OAuthProvider(store, settings, pages=pages, clock=clock, entropy=entropy)


def auth_settings(settings: Settings, required_scopes: Iterable[str] = ()) -> AuthSettings:
    """Give the SDK's settings that say the same as ours: issuer, resource, scopes, registration and revocation.

    Args:
        settings: Those of the SDK's server.
        required_scopes: Every scope that a token needs to be let in at all.
    """
    return AuthSettings.model_validate(
        {
            "issuer_url": settings.issuer,
            "resource_server_url": settings.resource,
            "validate_token_resource": True,
            "required_scopes": list(required_scopes) or None,
            "client_registration_options": {
                "enabled": settings.oauth_dcr == "open",
                "valid_scopes": list(settings.oauth_valid_scopes),
                "default_scopes": list(settings.oauth_default_scopes),
            },
            "revocation_options": {"enabled": True},
        }
    )
