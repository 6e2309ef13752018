-- OpenID Connect: what an ID token repeats from the authorization request, and when its user signed in. A
-- refreshed ID token says the same time as the first one, so the grant keeps it.
ALTER TABLE authorization_requests ADD COLUMN nonce text;
ALTER TABLE authorization_codes ADD COLUMN nonce text;
ALTER TABLE authorization_codes ADD COLUMN auth_time bigint;
ALTER TABLE grants ADD COLUMN auth_time bigint;

-- The keys that sign ID tokens. One at most is not retired, and signs; the others verify until they expire.
-- The private half is sealed under the installation's secret; the public one is a JSON Web Key.
CREATE TABLE signing_keys (
    kid text NOT NULL PRIMARY KEY,
    algorithm text NOT NULL,
    public_jwk text NOT NULL,
    sealed_private_key text NOT NULL,
    created_at bigint NOT NULL,
    retired_at bigint,
    expires_at bigint
);
