"""What is kept of passkeys, and for how long; see `retention`."""

from server.storage.sweep import Sweep

PASSKEY_SWEEPS = (
    Sweep(
        "passkey_challenges",
        """
        DELETE FROM passkey_challenges WHERE challenge_digest IN (
            SELECT challenge_digest FROM passkey_challenges WHERE expires_at <= :now LIMIT :batch
        ) RETURNING 1""",
    ),
    Sweep(
        "passkeys",
        """
        DELETE FROM passkeys WHERE credential_id IN (
            SELECT k.credential_id FROM passkeys k
            WHERE k.user_id > :after AND k.user_id <= :until
                AND NOT EXISTS (SELECT 1 FROM users u WHERE u.user_id = k.user_id)
            LIMIT :batch
        ) RETURNING 1""",
        """
        SELECT max(user_id) FROM (
            SELECT user_id FROM passkeys WHERE user_id > :after ORDER BY user_id LIMIT :step
        ) AS step""",
    ),
)
