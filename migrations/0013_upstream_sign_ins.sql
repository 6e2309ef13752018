-- Sign-ins at an upstream provider that are under way. The state and the nonce are digests; what has to be
-- read back, the PKCE verifier and the handle of the authorization request, is sealed.
CREATE TABLE upstream_sign_ins (
    state_digest text NOT NULL PRIMARY KEY,
    browser_digest text NOT NULL,
    issuer text NOT NULL,
    nonce_digest text NOT NULL,
    sealed text NOT NULL,
    created_at bigint NOT NULL,
    expires_at bigint NOT NULL,
    used_at bigint
);
CREATE INDEX upstream_sign_ins_by_expiry ON upstream_sign_ins (expires_at);

-- Browsers in which somebody went on to the provider for a client. It grants nothing: it only spares them
-- the question whether to go on, and holds for what the client was by then.
CREATE TABLE browser_approvals (
    browser_digest text NOT NULL,
    client_id text NOT NULL,
    redirect_uri text NOT NULL,
    fingerprint text NOT NULL,
    created_at bigint NOT NULL,
    expires_at bigint NOT NULL,
    PRIMARY KEY (browser_digest, client_id, redirect_uri)
);
CREATE INDEX browser_approvals_by_expiry ON browser_approvals (expires_at);
