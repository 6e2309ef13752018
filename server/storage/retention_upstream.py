"""What is kept of signing in at an upstream provider, and for how long; see `retention`."""

from server.storage.sweep import Sweep

UPSTREAM_SWEEPS = (
    Sweep(
        "upstream_sign_ins",
        """
        DELETE FROM upstream_sign_ins WHERE state_digest IN (
            SELECT state_digest FROM upstream_sign_ins WHERE expires_at <= :hour_ago LIMIT :batch
        ) RETURNING 1""",
    ),
    Sweep(
        "browser_approvals",
        """
        DELETE FROM browser_approvals WHERE (browser_digest, client_id, redirect_uri) IN (
            SELECT browser_digest, client_id, redirect_uri FROM browser_approvals WHERE expires_at <= :now LIMIT :batch
        ) RETURNING 1""",
    ),
    Sweep(
        "browser_approvals",
        """
        DELETE FROM browser_approvals WHERE (browser_digest, client_id, redirect_uri) IN (
            SELECT b.browser_digest, b.client_id, b.redirect_uri FROM browser_approvals b
            WHERE b.browser_digest > :after AND b.browser_digest <= :until AND NOT EXISTS (
                SELECT 1 FROM clients c WHERE c.client_id = b.client_id AND c.created_at <= b.created_at
            ) LIMIT :batch
        ) RETURNING 1""",
        """
        SELECT max(browser_digest) FROM (
            SELECT browser_digest FROM browser_approvals WHERE browser_digest > :after
            ORDER BY browser_digest LIMIT :step
        ) AS step""",
    ),
)
