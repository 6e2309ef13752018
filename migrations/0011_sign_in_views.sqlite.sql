-- For an operator in the sqlite3 shell: who may sign in, and who is signed in from where. A session is over
-- at its end, or a day after its last use if that comes first.

CREATE VIEW v_users AS
SELECT
    u.user_id,
    CASE WHEN u.issuer = 'local' THEN u.subject END AS username,
    u.name,
    u.email,
    u.issuer,
    u.subject,
    datetime(u.created_at, 'unixepoch') AS created,
    datetime(p.changed_at, 'unixepoch') AS password_set,
    (
        SELECT count(*) FROM sessions s
        WHERE s.user_id = u.user_id AND u.disabled_at IS NULL
            AND s.expires_at > CAST(strftime('%s', 'now') AS integer)
            AND s.last_used_at > CAST(strftime('%s', 'now') AS integer) - 86400
    ) AS open_sessions,
    (
        SELECT count(*) FROM grants g
        WHERE g.user_id = u.user_id AND g.revoked_at IS NULL
            AND (g.expires_at IS NULL OR g.expires_at > CAST(strftime('%s', 'now') AS integer))
    ) AS open_grants,
    CASE
        WHEN u.disabled_at IS NOT NULL THEN 'disabled'
        WHEN p.user_id IS NULL AND EXISTS (
            SELECT 1 FROM invitations i
            WHERE i.user_id = u.user_id AND i.expires_at > CAST(strftime('%s', 'now') AS integer)
        ) THEN 'invited'
        ELSE 'active'
    END AS status,
    datetime(u.disabled_at, 'unixepoch') AS disabled
FROM users u
LEFT JOIN passwords p ON p.user_id = u.user_id;

CREATE VIEW v_sessions AS
SELECT
    substr(s.session_digest, 1, 16) AS session_id,
    s.user_id,
    u.name AS user_name,
    s.method,
    s.address,
    datetime(s.created_at, 'unixepoch') AS signed_in,
    datetime(s.last_used_at, 'unixepoch') AS last_used,
    datetime(min(s.expires_at, s.last_used_at + 86400), 'unixepoch') AS expires,
    CASE
        WHEN u.user_id IS NULL THEN 'user deleted'
        WHEN u.disabled_at IS NOT NULL THEN 'user disabled'
        WHEN min(s.expires_at, s.last_used_at + 86400) <= CAST(strftime('%s', 'now') AS integer) THEN 'expired'
        ELSE 'live'
    END AS status
FROM sessions s
LEFT JOIN users u ON u.user_id = s.user_id;
