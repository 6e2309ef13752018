-- Passkeys of local accounts (Web Authentication). The credential's id and its public key are base64url; the key
-- is in the form that authenticators write it (COSE). Nothing here lets anybody sign in.
CREATE TABLE passkeys (
    credential_id text NOT NULL PRIMARY KEY,
    user_id text NOT NULL,
    name text NOT NULL,
    public_key text NOT NULL,
    sign_count bigint NOT NULL,
    synced integer NOT NULL CHECK (synced IN (0, 1)),
    created_at bigint NOT NULL,
    last_used_at bigint
);
CREATE INDEX passkeys_by_user ON passkeys (user_id, created_at);

-- Challenges that were answered, each good once: kept as digests until they would be over anyway.
CREATE TABLE passkey_challenges (
    challenge_digest text NOT NULL PRIMARY KEY,
    expires_at bigint NOT NULL
);
CREATE INDEX passkey_challenges_by_expiry ON passkey_challenges (expires_at);
