"""``OAUTH_ALLOWED_USERS``: addresses, and domains with an ``@`` before them."""

import re

_WHO = re.compile(r"[^\s@]*@[^\s@]+")


def check(value: str) -> str:
    """Check one entry, an address or an ``@domain``, and give it as it is compared: capitals do not matter.

    Raises:
        ValueError: It is neither.
    """
    if not _WHO.fullmatch(value):
        raise ValueError("neither an e-mail address nor an @domain")
    return value.casefold()
