"""For comparison: the SDK's own server as its documentation sets it up, with tokens that cost nothing to check."""

import sys

import uvicorn
from mcp.server.auth.provider import AccessToken
from mcp.server.auth.settings import AuthSettings
from pydantic import AnyHttpUrl

from bench.echo import guarded


class AnyToken:
    """Takes every token for a live one."""

    async def verify_token(self, token: str) -> AccessToken | None:
        """Say whose it is."""
        return AccessToken(token=token, client_id="benchmark", scopes=["read"], expires_at=None)


def main(port: int, mode: str) -> None:
    """Serve on loopback until SIGTERM, with sessions or without, and without events, which costs it least."""
    url = f"http://localhost:{port}"
    auth = AuthSettings(
        issuer_url=AnyHttpUrl(url), resource_server_url=AnyHttpUrl(f"{url}/mcp"), required_scopes=["read"]
    )
    app = guarded(auth, AnyToken()).streamable_http_app(json_response=True, stateless_http=mode == "stateless")
    uvicorn.run(app, host="127.0.0.1", port=port, log_level="warning", access_log=False)


if __name__ == "__main__":
    main(int(sys.argv[1]), sys.argv[2])
