-- For an operator in the sqlite3 shell: who has which passkeys, and when they were used.

CREATE VIEW v_passkeys AS
SELECT
    k.credential_id,
    k.user_id,
    CASE WHEN u.issuer = 'local' THEN u.subject END AS username,
    k.name,
    CASE k.synced WHEN 1 THEN 'yes' ELSE 'no' END AS synced,
    k.sign_count,
    datetime(k.created_at, 'unixepoch') AS added,
    datetime(k.last_used_at, 'unixepoch') AS last_used,
    CASE
        WHEN u.user_id IS NULL THEN 'user deleted'
        WHEN u.disabled_at IS NOT NULL THEN 'user disabled'
        ELSE 'active'
    END AS status
FROM passkeys k
LEFT JOIN users u ON u.user_id = k.user_id;
