"""What is kept and for how long, as the conditions on which the rest goes.

Rows that end at a time of their own are found by an index on it. Rows that end with others, or whose
others were deleted by hand, are found by walking a key in steps.
"""

from server.identity.sessions import IDLE as SESSION_IDLE
from server.storage.sweep import Sweep

_HOUR = 3_600
_DAY = 86_400
_CLIENT_IDLE = 30 * _DAY

_USER_IS_GONE = "NOT EXISTS (SELECT 1 FROM users u WHERE u.user_id = t.user_id)"


def times(now: int, audit_days: int) -> dict[str, int]:
    """Give the points in time that the statements compare with; without audit days, audit events are as they are."""
    return {
        "now": now,
        "hour_ago": now - _HOUR,
        "day_ago": now - _DAY,
        "idle_since": now - _CLIENT_IDLE,
        "session_idle_since": now - SESSION_IDLE,
        "audited_until": now - audit_days * _DAY if audit_days else 0,
    }


SWEEPS = (
    Sweep("authorization_requests", "handle_digest", "expires_at <= :hour_ago"),
    Sweep("authorization_codes", "code_digest", "expires_at <= :hour_ago"),
    Sweep("client_assertions", "client_id, jti", "expires_at <= :now"),
    # Keys serve for a day after they expired, while they cannot be fetched anew.
    Sweep("key_sets", "jwks_uri", "expires_at <= :day_ago"),
    Sweep("access_tokens", "token_digest", "expires_at <= :now"),
    Sweep("access_tokens", "token_digest", "revoked_at IS NOT NULL"),
    # A family has ended when it was revoked, when it expired, or when the last of its tokens did.
    Sweep(
        "grants",
        "grant_id",
        """
        t.revoked_at <= :day_ago
        OR t.expires_at <= :day_ago
        OR coalesce(t.tokens_until, t.created_at) <= :day_ago
        OR NOT EXISTS (SELECT 1 FROM clients c WHERE c.client_id = t.client_id)
        OR t.user_id IS NOT NULL AND NOT EXISTS (SELECT 1 FROM users u WHERE u.user_id = t.user_id)
        """,
        walk="grant_id",
    ),
    Sweep(
        "access_tokens",
        "token_digest",
        "NOT EXISTS (SELECT 1 FROM grants g WHERE g.grant_id = t.grant_id AND g.revoked_at IS NULL)",
        walk="token_digest",
    ),
    Sweep(
        "refresh_tokens",
        "token_digest",
        "NOT EXISTS (SELECT 1 FROM grants g WHERE g.grant_id = t.grant_id)",
        walk="token_digest",
    ),
    # A client in the middle of an authorization, or that still holds anything usable, is in use; one
    # that the operator created stays until the operator deletes it.
    Sweep(
        "clients",
        "client_id",
        """
        t.created_by <> 'operator'
        AND coalesce(t.last_used_at, t.created_at) <= :idle_since
        AND t.client_id NOT IN (SELECT client_id FROM authorization_requests WHERE expires_at > :now)
        AND t.client_id NOT IN (SELECT client_id FROM authorization_codes WHERE expires_at > :now)
        AND NOT EXISTS (
            SELECT 1 FROM grants g
            WHERE g.client_id = t.client_id AND g.revoked_at IS NULL
                AND (g.expires_at IS NULL OR g.expires_at > :now) AND g.tokens_until > :now
        )
        """,
        walk="client_id",
    ),
    Sweep("signing_keys", "kid", "expires_at <= :now"),
    # Events are numbered as time goes, and the table has no index on it.
    Sweep("audit_log", "id", "id IN (SELECT id FROM audit_log ORDER BY id LIMIT :batch) AND time <= :audited_until"),
    Sweep("consents", "user_id, client_id, redirect_uri, scope", "expires_at <= :now"),
    Sweep(
        "consents",
        "user_id, client_id, redirect_uri, scope",
        """
        NOT EXISTS (SELECT 1 FROM users u WHERE u.user_id = t.user_id AND u.created_at <= t.created_at)
        OR NOT EXISTS (SELECT 1 FROM clients c WHERE c.client_id = t.client_id AND c.created_at <= t.created_at)
        """,
        walk="user_id",
    ),
    Sweep("sessions", "session_digest", "expires_at <= :now"),
    Sweep("sessions", "session_digest", "last_used_at <= :session_idle_since"),
    Sweep("invitations", "token_digest", "expires_at <= :now"),
    Sweep("passwords", "user_id", _USER_IS_GONE, walk="user_id"),
    # The ledger of payments stays for ever; what goes is what was offered, and the guests who were wrong.
    Sweep("payment_quotes", "quote_digest", "expires_at <= :hour_ago"),
    Sweep("guest_failures", "holder_digest, failed_at", "failed_at <= :hour_ago"),
    Sweep("upstream_sign_ins", "state_digest", "expires_at <= :hour_ago"),
    Sweep("browser_approvals", "browser_digest, client_id, redirect_uri", "expires_at <= :now"),
    Sweep(
        "browser_approvals",
        "browser_digest, client_id, redirect_uri",
        "NOT EXISTS (SELECT 1 FROM clients c WHERE c.client_id = t.client_id AND c.created_at <= t.created_at)",
        walk="browser_digest",
    ),
    Sweep("passkey_challenges", "challenge_digest", "expires_at <= :now"),
    Sweep("passkeys", "credential_id", _USER_IS_GONE, walk="user_id"),
    Sweep("mcp_sessions", "session_digest", "used_at <= :session_lost"),
    Sweep("mcp_events", "session_digest, event", "created_at <= :events_until"),
    Sweep(
        "mcp_events",
        "session_digest, event",
        "NOT EXISTS (SELECT 1 FROM mcp_sessions s WHERE s.session_digest = t.session_digest)",
        walk="session_digest",
    ),
)
"""In the order in which a purge takes them: what belongs to a grant or session that goes, goes after it."""
