"""What a test puts into a database, and looks up there, as an operator would in the shell."""

import sqlite3
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from server.oauth import tokens

LATER = 4_000_000_000
"""A time that has not come yet."""


@dataclass(frozen=True)
class Rows:
    """A database file."""

    path: Path

    def sql(self, statement: str, *values: object) -> list[tuple[Any, ...]]:
        with closing(sqlite3.connect(self.path)) as connection, connection:
            return connection.execute(statement, values).fetchall()

    def user(self, user_id: str) -> None:
        self.sql("INSERT INTO users VALUES (?, 'demo', ?, ?, NULL, 0, NULL)", user_id, user_id, user_id.title())

    def client(self, client_id: str, name: str = "Example") -> None:
        self.sql(
            "INSERT INTO clients (client_id, client_name, token_endpoint_auth_method, redirect_uris, grant_types,"
            """ response_types, metadata, created_at) VALUES (?, ?, 'none', '["https://a.example/"]',"""
            """ '["authorization_code"]', '["code"]', '{"client_uri": "https://a.example"}', 0)""",
            client_id,
            name,
        )

    def grant(self, grant_id: str, client_id: str, user_id: str | None) -> tuple[str, str]:
        """Add a grant with an access and a refresh token, and give the tokens."""
        self.sql(
            "INSERT INTO grants (grant_id, client_id, user_id, scopes, audience, created_at)"
            " VALUES (?, ?, ?, 'read', 'a', 0)",
            grant_id,
            client_id,
            user_id,
        )
        access = tokens.make(tokens.ACCESS, lambda size: f"a {grant_id}".encode().ljust(size, b"?"))
        refresh = tokens.make(tokens.REFRESH, lambda size: f"r {grant_id}".encode().ljust(size, b"?"))
        self.sql(
            "INSERT INTO access_tokens VALUES (?, ?, ?, ?, ?, 'read', 'a', 0, ?, NULL)",
            tokens.digest(access),
            tokens.hint(access),
            grant_id,
            client_id,
            user_id,
            LATER,
        )
        self.sql(
            "INSERT INTO refresh_tokens VALUES (?, ?, ?, ?, 'salt', 0, ?, NULL)",
            tokens.digest(refresh),
            tokens.hint(refresh),
            grant_id,
            client_id,
            LATER,
        )
        return access, refresh

    def revoked(self) -> list[str]:
        """Give the ids of the grants that were revoked, in order."""
        return [row[0] for row in self.sql("SELECT grant_id FROM grants WHERE revoked_at IS NOT NULL ORDER BY 1")]
