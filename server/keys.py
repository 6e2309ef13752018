"""Typed keys of what the application and each request carry."""

from aiohttp import web

from server.clock import Clock
from server.identity import Identity
from server.oauth.tokens import Entropy
from server.settings import Settings
from server.storage.database import Database
from server.transport.kernel import Kernel

SETTINGS = web.AppKey("settings", Settings)
CLOCK: web.AppKey[Clock] = web.AppKey("clock")
ENTROPY: web.AppKey[Entropy] = web.AppKey("entropy")
IDENTITY: web.AppKey[Identity] = web.AppKey("identity")
STORE = web.AppKey("store", Database)
KERNEL = web.AppKey("kernel", Kernel)
REQUEST_ID = web.RequestKey("request_id", str)
