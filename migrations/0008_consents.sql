-- What an authorization request says about its sign-in: the prompts that it names, and who might sign in.
ALTER TABLE authorization_requests ADD COLUMN prompt text;
ALTER TABLE authorization_requests ADD COLUMN login_hint text;

-- What a user allowed a client, remembered apart from the grants that came of it. Each scope is a row of
-- its own, because each ends thirty days after it was last shown and allowed. The redirect URI is the one
-- that the page named, on loopback without its port; the fingerprint is a digest of what the client had
-- registered by then. Like the other tables this one declares no foreign keys.
CREATE TABLE consents (
    user_id text NOT NULL,
    client_id text NOT NULL,
    redirect_uri text NOT NULL,
    scope text NOT NULL,
    fingerprint text NOT NULL,
    created_at bigint NOT NULL,
    expires_at bigint NOT NULL,
    PRIMARY KEY (user_id, client_id, redirect_uri, scope)
);
CREATE INDEX consents_by_expiry ON consents (expires_at);
