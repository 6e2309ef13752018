"""Who signs people in, by the name that ``OAUTH_PROVIDER`` has for it."""

from collections.abc import Mapping

from server.handlers import signin
from server.identity import Identity, demo

PROVIDERS: Mapping[str, Identity] = {"demo": demo, "local": signin}
