"""Typed keys of what the application and each request carry."""

from aiohttp import web

from server.clock import Clock
from server.oauth.remote import Remote
from server.oauth.tokens import Entropy
from server.settings import Settings
from server.storage.database import Database
from server.transport.kernel import Kernel

SETTINGS = web.AppKey("settings", Settings)
CLOCK: web.AppKey[Clock] = web.AppKey("clock")
ENTROPY: web.AppKey[Entropy] = web.AppKey("entropy")
STORE = web.AppKey("store", Database)
REMOTE = web.AppKey("remote", Remote)
KERNEL = web.AppKey("kernel", Kernel)
REQUEST_ID = web.RequestKey("request_id", str)
