"""att-profile: whose account the connection is, for assistants that keep several of one person's apart."""

from typing import NotRequired

from mcp.server.auth.provider import AccessToken
from mcp.server.mcpserver.exceptions import ToolError
from pydantic import with_config
from typing_extensions import TypedDict

from server.oauth import scopes
from server.services import Services
from server.settings import Settings
from server.toolkit.tool import Answer, Arguments, Call, Tool


class ProfileArguments(Arguments):
    """The tool takes none: the token says whose it is."""


@with_config(extra="forbid")
class ProfileOutput(TypedDict):
    """The account by which this connection was made."""

    id: str
    name: NotRequired[str]
    email: NotRequired[str]


def tool(services: Services) -> Tool[ProfileArguments]:
    """Make the tool."""

    async def profile(call: Call[ProfileArguments]) -> Answer:
        caller = call.caller
        if caller is None or not caller.subject:
            raise ToolError("Nobody is signed in. Connect as a person, through the sign-in page, then call again.")
        told = _told(caller, services.settings)
        names = [told[name] for name in ("name", "email") if name in told]
        return Answer(f"Signed in as {', '.join(names) or told['id']}.", {**told})

    return Tool(
        name="att-profile",
        title="Show my profile",
        description="Show which account this connection is signed in as: its id, and the person's name and e-mail.",
        scopes=(),
        arguments=ProfileArguments,
        output=ProfileOutput,
        answer=profile,
        meta={"openai/profile": True},
    )


def _told(caller: AccessToken, settings: Settings) -> ProfileOutput:
    """Say who the caller is; where the consent page asked about name and address, only what was allowed there."""
    claims = caller.claims or {}
    held = scopes.with_implied(caller.scopes, settings)
    told = ProfileOutput(id=str(caller.subject))
    withheld = scopes.identity(settings) - held
    if claims.get("name") and "profile" not in withheld:
        told["name"] = claims["name"]
    if claims.get("email") and "email" not in withheld:
        told["email"] = claims["email"]
    return told
