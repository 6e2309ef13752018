"""Every SQL text of the store, in the subset that SQLite and PostgreSQL share.

The purge's are in `retention`, the operator's in `listings`.
"""

ADD_CLIENT = """
INSERT INTO clients (
    client_id, token_endpoint_auth_method, redirect_uris, grant_types, response_types,
    created_at, client_name, scope, secret_digest, metadata, last_used_at,
    registration_digest, created_by,
    document_auth_methods, document_fetched_at, document_expires_at
) VALUES (
    :client_id, :token_endpoint_auth_method, :redirect_uris, :grant_types, :response_types,
    :created_at, :client_name, :scope, :secret_digest, :metadata, :last_used_at,
    :registration_digest, :created_by,
    :document_auth_methods, :document_fetched_at, :document_expires_at
)"""

_CLIENT = """
    c.client_id, c.token_endpoint_auth_method, c.redirect_uris, c.grant_types, c.response_types,
    c.created_at, c.client_name, c.scope, c.secret_digest, c.metadata, c.last_used_at,
    c.registration_digest, c.created_by,
    c.document_auth_methods, c.document_fetched_at, c.document_expires_at"""

GET_CLIENT = f"SELECT {_CLIENT} FROM clients c WHERE c.client_id = :client_id"  # noqa: S608 - constants

KEEP_DESCRIBED_CLIENT = f"""{ADD_CLIENT}
ON CONFLICT (client_id) DO UPDATE SET
    token_endpoint_auth_method = excluded.token_endpoint_auth_method,
    redirect_uris = excluded.redirect_uris,
    grant_types = excluded.grant_types,
    response_types = excluded.response_types,
    client_name = excluded.client_name,
    scope = excluded.scope,
    metadata = excluded.metadata,
    document_auth_methods = excluded.document_auth_methods,
    document_fetched_at = excluded.document_fetched_at,
    document_expires_at = excluded.document_expires_at"""

REVOKE_GRANTS_OF_CLIENT = """
UPDATE grants SET revoked_at = :now, revoked_reason = :reason
WHERE client_id = :client_id AND revoked_at IS NULL"""

FORGET_CONSENTS_OF_CLIENT = "DELETE FROM consents WHERE client_id = :client_id"

EXPIRE_CODES_OF_CLIENT = """
UPDATE authorization_codes SET expires_at = :now
WHERE client_id = :client_id AND used_at IS NULL AND expires_at > :now"""

UPDATE_CLIENT = """
UPDATE clients SET
    token_endpoint_auth_method = :token_endpoint_auth_method, redirect_uris = :redirect_uris,
    grant_types = :grant_types, response_types = :response_types, client_name = :client_name,
    scope = :scope, secret_digest = :secret_digest, metadata = :metadata, last_used_at = :last_used_at
WHERE client_id = :client_id AND registration_digest = :registration_digest
RETURNING 1"""

DELETE_CLIENT = "DELETE FROM clients WHERE client_id = :client_id RETURNING 1"

HAS_MACHINE_CLIENT = """
SELECT 1 FROM clients WHERE created_by = 'operator' AND grant_types LIKE '%"client_credentials"%' LIMIT 1"""

USE_CLIENT = """
UPDATE clients SET last_used_at = :now
WHERE client_id = :client_id AND (last_used_at IS NULL OR last_used_at < :now)"""

ADD_USER = """
INSERT INTO users (user_id, issuer, subject, name, email, created_at, disabled_at)
VALUES (:user_id, :issuer, :subject, :name, :email, :now, :disabled_at)"""

REVOKE_GRANTS_OF_USER = """
UPDATE grants SET revoked_at = :now, revoked_reason = :reason
WHERE user_id = :user_id AND revoked_at IS NULL"""

EXPIRE_CODES_OF_USER = """
UPDATE authorization_codes SET expires_at = :now
WHERE user_id = :user_id AND used_at IS NULL AND expires_at > :now"""

ADD_AUTHORIZATION_REQUEST = """
INSERT INTO authorization_requests (
    handle_digest, browser_digest, client_id, redirect_uri, state,
    scopes, audience, code_challenge, created_at, expires_at, decided_at, prompt, login_hint,
    max_age, session_digest, nonce
) VALUES (
    :handle_digest, :browser_digest, :client_id, :redirect_uri, :state,
    :scopes, :audience, :code_challenge, :created_at, :expires_at, :decided_at, :prompt, :login_hint,
    :max_age, :session_digest, :nonce
)"""

