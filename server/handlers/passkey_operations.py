"""What the forms for passkeys take and answer, for the OpenAPI document."""

from collections.abc import Iterator

from server.handlers import cookies
from server.handlers.operations import Operation
from server.handlers.signin_operations import form
from server.identity.users import LOCAL
from server.settings import Settings

_TEXT = {"type": "string"}


def operations(settings: Settings) -> Iterator[Operation]:
    """Give every operation that these settings open."""
    if settings.oauth_provider != LOCAL:
        return
    browser, session = cookies.browser_cookie(settings), cookies.session_cookie(settings)
    credential = {"credential": {**_TEXT, "description": "A `PublicKeyCredential` as JSON."}}
    waiting = {**credential, "request": _TEXT}
    yield form("/signin/passkey", "sign_in_by_passkey", "Sign in with a passkey", browser, waiting, limited=True)
    named = {**credential, "name": _TEXT}
    yield form("/account/passkeys", "add_passkey", "Add a passkey to the account", session, named)
    chosen = {"credential_id": _TEXT}
    yield form("/account/passkeys/remove", "remove_passkey", "Remove a passkey", session, chosen)
    summary = "Do without a password, having signed in with a passkey"
    yield form("/account/password/remove", "remove_password", summary, session, {})
