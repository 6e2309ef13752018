-- For an operator in the sqlite3 shell: what is remembered, until when. A consent for something else than
-- the client has registered now asks again too, which only the server can tell.

CREATE VIEW v_consents AS
SELECT
    k.user_id,
    u.name AS user_name,
    k.client_id,
    c.client_name,
    k.redirect_uri,
    k.scope,
    datetime(k.created_at, 'unixepoch') AS allowed,
    datetime(k.expires_at, 'unixepoch') AS expires,
    CASE
        WHEN k.expires_at <= CAST(strftime('%s', 'now') AS integer) THEN 'expired'
        WHEN c.client_id IS NULL THEN 'client deleted'
        WHEN u.user_id IS NULL THEN 'user deleted'
        WHEN u.disabled_at IS NOT NULL THEN 'user disabled'
        ELSE 'remembered'
    END AS status
FROM consents k
LEFT JOIN clients c ON c.client_id = k.client_id AND c.created_at <= k.created_at
LEFT JOIN users u ON u.user_id = k.user_id;
