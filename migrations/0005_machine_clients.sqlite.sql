-- A grant by client credentials has no user (RFC 6749 section 4.4): user_id becomes nullable in grants
-- and access_tokens. SQLite changes a column only by making its table anew, and the views on it too.

DROP VIEW v_tokens;
DROP VIEW v_grants;
DROP VIEW v_clients;

CREATE TABLE grants_anew (
    grant_id text NOT NULL PRIMARY KEY,
    client_id text NOT NULL,
    user_id text,
    scopes text NOT NULL,
    audience text NOT NULL,
    created_at bigint NOT NULL,
    expires_at bigint,
    revoked_at bigint,
    revoked_reason text
);
INSERT INTO grants_anew
SELECT grant_id, client_id, user_id, scopes, audience, created_at, expires_at, revoked_at, revoked_reason
FROM grants;
DROP TABLE grants;
ALTER TABLE grants_anew RENAME TO grants;
CREATE INDEX grants_by_client ON grants (client_id);
CREATE INDEX grants_by_user ON grants (user_id);

CREATE TABLE access_tokens_anew (
    token_digest text NOT NULL PRIMARY KEY,
    hint text NOT NULL,
    grant_id text NOT NULL,
    client_id text NOT NULL,
    user_id text,
    scopes text NOT NULL,
    audience text NOT NULL,
    created_at bigint NOT NULL,
    expires_at bigint NOT NULL,
    revoked_at bigint
);
INSERT INTO access_tokens_anew
SELECT token_digest, hint, grant_id, client_id, user_id, scopes, audience, created_at, expires_at, revoked_at
FROM access_tokens;
DROP TABLE access_tokens;
ALTER TABLE access_tokens_anew RENAME TO access_tokens;
CREATE INDEX access_tokens_by_grant ON access_tokens (grant_id, expires_at);
CREATE INDEX access_tokens_by_expiry ON access_tokens (expires_at);
CREATE INDEX access_tokens_revoked ON access_tokens (revoked_at) WHERE revoked_at IS NOT NULL;

-- As before, and: who made a client, what it may do, whether it holds a grant; and an id for each token,
-- which is how its digest begins.

CREATE VIEW v_clients AS
SELECT
    client_id,
    client_name,
    created_by,
    auth_method,
    redirect_uris,
    grant_types,
    scope,
    registered,
    last_used,
    open_grants,
    CASE WHEN open_grants > 0 THEN 'active' ELSE 'idle' END AS status
FROM (
    SELECT
        c.client_id,
        c.client_name,
        c.created_by,
        c.token_endpoint_auth_method AS auth_method,
        c.redirect_uris,
        c.grant_types,
        c.scope,
        datetime(c.created_at, 'unixepoch') AS registered,
        datetime(c.last_used_at, 'unixepoch') AS last_used,
        (
            SELECT count(*) FROM grants g
            WHERE g.client_id = c.client_id AND g.revoked_at IS NULL
                AND (g.expires_at IS NULL OR g.expires_at > CAST(strftime('%s', 'now') AS integer))
        ) AS open_grants
    FROM clients c
);

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
        WHEN g.user_id IS NOT NULL AND u.user_id IS NULL THEN 'user deleted'
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
    substr(t.token_digest, 1, 16) AS token_id,
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
    SELECT
        token_digest, 'access' AS kind, hint, grant_id, client_id, scopes,
        created_at, expires_at, revoked_at, NULL AS used_at
    FROM access_tokens
    UNION ALL
    SELECT token_digest, 'refresh', hint, grant_id, client_id, NULL, created_at, expires_at, NULL, used_at
    FROM refresh_tokens
) t
LEFT JOIN v_grants g ON g.grant_id = t.grant_id;
