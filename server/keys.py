"""Typed keys of what the application and each request carry."""

from collections.abc import Callable

from aiohttp import web

from server.clock import Clock
from server.identity import Identity
from server.identity.oidc.upstream import Upstream
from server.identity.passwords import Passwords
from server.meter import Meter
from server.oauth.limits import Limiter
from server.oauth.remote import Remote
from server.oauth.signing import Signer
from server.oauth.tokens import Entropy
from server.sealing import Sealer
from server.settings import Settings
from server.storage.database import Database
from server.storage.recorder import Recorder
from server.transport.kernel import Kernel
from server.transport.sessions import Sessions

SETTINGS = web.AppKey("settings", Settings)
CLOCK: web.AppKey[Clock] = web.AppKey("clock")
ENTROPY: web.AppKey[Entropy] = web.AppKey("entropy")
IDENTITY: web.AppKey[Identity] = web.AppKey("identity")
STORE = web.AppKey("store", Database)
REMOTE = web.AppKey("remote", Remote)
KERNEL = web.AppKey("kernel", Kernel)
PASSWORDS = web.AppKey("passwords", Passwords)
UPSTREAM = web.AppKey("upstream", Upstream)
SESSIONS = web.AppKey("sessions", Sessions)
LIMITER = web.AppKey("limiter", Limiter)
METER = web.AppKey("meter", Meter)
SEALER = web.AppKey("sealer", Sealer)
SIGNER = web.AppKey("signer", Signer)
RECORDER = web.AppKey("recorder", Recorder)
REQUEST_NUMBERS: web.AppKey[Callable[[], int]] = web.AppKey("request_numbers")
"""Counts from a random number on: a request's id is no secret, and random bytes for each would be dear."""
REQUEST_ID = web.RequestKey("request_id", str)
ADDRESS = web.RequestKey("address", str)
IS_STREAM = web.RequestKey("is_stream", bool)
"""Whether the answer goes on for as long as the client likes."""
