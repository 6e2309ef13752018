-- Times are whole Unix seconds. Lists and objects are JSON text; scopes are separated by spaces.
-- Secrets are kept as lower-case hexadecimal SHA-256 digests only; a hint is the few characters of
-- a token after its prefix, by which it can be recognised.
--
-- Clients, users, grants and tokens refer to each other by key but declare no foreign keys: a row
-- may be deleted by hand at any time, every use of a token joins all four, and the purge removes
-- what was orphaned in small batches, where a cascade would hold the writer for as long as it takes.

CREATE TABLE clients (
    client_id text NOT NULL PRIMARY KEY,
    client_name text,
    token_endpoint_auth_method text NOT NULL,
    redirect_uris text NOT NULL,
    grant_types text NOT NULL,
    response_types text NOT NULL,
    scope text,
    secret_digest text,
    metadata text NOT NULL,
    created_at bigint NOT NULL,
    last_used_at bigint
);

CREATE TABLE users (
    user_id text NOT NULL PRIMARY KEY,
    issuer text NOT NULL,
    subject text NOT NULL,
    name text,
    email text,
    created_at bigint NOT NULL,
    disabled_at bigint,
    UNIQUE (issuer, subject)
);

CREATE TABLE authorization_requests (
    handle_digest text NOT NULL PRIMARY KEY,
    browser_digest text NOT NULL,
    client_id text NOT NULL,
    redirect_uri text NOT NULL,
    state text,
    scopes text NOT NULL,
    audience text NOT NULL,
    code_challenge text NOT NULL,
    created_at bigint NOT NULL,
    expires_at bigint NOT NULL,
    decided_at bigint
);
CREATE INDEX authorization_requests_by_expiry ON authorization_requests (expires_at);

CREATE TABLE authorization_codes (
    code_digest text NOT NULL PRIMARY KEY,
    hint text NOT NULL,
    client_id text NOT NULL,
    user_id text NOT NULL,
    redirect_uri text NOT NULL,
    scopes text NOT NULL,
    audience text NOT NULL,
    code_challenge text NOT NULL,
    created_at bigint NOT NULL,
    expires_at bigint NOT NULL,
    used_at bigint,
    grant_id text
);
CREATE INDEX authorization_codes_by_expiry ON authorization_codes (expires_at);

CREATE TABLE grants (
    grant_id text NOT NULL PRIMARY KEY,
    client_id text NOT NULL,
    user_id text NOT NULL,
    scopes text NOT NULL,
    audience text NOT NULL,
    created_at bigint NOT NULL,
    expires_at bigint,
    revoked_at bigint,
    revoked_reason text
);
CREATE INDEX grants_by_client ON grants (client_id);
CREATE INDEX grants_by_user ON grants (user_id);

CREATE TABLE access_tokens (
    token_digest text NOT NULL PRIMARY KEY,
    hint text NOT NULL,
    grant_id text NOT NULL,
    client_id text NOT NULL,
    user_id text NOT NULL,
    scopes text NOT NULL,
    audience text NOT NULL,
    created_at bigint NOT NULL,
    expires_at bigint NOT NULL,
    revoked_at bigint
);
CREATE INDEX access_tokens_by_grant ON access_tokens (grant_id, expires_at);
CREATE INDEX access_tokens_by_expiry ON access_tokens (expires_at);
CREATE INDEX access_tokens_revoked ON access_tokens (revoked_at) WHERE revoked_at IS NOT NULL;

CREATE TABLE refresh_tokens (
    token_digest text NOT NULL PRIMARY KEY,
    hint text NOT NULL,
    grant_id text NOT NULL,
    client_id text NOT NULL,
    successor_salt text NOT NULL,
    created_at bigint NOT NULL,
    expires_at bigint NOT NULL,
    used_at bigint
);
CREATE INDEX refresh_tokens_by_grant ON refresh_tokens (grant_id, used_at, expires_at);

CREATE TABLE accounts (
    account_id text NOT NULL PRIMARY KEY,
    user_id text NOT NULL,
    name text NOT NULL,
    kind text NOT NULL CHECK (kind IN ('wireless', 'internet', 'prepaid')),
    balance_cents bigint NOT NULL,
    due_on text,
    autopay integer NOT NULL CHECK (autopay IN (0, 1)),
    created_at bigint NOT NULL
);
CREATE INDEX accounts_by_user ON accounts (user_id, account_id);

CREATE TABLE payment_methods (
    payment_method_id text NOT NULL PRIMARY KEY,
    account_id text NOT NULL REFERENCES accounts (account_id) ON DELETE CASCADE,
    position integer NOT NULL,
    brand text NOT NULL,
    last_four text NOT NULL,
    is_default integer NOT NULL CHECK (is_default IN (0, 1))
);
CREATE INDEX payment_methods_by_account ON payment_methods (account_id, position);
