-- Sign-in sessions of people at their browsers, by whatever way they proved who they are. Each sign-in is
-- a row of its own; the digest is of the cookie's value. What a provider must remember is in upstream, sealed.
CREATE TABLE sessions (
    session_digest text NOT NULL PRIMARY KEY,
    user_id text NOT NULL,
    method text NOT NULL,
    created_at bigint NOT NULL,
    last_used_at bigint NOT NULL,
    expires_at bigint NOT NULL,
    address text,
    upstream text
);
CREATE INDEX sessions_by_user ON sessions (user_id);
CREATE INDEX sessions_by_expiry ON sessions (expires_at);
CREATE INDEX sessions_by_use ON sessions (last_used_at);

-- Passwords of local accounts, as Argon2id says them (RFC 9106); and links by which such a password can be
-- set once.
CREATE TABLE passwords (
    user_id text NOT NULL PRIMARY KEY,
    hash text NOT NULL,
    changed_at bigint NOT NULL
);
CREATE TABLE invitations (
    token_digest text NOT NULL PRIMARY KEY,
    user_id text NOT NULL,
    created_at bigint NOT NULL,
    expires_at bigint NOT NULL
);
CREATE INDEX invitations_by_user ON invitations (user_id);
CREATE INDEX invitations_by_expiry ON invitations (expires_at);

-- How old its user's sign-in may be, in seconds; and the session by which its user signed in, or chose an
-- account, for this very request.
ALTER TABLE authorization_requests ADD COLUMN max_age bigint;
ALTER TABLE authorization_requests ADD COLUMN session_digest text;

-- When tokens of a grant were issued last, and to which address.
ALTER TABLE grants ADD COLUMN last_used_at bigint;
ALTER TABLE grants ADD COLUMN last_address text;
