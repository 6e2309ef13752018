"""Who signs people in, by the name that ``OAUTH_PROVIDER`` has for it."""

from collections.abc import Mapping

from server.handlers import signin, upstream
from server.identity import Identity, demo
from server.upstreams import PROVIDERS as UPSTREAM

PROVIDERS: Mapping[str, Identity] = {"demo": demo, "local": signin, **dict.fromkeys(UPSTREAM, upstream)}
