"""Forms that nobody else can fill in: a hidden field that only a page for the same cookie has.

It is derived from the cookie's value, which no other site can read; so there is nothing to keep.
"""

import hmac

from server.oauth.errors import PageError
from server.oauth.parameters import Parameters

FIELD = "csrf"

SIGN_IN = "sign-in"
ACCOUNT = "account"


def token(secret: str, purpose: str) -> str:
    """Give the field's value.

    Args:
        secret: The value of the cookie to which the form is bound: the browser's or the session's.
        purpose: What the form is for.
    """
    return hmac.digest(secret.encode(), f"form: {purpose}".encode(), "sha256").hex()


def require(secret: str | None, params: Parameters, purpose: str) -> None:
    """Refuse a form that was not made by a page of ours for this browser.

    Raises:
        PageError: The cookie is missing, or the field is not the one that belongs to it.
        InvalidRequest: A field was sent more than once.
    """
    params.refuse_repeated()
    sent = params.get(FIELD) or ""
    if secret is None or not hmac.compare_digest(sent.encode(), token(secret, purpose).encode()):
        raise PageError(
            "This form is over",
            "It was opened before you signed in or out, in another browser, or this one did not keep its cookie.",
            "Allow cookies for this site, open the page again and fill it in anew.",
            status=403,
        )
