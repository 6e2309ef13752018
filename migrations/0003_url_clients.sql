-- Clients whose id is a URL: what is known of the document there. Each of these is null for a client
-- that registered itself.
ALTER TABLE clients ADD COLUMN document_auth_methods text;
ALTER TABLE clients ADD COLUMN document_fetched_at bigint;
ALTER TABLE clients ADD COLUMN document_expires_at bigint;

-- Clients' public keys, as they were fetched from their jwks_uri last.
CREATE TABLE key_sets (
    jwks_uri text NOT NULL PRIMARY KEY,
    jwks text NOT NULL,
    fetched_at bigint NOT NULL,
    expires_at bigint NOT NULL
);
CREATE INDEX key_sets_by_expiry ON key_sets (expires_at);

-- Client assertions that were used, until they expire.
CREATE TABLE client_assertions (
    client_id text NOT NULL,
    jti text NOT NULL,
    expires_at bigint NOT NULL,
    PRIMARY KEY (client_id, jti)
);
CREATE INDEX client_assertions_by_expiry ON client_assertions (expires_at);
