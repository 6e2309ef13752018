"""Wiring: the one place where settings, store, tools and handlers are put together."""

import asyncio
import itertools
import logging
import os
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, suppress

from aiohttp import web

from server import keys
from server.clock import Clock
from server.handlers import access, pages
from server.handlers.errors import errors
from server.handlers.providers import PROVIDERS
from server.handlers.tracing import traced
from server.identity import Identity
from server.identity.oidc.registration import Registration
from server.identity.oidc.upstream import Upstream
from server.identity.passwords import Passwords
from server.identity.users import LOCAL
from server.meter import Meter
from server.oauth import signing
from server.oauth.limits import Limiter
from server.oauth.remote import Remote
from server.oauth.scopes import identity as identity_scopes
from server.oauth.tokens import Entropy
from server.origins import is_loopback
from server.outbound.fetcher import GuardedFetcher
from server.outbound.upstream import UpstreamHttp
from server.routes import OAUTH_ENDPOINTS, OPENID_ENDPOINTS, routes
from server.sealing import Sealer, key_file, load_secret
from server.services import Services
from server.settings import Settings
from server.storage.database import Database, open_database
from server.storage.purge import run_purge
from server.storage.recorder import Recorder
from server.transport.body import MAX_BODY
from server.transport.kernel import open_kernel
from server.transport.load import load_server
from server.transport.sessions import open_sessions
from server.transport.state import PURPOSE, seal_request_state
from server.transport.tracing import is_traced
from server.upstreams import PROVIDERS as UPSTREAM
from server.upstreams import unused

log = logging.getLogger(__name__)


def system_clock() -> int:
    """Give the time in whole Unix seconds."""
    return int(time.time())  # noqa: TID251 - the one clock


def create_app(
    settings: Settings,
    *,
    clock: Clock = system_clock,
    entropy: Entropy = os.urandom,
    identity: Identity | None = None,
    passwords: Passwords | None = None,
) -> web.Application:
    """Make the application; its lifespan opens the database, the tools and the purge.

    Args:
        settings: What the environment says.
        clock: Gives the time in Unix seconds.
        entropy: Gives random bytes.
        identity: Finds out who is at a browser, if not the provider that the settings name.
        passwords: Hashes passwords, if not at the cost that is recommended.
    """
    tracing = [traced] if is_traced() else []
    app = web.Application(middlewares=[*tracing, access.access, errors], client_max_size=MAX_BODY)
    app[keys.SETTINGS] = settings
    app[keys.CLOCK] = clock
    app[keys.ENTROPY] = entropy
    app[keys.REQUEST_NUMBERS] = itertools.count(int.from_bytes(entropy(5))).__next__
    app[keys.REMOTE] = Remote(GuardedFetcher(settings.oauth_cimd_dev_origins))
    app[keys.LIMITER] = Limiter()
    app[keys.METER] = Meter()
    app[keys.IDENTITY] = identity or PROVIDERS[settings.oauth_provider]
    app[keys.PASSWORDS] = passwords or Passwords(entropy)
    if settings.oauth_provider in UPSTREAM:
        app[keys.UPSTREAM] = Upstream(Registration.of(settings), UpstreamHttp())
    pages.setup_pages(app)
    app.on_response_prepare.append(access.add_headers)
    for route in routes(settings):
        route.kwargs["expect_handler"] = access.expect
        route.register(app.router)
    app.cleanup_ctx.append(lifespan)
    app.on_shutdown.append(close_streams)
    return app


async def lifespan(app: web.Application) -> AsyncIterator[None]:
    """Open what the handlers need, in order, and close it in reverse, whatever fails in between."""
    settings, clock, entropy = app[keys.SETTINGS], app[keys.CLOCK], app[keys.ENTROPY]
    async with open_database(settings.database_path, clock()) as store:
        app[keys.STORE] = store
        app[keys.RECORDER] = Recorder(store.add_events, clock)
        await _load_keys(app, store)
        server = load_server(settings.mcp_server, Services(store, clock, settings, entropy))
        seal_request_state(server, app[keys.SEALER].key(PURPOSE))
        async with (
            open_kernel(server, settings) as kernel,
            open_sessions(kernel, store, clock, entropy) as sessions,
        ):
            app[keys.KERNEL] = kernel
            app[keys.SESSIONS] = sessions
            await _announce(app, store)
            async with _at_work(app, store):
                yield