_REQUEST = """
    r.handle_digest, r.browser_digest, r.client_id, r.redirect_uri, r.state,
    r.scopes, r.audience, r.code_challenge, r.created_at, r.expires_at, r.decided_at, r.prompt, r.login_hint,
    r.max_age, r.session_digest, r.nonce"""

GET_AUTHORIZATION_REQUEST = f"SELECT {_REQUEST} FROM authorization_requests r WHERE r.handle_digest = :handle_digest"  # noqa: S608 - constants

GET_REQUEST_AND_CLIENT = f"""
SELECT {_REQUEST}, {_CLIENT},
    EXISTS (SELECT 1 FROM users WHERE users.user_id = :user_id AND users.disabled_at IS NOT NULL)
FROM authorization_requests r LEFT JOIN clients c ON c.client_id = r.client_id
WHERE r.handle_digest = :handle_digest"""  # noqa: S608 - constants

OPEN_AUTHORIZATION_REQUEST = """
UPDATE authorization_requests SET browser_digest = :browser_digest
WHERE handle_digest = :handle_digest AND browser_digest = '' AND decided_at IS NULL AND expires_at > :now
RETURNING 1"""

_DECIDE = """
UPDATE authorization_requests SET decided_at = :now
WHERE handle_digest = :handle_digest AND decided_at IS NULL AND expires_at > :now
    AND EXISTS (SELECT 1 FROM clients WHERE clients.client_id = authorization_requests.client_id)"""

DENY_AUTHORIZATION_REQUEST = f"{_DECIDE} RETURNING 1"

APPROVE_AUTHORIZATION_REQUEST = f"""{_DECIDE}
    AND NOT EXISTS (SELECT 1 FROM users WHERE users.user_id = :user_id AND users.disabled_at IS NOT NULL)
RETURNING EXISTS (SELECT 1 FROM users WHERE users.user_id = :user_id)"""  # noqa: S608 - constants

FORGET_CONSENTS_OF_USER = "DELETE FROM consents WHERE user_id = :user_id"

ADD_AUTHORIZATION_CODE = """
INSERT INTO authorization_codes (
    code_digest, hint, client_id, user_id, redirect_uri, scopes,
    audience, code_challenge, created_at, expires_at, used_at, grant_id, nonce, auth_time
) VALUES (
    :code_digest, :hint, :client_id, :user_id, :redirect_uri, :scopes,
    :audience, :code_challenge, :created_at, :expires_at, :used_at, :grant_id, :nonce, :auth_time
)"""

GET_AUTHORIZATION_CODE = """
SELECT code_digest, hint, client_id, user_id, redirect_uri, scopes,
    audience, code_challenge, created_at, expires_at, used_at, grant_id, nonce, auth_time
FROM authorization_codes WHERE code_digest = :code_digest"""

USE_AUTHORIZATION_CODE = """
UPDATE authorization_codes SET used_at = :now, grant_id = :grant_id
WHERE code_digest = :code_digest AND used_at IS NULL AND expires_at > :now
    AND EXISTS (SELECT 1 FROM clients WHERE clients.client_id = authorization_codes.client_id)
    AND EXISTS (
        SELECT 1 FROM users WHERE users.user_id = authorization_codes.user_id AND users.disabled_at IS NULL
    )
RETURNING 1"""

ADD_GRANT = """
INSERT INTO grants (
    grant_id, client_id, user_id, scopes, audience, created_at, expires_at, revoked_at, revoked_reason,
    auth_time, last_used_at, last_address, tokens_until
) VALUES (
    :grant_id, :client_id, :user_id, :scopes, :audience, :created_at, :expires_at, :revoked_at, :revoked_reason,
    :auth_time, :now, :address, :until
)"""

USE_GRANT = """
UPDATE grants SET last_used_at = :now, last_address = :address,
    tokens_until = CASE WHEN tokens_until > :until THEN tokens_until ELSE :until END
WHERE grant_id = :grant_id"""

GET_LIVE_GRANT = """
SELECT 1 FROM grants
JOIN clients ON clients.client_id = grants.client_id
JOIN users ON users.user_id = grants.user_id AND users.disabled_at IS NULL
WHERE grants.grant_id = :grant_id AND grants.revoked_at IS NULL
    AND (grants.expires_at IS NULL OR grants.expires_at > :now)"""

