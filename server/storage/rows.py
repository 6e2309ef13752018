"""Rows to the domain's values and back. The columns come in the order of the values' fields."""

import json
from functools import lru_cache
from typing import Any

from server.oauth.model import (
    AccessToken,
    AuthorizationCode,
    AuthorizationRequest,
    Client,
    Document,
    Grant,
    RefreshToken,
    User,
)

Row = tuple[Any, ...]


def parameters(
    value: User | AuthorizationRequest | AuthorizationCode | Grant | AccessToken | RefreshToken,
) -> dict[str, Any]:
    """Give a value's fields as parameters by name, its scopes separated by spaces."""
    fields = value._asdict()
    if "scopes" in fields:
        fields["scopes"] = " ".join(fields["scopes"])
    return fields


def client_parameters(client: Client) -> dict[str, Any]:
    """Give a client's fields as parameters by name, lists and metadata as JSON."""
    fields = {name: getattr(client, name) for name in client.__slots__}
    for name in ("redirect_uris", "grant_types", "response_types", "metadata"):
        fields[name] = json.dumps(fields[name], ensure_ascii=False)
    document = fields.pop("document")
    for name in Document.__slots__:
        fields[f"document_{name}"] = getattr(document, name, None)
    if document is not None:
        fields["document_auth_methods"] = " ".join(document.auth_methods)
    return fields


def client(row: Row) -> Client:
    """Read a client."""
    (
        client_id,
        method,
        redirect_uris,
        grant_types,
        response_types,
        created_at,
        name,
        scope,
        secret,
        metadata,
        used_at,
        registration,
        created_by,
        auth_methods,
        *document,
    ) = row
    return Client(
        client_id,
        method,
        _texts(redirect_uris),
        _texts(grant_types),
        _texts(response_types),
        created_at,
        name,
        scope,
        secret,
        json.loads(metadata),
        used_at,
        None if auth_methods is None else Document(tuple(auth_methods.split()), *document),
        registration,
        created_by,
    )


@lru_cache(maxsize=256)
def _texts(stored: str) -> tuple[str, ...]:
    """Read a list of texts; most clients have the same ones."""
    return tuple(json.loads(stored))


def _with_scopes(row: Row, column: int) -> list[Any]:
    """Give a row's fields, the scopes in one of its columns taken apart."""
    fields = list(row)
    fields[column] = tuple(fields[column].split())
    return fields


def authorization_request(row: Row) -> AuthorizationRequest:
    """Read an authorization request."""
    return AuthorizationRequest(*_with_scopes(row, 5))


def authorization_code(row: Row) -> AuthorizationCode:
    """Read an authorization code."""
    return AuthorizationCode(*_with_scopes(row, 5))


def grant(row: Row) -> Grant:
    """Read a grant."""
    return Grant(*_with_scopes(row, 3))


def access_token(row: Row) -> AccessToken:
    """Read an access token."""
    return AccessToken(*_with_scopes(row, 5))