async def _load_keys(app: web.Application, store: Database) -> None:
    """Load what seals and signs; a key that signs is made at the first start that needs one."""
    settings = app[keys.SETTINGS]
    secret = load_secret(settings.secret_key.get_secret_value(), key_file(settings.database_path))
    app[keys.SEALER] = Sealer(secret, app[keys.ENTROPY])
    app[keys.SIGNER] = signing.Signer(app[keys.SEALER])
    if settings.oauth_enabled and identity_scopes(settings):
        await signing.current(store, app[keys.SIGNER], app[keys.CLOCK]())


@asynccontextmanager
async def _at_work(app: web.Application, store: Database) -> AsyncIterator[None]:
    """Purge, watch the loop and record events meanwhile; at the end, what was recorded is written."""
    settings, meter, recorder = app[keys.SETTINGS], app[keys.METER], app[keys.RECORDER]
    purging = run_purge(store.driver, app[keys.CLOCK], settings.purge_interval, settings.audit_retention_days, meter)
    endless = [asyncio.create_task(work) for work in (purging, meter.watch_loop())]
    recording = asyncio.create_task(recorder.run())
    try:
        yield
    finally:
        await app[keys.REMOTE].close()
        if keys.UPSTREAM in app:
            await app[keys.UPSTREAM].close()
        recorder.close()
        for task in endless:
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task
        await recording


async def close_streams(app: web.Application) -> None:
    """End open event streams, so that their handlers do not hold up the shutdown."""
    app[keys.KERNEL].close_streams()
    app[keys.SESSIONS].close_streams()


async def _announce(app: web.Application, store: Database) -> None:
    """Log what an operator wants to see at each start."""
    settings = app[keys.SETTINGS]
    log.info("OAuth enabled: %s", settings.oauth_enabled)
    if not settings.oauth_enabled:
        log.warning("OAuth is off: whoever reaches %s can use every tool", settings.resource)
        return
    log.info("OAuth issuer URL: %s", settings.issuer)
    log.info("OAuth provider initialized")
    registration = () if settings.oauth_dcr == "off" else ("/register",)
    identity = OPENID_ENDPOINTS if identity_scopes(settings) else ()
    log.info("OAuth endpoints registered: %s", ", ".join((*registration, *OAUTH_ENDPOINTS, *identity)))
    for warning in _warnings(settings):
        log.warning(warning)
    if settings.oauth_provider == LOCAL and not await store.has_account():
        log.warning("OAUTH_PROVIDER=local: there is no account yet; add one with the command: users add NAME")
    if keys.UPSTREAM in app:
        at = app[keys.UPSTREAM].registration
        log.info("Signing in at %s, which leads back to %s", at.title, at.redirect_uri)


def _warnings(settings: Settings) -> Iterator[str]:
    """Say what an operator may not have meant."""
    if settings.oauth_cimd_dev_origins:
        origins = ", ".join(settings.oauth_cimd_dev_origins)
        yield f"OAUTH_CIMD_DEV_ORIGINS={origins}: fetched wherever they are, for development only"
    if settings.oauth_dcr_token and settings.oauth_dcr != "token":
        yield f"OAUTH_DCR_TOKEN is set, but OAUTH_DCR={settings.oauth_dcr} asks nobody for it"
    if settings.rate_limits and settings.public and is_loopback(settings.host) and not settings.trusted_proxies:
        yield "Rate limits: a proxy seems to stand before this server; name it in TRUSTED_PROXIES, or all share one"
    if settings.client_ip_header and not settings.trusted_proxies:
        yield "CLIENT_IP_HEADER is ignored: TRUSTED_PROXIES names nobody from whom to believe it"
    for name in unused(settings.oauth_provider, dict(settings)):
        yield f"{name} is set, but OAUTH_PROVIDER={settings.oauth_provider} does not use it"
    if settings.public and settings.oauth_provider == "demo":
        yield (
            f"OAUTH_PROVIDER=demo on a public address ({settings.server_url}): "
            "nobody signs in, everyone who approves is the user demo"
        )