REVOKE_GRANT = """
UPDATE grants SET revoked_at = :now, revoked_reason = :reason
WHERE grant_id = :grant_id AND revoked_at IS NULL AND (expires_at IS NULL OR expires_at > :now)
RETURNING 1"""

ADD_ACCESS = """
INSERT INTO access_tokens (
    token_digest, hint, grant_id, client_id, user_id, scopes, audience, created_at, expires_at
) VALUES (
    :token_digest, :hint, :grant_id, :client_id, :user_id, :scopes, :audience, :created_at, :expires_at
)"""

GET_LIVE_ACCESS = """
SELECT a.token_digest, a.hint, a.grant_id, a.client_id, a.user_id, a.scopes, a.audience, a.created_at, a.expires_at,
    u.user_id, u.issuer, u.subject, u.name, u.email, u.disabled_at
FROM access_tokens a
JOIN grants g ON g.grant_id = a.grant_id AND g.revoked_at IS NULL AND (g.expires_at IS NULL OR g.expires_at > :now)
JOIN clients c ON c.client_id = g.client_id
LEFT JOIN users u ON u.user_id = g.user_id AND u.disabled_at IS NULL
WHERE a.token_digest = :token_digest AND a.revoked_at IS NULL AND a.expires_at > :now
    AND (g.user_id IS NULL OR u.user_id IS NOT NULL)"""

REVOKE_ACCESS = """
UPDATE access_tokens SET revoked_at = :now
WHERE token_digest = :token_digest AND revoked_at IS NULL AND expires_at > :now
RETURNING 1"""

ADD_REFRESH = """
INSERT INTO refresh_tokens (
    token_digest, hint, grant_id, client_id, successor_salt, created_at, expires_at, used_at
) VALUES (
    :token_digest, :hint, :grant_id, :client_id, :successor_salt, :created_at, :expires_at, :used_at
)"""

GET_REFRESH = """
SELECT r.token_digest, r.hint, r.grant_id, r.client_id, r.successor_salt, r.created_at, r.expires_at, r.used_at,
    g.grant_id, g.client_id, g.user_id, g.scopes, g.audience, g.created_at, g.expires_at, g.revoked_at,
    g.revoked_reason, g.auth_time,
    g.revoked_at IS NULL AND (g.expires_at IS NULL OR g.expires_at > :now)
        AND c.client_id IS NOT NULL AND u.user_id IS NOT NULL
FROM refresh_tokens r
JOIN grants g ON g.grant_id = r.grant_id
LEFT JOIN clients c ON c.client_id = g.client_id
LEFT JOIN users u ON u.user_id = g.user_id AND u.disabled_at IS NULL
WHERE r.token_digest = :token_digest"""

USE_REFRESH = """
UPDATE refresh_tokens SET used_at = :now
WHERE token_digest = :token_digest AND used_at IS NULL AND expires_at > :now
    AND EXISTS (
        SELECT 1 FROM grants
        JOIN clients ON clients.client_id = grants.client_id
        JOIN users ON users.user_id = grants.user_id AND users.disabled_at IS NULL
        WHERE grants.grant_id = refresh_tokens.grant_id AND grants.revoked_at IS NULL
            AND (grants.expires_at IS NULL OR grants.expires_at > :now)
    )
RETURNING 1"""

COUNT_LIVE = """
SELECT
    (SELECT count(*) FROM clients),
    (SELECT count(*) FROM authorization_codes WHERE used_at IS NULL AND expires_at > :now),
    (SELECT count(*) FROM access_tokens a
        JOIN grants g ON g.grant_id = a.grant_id AND g.revoked_at IS NULL
            AND (g.expires_at IS NULL OR g.expires_at > :now)
        JOIN clients c ON c.client_id = g.client_id
        LEFT JOIN users u ON u.user_id = g.user_id AND u.disabled_at IS NULL
        WHERE a.revoked_at IS NULL AND a.expires_at > :now AND (g.user_id IS NULL OR u.user_id IS NOT NULL)),
    (SELECT count(*) FROM refresh_tokens r
        JOIN grants g ON g.grant_id = r.grant_id AND g.revoked_at IS NULL
            AND (g.expires_at IS NULL OR g.expires_at > :now)
        JOIN clients c ON c.client_id = g.client_id
        JOIN users u ON u.user_id = g.user_id AND u.disabled_at IS NULL
        WHERE r.used_at IS NULL AND r.expires_at > :now)"""
