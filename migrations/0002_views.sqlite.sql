-- For an operator in the sqlite3 shell: who holds what, until when. Times are UTC; a status says what
-- the server would make of the row at this moment. A token is shown by the first characters after its
-- prefix only.

CREATE VIEW v_clients AS
SELECT
    c.client_id,
    c.client_name,
    c.token_endpoint_auth_method AS auth_method,
    c.redirect_uris,
    datetime(c.created_at, 'unixepoch') AS registered,
    datetime(c.last_used_at, 'unixepoch') AS last_used,
    (
        SELECT count(*) FROM grants g
        WHERE g.client_id = c.client_id AND g.revoked_at IS NULL
            AND (g.expires_at IS NULL OR g.expires_at > CAST(strftime('%s', 'now') AS integer))
    ) AS open_grants
FROM clients c;

CREATE VIEW v_grants AS
SELECT
    g.grant_id,
    g.client_id,
    c.client_name,
    g.user_id,
    u.name AS user_name,
    g.scopes,
    datetime(g.created_at, 'unixepoch') AS granted,
    datetime(g.expires_at, 'unixepoch') AS expires,
    CASE
        WHEN g.revoked_at IS NOT NULL THEN 'revoked'
        WHEN g.expires_at <= CAST(strftime('%s', 'now') AS integer) THEN 'expired'
        WHEN c.client_id IS NULL THEN 'client deleted'
        WHEN u.user_id IS NULL THEN 'user deleted'
        WHEN u.disabled_at IS NOT NULL THEN 'user disabled'
        ELSE 'live'
    END AS status,
    datetime(g.revoked_at, 'unixepoch') AS revoked,
    g.revoked_reason,
    g.audience
FROM grants g
LEFT JOIN clients c ON c.client_id = g.client_id
LEFT JOIN users u ON u.user_id = g.user_id;

CREATE VIEW v_tokens AS
SELECT
    t.kind,
    t.hint,
    t.grant_id,
    t.client_id,
    g.client_name,
    g.user_id,
    g.user_name,
    coalesce(t.scopes, g.scopes) AS scopes,
    datetime(t.created_at, 'unixepoch') AS issued,
    datetime(t.expires_at, 'unixepoch') AS expires,
    CASE
        WHEN t.revoked_at IS NOT NULL THEN 'revoked'
        WHEN t.used_at IS NOT NULL THEN 'used'
        WHEN t.expires_at <= CAST(strftime('%s', 'now') AS integer) THEN 'expired'
        WHEN g.grant_id IS NULL THEN 'grant deleted'
        WHEN g.status IN ('revoked', 'expired') THEN 'grant ' || g.status
        ELSE g.status
    END AS status
FROM (
    SELECT 'access' AS kind, hint, grant_id, client_id, scopes, created_at, expires_at, revoked_at, NULL AS used_at
    FROM access_tokens
    UNION ALL
    SELECT 'refresh', hint, grant_id, client_id, NULL, created_at, expires_at, NULL, used_at
    FROM refresh_tokens
) t
LEFT JOIN v_grants g ON g.grant_id = t.grant_id;
