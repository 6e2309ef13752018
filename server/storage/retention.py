"""What is kept and for how long, as the statements that remove the rest.

Rows that end at a time of their own are found by an index on it. Rows that end with others, or whose
others were deleted by hand, are found by walking a key in steps.
"""

from server.identity.sessions import IDLE as SESSION_IDLE
from server.storage.payments import SWEEPS as PAYMENT_SWEEPS
from server.storage.sweep import Sweep

_HOUR = 3_600
_DAY = 86_400
_CLIENT_IDLE = 30 * _DAY


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
    Sweep(
        "authorization_requests",
        """
        DELETE FROM authorization_requests WHERE handle_digest IN (
            SELECT handle_digest FROM authorization_requests WHERE expires_at <= :hour_ago LIMIT :batch
        ) RETURNING 1""",
    ),
    Sweep(
        "authorization_codes",
        """
        DELETE FROM authorization_codes WHERE code_digest IN (
            SELECT code_digest FROM authorization_codes WHERE expires_at <= :hour_ago LIMIT :batch
        ) RETURNING 1""",
    ),
    Sweep(
        "client_assertions",
        """
        DELETE FROM client_assertions WHERE (client_id, jti) IN (
            SELECT client_id, jti FROM client_assertions WHERE expires_at <= :now LIMIT :batch
        ) RETURNING 1""",
    ),
    # Keys serve for a day after they expired, while they cannot be fetched anew.
    Sweep(
        "key_sets",
        """
        DELETE FROM key_sets WHERE jwks_uri IN (
            SELECT jwks_uri FROM key_sets WHERE expires_at <= :day_ago LIMIT :batch
        ) RETURNING 1""",
    ),
    Sweep(
        "access_tokens",
        """
        DELETE FROM access_tokens WHERE token_digest IN (
            SELECT token_digest FROM access_tokens WHERE expires_at <= :now LIMIT :batch
        ) RETURNING 1""",
    ),
    Sweep(
        "access_tokens",
        """
        DELETE FROM access_tokens WHERE token_digest IN (
            SELECT token_digest FROM access_tokens WHERE revoked_at IS NOT NULL LIMIT :batch
        ) RETURNING 1""",
    ),
    # A family has ended when it was revoked, when it expired, or when its one unused refresh token
    # did. A grant without refresh tokens expires with its access token; the store sees to that.
    Sweep(
        "grants",
        """
        DELETE FROM grants WHERE grant_id IN (
            SELECT g.grant_id FROM grants g
            WHERE g.grant_id > :after AND g.grant_id <= :until AND (
                g.revoked_at <= :day_ago
                OR g.expires_at <= :day_ago
                OR NOT EXISTS (SELECT 1 FROM clients c WHERE c.client_id = g.client_id)
                OR g.user_id IS NOT NULL AND NOT EXISTS (SELECT 1 FROM users u WHERE u.user_id = g.user_id)
                OR g.created_at <= :day_ago
                    AND (
                        g.expires_at IS NULL
                        OR EXISTS (SELECT 1 FROM refresh_tokens r WHERE r.grant_id = g.grant_id)
                    )
                    AND NOT EXISTS (
                        SELECT 1 FROM refresh_tokens r
                        WHERE r.grant_id = g.grant_id AND r.used_at IS NULL AND r.expires_at > :day_ago
                    )
                    AND NOT EXISTS (
                        SELECT 1 FROM access_tokens a WHERE a.grant_id = g.grant_id AND a.expires_at > :day_ago
                    )
            ) LIMIT :batch
        ) RETURNING 1""",
        """
        SELECT max(grant_id) FROM (
            SELECT grant_id FROM grants WHERE grant_id > :after ORDER BY grant_id LIMIT :step
        ) AS step""",
    ),
    Sweep(
        "access_tokens",
        """
        DELETE FROM access_tokens WHERE token_digest IN (
            SELECT a.token_digest FROM access_tokens a
            WHERE a.grant_id > :after AND a.grant_id <= :until AND NOT EXISTS (
                SELECT 1 FROM grants g WHERE g.grant_id = a.grant_id AND g.revoked_at IS NULL
            ) LIMIT :batch
        ) RETURNING 1""",
        """
        SELECT max(grant_id) FROM (
            SELECT grant_id FROM access_tokens WHERE grant_id > :after ORDER BY grant_id LIMIT :step
        ) AS step""",
    ),
    Sweep(
        "refresh_tokens",
        """
        DELETE FROM refresh_tokens WHERE token_digest IN (
            SELECT r.token_digest FROM refresh_tokens r
            WHERE r.grant_id > :after AND r.grant_id <= :until
                AND NOT EXISTS (SELECT 1 FROM grants g WHERE g.grant_id = r.grant_id)
            LIMIT :batch
        ) RETURNING 1""",
        """
        SELECT max(grant_id) FROM (
            SELECT grant_id FROM refresh_tokens WHERE grant_id > :after ORDER BY grant_id LIMIT :step
        ) AS step""",
    ),
    # A client in the middle of an authorization, or that still holds anything usable, is in use; one
    # that the operator created stays until the operator deletes it.
    Sweep(
        "clients",
        """
        DELETE FROM clients WHERE client_id IN (
            SELECT c.client_id FROM clients c
            WHERE c.client_id > :after AND c.client_id <= :until
                AND c.created_by <> 'operator'
                AND coalesce(c.last_used_at, c.created_at) <= :idle_since
                AND c.client_id NOT IN (SELECT client_id FROM authorization_requests WHERE expires_at > :now)
                AND c.client_id NOT IN (SELECT client_id FROM authorization_codes WHERE expires_at > :now)
                AND NOT EXISTS (
                    SELECT 1 FROM grants g
                    WHERE g.client_id = c.client_id AND g.revoked_at IS NULL
                        AND (g.expires_at IS NULL OR g.expires_at > :now)
                        AND (
                            EXISTS (
                                SELECT 1 FROM refresh_tokens r
                                WHERE r.grant_id = g.grant_id AND r.used_at IS NULL AND r.expires_at > :now
                            )
                            OR EXISTS (
                                SELECT 1 FROM access_tokens a WHERE a.grant_id = g.grant_id AND a.expires_at > :now
                            )
                        )
                )
            LIMIT :batch
        ) RETURNING 1""",
        """
        SELECT max(client_id) FROM (
            SELECT client_id FROM clients WHERE client_id > :after ORDER BY client_id LIMIT :step
        ) AS step""",
    ),
    Sweep(
        "signing_keys",
        """
        DELETE FROM signing_keys WHERE kid IN (
            SELECT kid FROM signing_keys WHERE expires_at <= :now LIMIT :batch
        ) RETURNING 1""",
    ),
    # Events are numbered as time goes, and the table has no index on it.
    Sweep(
        "audit_log",
        """
        DELETE FROM audit_log
        WHERE id IN (SELECT id FROM audit_log ORDER BY id LIMIT :batch) AND time <= :audited_until
        RETURNING 1""",
    ),
    Sweep(
        "consents",
        """
        DELETE FROM consents WHERE (user_id, client_id, redirect_uri, scope) IN (
            SELECT user_id, client_id, redirect_uri, scope FROM consents WHERE expires_at <= :now LIMIT :batch
        ) RETURNING 1""",
    ),
    Sweep(
        "consents",
        """
        DELETE FROM consents WHERE (user_id, client_id, redirect_uri, scope) IN (
            SELECT k.user_id, k.client_id, k.redirect_uri, k.scope FROM consents k
            WHERE k.user_id > :after AND k.user_id <= :until AND (
                NOT EXISTS (SELECT 1 FROM users u WHERE u.user_id = k.user_id AND u.created_at <= k.created_at)
                OR NOT EXISTS (
                    SELECT 1 FROM clients c WHERE c.client_id = k.client_id AND c.created_at <= k.created_at
                )
            ) LIMIT :batch
        ) RETURNING 1""",
        """
        SELECT max(user_id) FROM (
            SELECT user_id FROM consents WHERE user_id > :after ORDER BY user_id LIMIT :step
        ) AS step""",
    ),
    Sweep(
        "sessions",
        """
        DELETE FROM sessions WHERE session_digest IN (
            SELECT session_digest FROM sessions WHERE expires_at <= :now LIMIT :batch
        ) RETURNING 1""",
    ),
    Sweep(
        "sessions",
        """
        DELETE FROM sessions WHERE session_digest IN (
            SELECT session_digest FROM sessions WHERE last_used_at <= :session_idle_since LIMIT :batch
        ) RETURNING 1""",
    ),
    Sweep(
        "invitations",
        """
        DELETE FROM invitations WHERE token_digest IN (
            SELECT token_digest FROM invitations WHERE expires_at <= :now LIMIT :batch
        ) RETURNING 1""",
    ),
    Sweep(
        "passwords",
        """
        DELETE FROM passwords WHERE user_id IN (
            SELECT p.user_id FROM passwords p
            WHERE p.user_id > :after AND p.user_id <= :until
                AND NOT EXISTS (SELECT 1 FROM users u WHERE u.user_id = p.user_id)
            LIMIT :batch
        ) RETURNING 1""",
        """
        SELECT max(user_id) FROM (
            SELECT user_id FROM passwords WHERE user_id > :after ORDER BY user_id LIMIT :step
        ) AS step""",
    ),
    *PAYMENT_SWEEPS,
)
