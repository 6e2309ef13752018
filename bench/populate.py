"""Filling a database with rows that are as the server writes them, faster than the server could."""

import os
import sqlite3
from contextlib import closing
from pathlib import Path

from server.identity.demo import USER
from server.oauth import tokens
from server.storage.migrate import migrate

PER_GRANT = 10
"""Access tokens of one grant, which has one refresh token."""

_STATEMENTS = (
    """
    CREATE TEMP TABLE n AS
    WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < :tokens) SELECT i FROM n""",
    """
    INSERT INTO users (user_id, issuer, subject, name, created_at)
    VALUES (:user_id, :issuer, :subject, :name, :created)""",
    """
    INSERT INTO clients (
        client_id, client_name, token_endpoint_auth_method, redirect_uris, grant_types, response_types,
        scope, secret_digest, metadata, created_at, last_used_at
    )
    SELECT 'att_cl_' || i, 'Benchmark', 'none', '["https://assistant.example/callback"]',
        '["authorization_code", "refresh_token"]', '["code"]', 'read', NULL, '{}', :created, :now
    FROM n WHERE i <= :clients""",
    """
    INSERT INTO grants (grant_id, client_id, user_id, scopes, audience, created_at, expires_at, tokens_until)
    SELECT 'att_gr_' || i, 'att_cl_' || (i % :clients + 1), :user_id, 'read', :audience, :created, :expires, :expires
    FROM n WHERE i <= :grants""",
    """
    INSERT INTO refresh_tokens (
        token_digest, hint, grant_id, client_id, successor_salt, created_at, expires_at
    )
    SELECT lower(hex(randomblob(32))), 'bench0', 'att_gr_' || i, 'att_cl_' || (i % :clients + 1),
        lower(hex(randomblob(32))), :created, :expires
    FROM n WHERE i <= :grants ORDER BY 1""",
    """
    INSERT INTO access_tokens (
        token_digest, hint, grant_id, client_id, user_id, scopes, audience, created_at, expires_at
    )
    SELECT lower(hex(randomblob(32))), 'bench0', 'att_gr_' || (i % :grants + 1),
        'att_cl_' || ((i % :grants + 1) % :clients + 1), :user_id, 'read', :audience, :created, :expires
    FROM n ORDER BY 1""",
)
_KNOWN = "UPDATE access_tokens SET token_digest = ? WHERE rowid = (SELECT max(rowid) FROM access_tokens)"


def populate(path: Path, count: int, audience: str, now: int, expires: int) -> str:
    """Make a database with access tokens, their grants, refresh tokens and clients.

    Args:
        path: A file that does not exist yet.
        count: How many access tokens.
        audience: The resource that they are for.
        now: Unix seconds.
        expires: When all of them end, in Unix seconds.

    Returns:
        One of the access tokens.
    """
    token = tokens.make(tokens.ACCESS, os.urandom)
    grants = max(1, count // PER_GRANT)
    values = {
        "tokens": count,
        "grants": grants,
        "clients": max(1, grants // PER_GRANT),
        "user_id": USER.user_id,
        "issuer": USER.issuer,
        "subject": USER.subject,
        "name": USER.name,
        "audience": audience,
        "now": now,
        "created": expires - 3_600,
        "expires": expires,
    }
    migrate(path, now)
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("PRAGMA synchronous = OFF")
        connection.execute("PRAGMA cache_size = -262144")
        with connection:
            for statement in _STATEMENTS:
                connection.execute(statement, values)
            connection.execute(_KNOWN, (tokens.digest(token),))
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    return token
