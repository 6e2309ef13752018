"""``OAUTH_ALLOWED_USERS``: who may sign in at all."""

from server.oauth.model import User
from server.settings import Settings


def is_allowed(user: User, settings: Settings) -> bool:
    """Tell whether somebody may sign in: everyone, unless addresses and ``@domains`` are listed.

    An address counts as the operator wrote it, or as its provider vouches for it; capitals do not matter.
    """
    listed = settings.oauth_allowed_users
    if not listed:
        return True
    address = (user.email or "").casefold()
    name, at, domain = address.rpartition("@")
    return bool(name) and (address in listed or at + domain in listed)
