"""The provider's answer, as the browser brings it (RFC 6749 section 4.1.2, RFC 9207)."""

import re

from server.identity.oidc import hop
from server.identity.oidc.discovery import Metadata
from server.identity.oidc.errors import (
    CookieLost,
    Denied,
    Misconfigured,
    Replayed,
    Unknown,
    Unreachable,
    Untrusted,
    UpstreamError,
)
from server.identity.oidc.hop import Hop
from server.identity.oidc.model import Attempt, UpstreamStore
from server.identity.oidc.registration import Registration
from server.oauth import tokens
from server.oauth.parameters import Parameters
from server.sealing import Sealer, Unsealable
from server.upstreams import GUID, TENANT

_SHOWN = 200  # characters of the provider's words that the log shows

_FAILURES: dict[str, type[UpstreamError]] = {
    "access_denied": Denied,
    "login_required": Denied,
    "interaction_required": Denied,
    "consent_required": Denied,
    "account_selection_required": Denied,
    "server_error": Unreachable,
    "temporarily_unavailable": Unreachable,
}


async def take(
    params: Parameters,
    browser: str | None,
    registration: Registration,
    store: UpstreamStore,
    sealer: Sealer,
    now: int,
) -> Hop:
    """Find the sign-in that an answer is for, by its ``state``, and use it up.

    Args:
        params: What the browser brought.
        browser: The random id in its cookie.
        registration: The client that waits for an answer.
        store: Where sign-ins are kept.
        sealer: Opens what was sealed.
        now: Unix seconds.

    Raises:
        StateError: There is none, it is over, it was used before, or another browser began it.
    """
    state = params.get("state")
    if state is None or "state" in params.repeated:
        raise Unknown("the answer has no state, or several")
    attempt = await store.get_attempt(tokens.digest(state))
    if attempt is None:
        raise Unknown("there is no sign-in of that state; it was never begun, or ended more than an hour ago")
    _check(attempt, browser, registration, now)
    if not await store.use_attempt(attempt.state_digest, now):
        raise Replayed("its state was used at the same moment")
    try:
        return hop.read_back(attempt, sealer)
    except Unsealable:
        raise Unknown("it was sealed under another SECRET_KEY") from None


def _check(attempt: Attempt, browser: str | None, registration: Registration, now: int) -> None:
    """Hold a sign-in to the browser that began it, to its ten minutes, to one answer, and to one provider."""
    if browser is None or tokens.digest(browser) != attempt.browser_digest:
        raise CookieLost(f"the browser's cookie is {'missing' if browser is None else 'not the one that began'}")
    if attempt.used_at is not None:
        raise Replayed(f"its state was used {now - attempt.used_at} s ago")
    if attempt.expires_at <= now:
        raise Unknown(f"its state expired {now - attempt.expires_at} s ago")
    if attempt.issuer != registration.issuer:
        raise Unknown(f"it was begun at {attempt.issuer}, and the settings name another provider since")


def code(params: Parameters, metadata: Metadata) -> str:
    """Give the code that an answer brings.

    Raises:
        UpstreamError: It is of another provider, it brings an error instead, or it cannot be read.
    """
    if repeated := {"code", "error", "iss"} & set(params.repeated):
        raise Untrusted(f"the answer has several {' '.join(sorted(repeated))}")
    _check_issuer(params.get("iss"), metadata)
    error = params.get("error")
    if error is not None:
        said = f"the provider answered {error[:_SHOWN]!r} ({(params.get('error_description') or '')[:_SHOWN]!r})"
        raise _FAILURES.get(error, Misconfigured)(said)
    found = params.get("code")
    if not found:
        raise Untrusted("the answer has neither code nor error")
    return found


def _check_issuer(claimed: str | None, metadata: Metadata) -> None:
    """Hold an answer to the provider that was asked (RFC 9207 section 2.4), so that no other can slip in its own."""
    if claimed is None and metadata.sends_issuer:
        raise Untrusted("the answer does not name its issuer, although the provider says it always does")
    pattern = re.escape(metadata.issuer).replace(re.escape(TENANT), GUID.pattern)
    if claimed is not None and not re.fullmatch(pattern, claimed):
        raise Untrusted(f"the answer is of the issuer {claimed[:_SHOWN]!r}, not {metadata.issuer!r}")
