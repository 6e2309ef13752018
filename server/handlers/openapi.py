"""GET /openapi.json: the OAuth endpoints as these settings open them (OpenAPI 3.1)."""

from http import HTTPStatus
from itertools import chain
from typing import Any

from aiohttp import web

import server
from server import keys
from server.handlers import openid_operations, operations, passkey_operations, schemas, signin_operations
from server.handlers.operations import Operation
from server.settings import Settings

_MODULES = (operations, openid_operations, signin_operations, passkey_operations)
_CACHED = {"Cache-Control": "public, max-age=300"}
_PAGE = {"text/html": {"schema": {"type": "string"}}}
_ERROR = {"application/json": {"schema": {"$ref": "#/components/schemas/Error"}}}
_OF_A_BODY = frozenset({408, 413, 415})
"""What is refused of a body; who accepts ``text/html`` gets a page wherever it happens."""
_OF_HTTP = frozenset({400, 417})
"""What may be refused before it is known where a request goes; that is told in JSON."""


async def openapi(request: web.Request) -> web.Response:
    """Give the description of the OAuth endpoints."""
    return web.json_response(document(request.app[keys.SETTINGS]), headers=_CACHED)


def document(settings: Settings) -> dict[str, Any]:
    """Describe the OAuth endpoints (OpenAPI Specification 3.1.1); CORS preflights are left out."""
    paths: dict[str, dict[str, Any]] = {}
    for operation in chain.from_iterable(module.operations(settings) for module in _MODULES):
        paths.setdefault(operation.path, {})[operation.method] = _describe(operation, settings)
    return {
        "openapi": "3.1.1",
        "info": {
            "title": "OAuth endpoints",
            "version": server.__version__,
            "description": "The authorization server in front of the MCP endpoint: OAuth 2.1 with PKCE.",
            "license": {"name": "MIT", "identifier": "MIT"},
        },
        "servers": [{"url": settings.server_url}],
        "paths": paths,
        "components": {
            "schemas": schemas.schemas(settings),
            "securitySchemes": {
                "client_secret_basic": {"type": "http", "scheme": "basic", "description": "Client id and secret."},
                "access_token": {"type": "http", "scheme": "bearer", "description": "One of this server's."},
                "initial_access_token": {"type": "http", "scheme": "bearer", "description": "`OAUTH_DCR_TOKEN`."},
                "registration_access_token": {
                    "type": "http",
                    "scheme": "bearer",
                    "description": "The token that came with the registration (RFC 7592 section 3).",
                },
            },
        },
    }


def _describe(operation: Operation, settings: Settings) -> dict[str, Any]:
    described: dict[str, Any] = {
        "operationId": operation.name,
        "summary": operation.summary,
        "security": [{name: []} if name else {} for name in operation.security],
        "responses": {
            **{str(status): response for status, response in operation.answers.items()},
            **{str(status): _refusal(status, operation) for status in _refusals(operation, settings)},
        },
    }
    if operation.parameters:
        described["parameters"] = list(operation.parameters)
    if operation.body:
        described["requestBody"] = {"required": True, "content": {operation.takes: {"schema": operation.body}}}
    return described


def _refusals(operation: Operation, settings: Settings) -> list[int]:
    """List the statuses of errors: what any request can meet, then what this one can."""
    statuses = _OF_HTTP | {500} | operation.refusals
    if operation.body:
        statuses |= _OF_A_BODY
    if operation.limited and settings.rate_limits:
        statuses |= {429}
    if operation.uses_database:
        statuses |= {503}
    return sorted(statuses)


def _refusal(status: int, operation: Operation) -> dict[str, Any]:
    """Describe an error: JSON for programs, a page for people."""
    content = dict(_PAGE if operation.page and status != HTTPStatus.EXPECTATION_FAILED else _ERROR)
    if status in _OF_HTTP:
        content |= _ERROR
    if status in _OF_A_BODY:
        content |= _PAGE
    response: dict[str, Any] = {"description": HTTPStatus(status).phrase, "content": content}
    if status in {HTTPStatus.TOO_MANY_REQUESTS, HTTPStatus.SERVICE_UNAVAILABLE}:
        response["headers"] = {
            "Retry-After": {"required": True, "description": "Seconds.", "schema": {"type": "integer", "minimum": 1}}
        }
    if status == HTTPStatus.UNAUTHORIZED:
        response["headers"] = {
            "WWW-Authenticate": {
                "required": operation.challenges,
                "description": "The scheme to authenticate by (RFC 9110 section 11.6.1).",
                "schema": {"type": "string"},
            }
        }
    return response
