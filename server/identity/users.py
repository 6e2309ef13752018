"""Users: their ids, and the names of local accounts."""

import re
import unicodedata

from server.oauth.model import User
from server.oauth.tokens import Entropy

LOCAL = "local"
"""The issuer of local accounts; their subject is the username."""

USERNAME = "1 to 64 letters, digits and . _ - + @, beginning with a letter or digit"
EMAIL = "an address such as ada@example.com"

_USERNAME = re.compile(r"\w[\w.+@-]{0,63}")
_EMAIL = re.compile(r"[^\s@,<>\"']{1,64}@[^\s@,<>\"']{1,189}")


def new_id(entropy: Entropy) -> str:
    """Make the id of a new user, who keeps it whatever else changes."""
    return "att_us_" + entropy(16).hex()


def normal(username: str) -> str:
    """Give the form in which a username is kept and compared: capitals and other ways to write it do not matter."""
    return unicodedata.normalize("NFKC", username.strip()).casefold()


def is_username(text: str) -> bool:
    """Tell whether a text in its normal form may name an account; see `USERNAME`."""
    return bool(_USERNAME.fullmatch(text))


def is_email(text: str) -> bool:
    """Tell whether a text has the form of an e-mail address."""
    return bool(_EMAIL.fullmatch(text))


def username(user: User) -> str | None:
    """Give the name by which a user of a local account signs in; ``None`` for others."""
    return user.subject if user.issuer == LOCAL else None
