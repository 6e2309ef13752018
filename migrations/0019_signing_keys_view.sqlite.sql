-- For an operator in the sqlite3 shell: which key signs, and until when the others are in /jwks.

CREATE VIEW v_signing_keys AS
SELECT
    kid,
    algorithm,
    datetime(created_at, 'unixepoch') AS made,
    datetime(retired_at, 'unixepoch') AS retired,
    datetime(expires_at, 'unixepoch') AS expires,
    CASE
        WHEN retired_at IS NULL THEN 'signs'
        WHEN expires_at > CAST(strftime('%s', 'now') AS integer) THEN 'verifies'
        ELSE 'expired'
    END AS status
FROM signing_keys;
