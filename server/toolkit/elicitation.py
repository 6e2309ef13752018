"""Asking the person behind a client in the middle of a call (MCP specification, "Elicitation").

At 2026-07-28 the call is answered with what is asked, and comes again with the reply ("Multi Round-Trip Requests").
In the revisions before, the client is sent a request on the call's own stream, and the call waits. A tool need not
know which of the two it is, nor whether the client can do either.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import mcp_types as types
from mcp.server.context import ServerRequestContext
from mcp.server.mcpserver.exceptions import ToolError
from mcp.shared.exceptions import MCPError
from mcp.shared.message import ServerMessageMetadata
from mcp_types.version import MODERN_PROTOCOL_VERSIONS
from pydantic import ValidationError

from server.toolkit.screening import refuse_payment_numbers
from server.toolkit.tool import Call

_KEY = "confirmation"


@dataclass(frozen=True, slots=True)
class Question:
    """What a tool wants to know of a person before it goes on."""

    message: str
    schema: Mapping[str, Any]
    """The form's fields, as an elicitation's ``requestedSchema``."""
    state: str
    """Comes again with the reply, where that comes by a call of its own."""
    patience: int
    """Seconds for which an answer is waited for, where the call waits."""


@dataclass(frozen=True, slots=True)
class Reply:
    """What a person answered."""

    accepted: bool
    content: Mapping[str, Any] = field(default_factory=dict)
    """What was filled in; as untrusted as any argument."""


def reply_of(call: Call[Any]) -> tuple[str, Reply] | None:
    """Give the state and the reply that a repeated call brings; ``None`` for a call that is made for the first time.

    Raises:
        ToolError: The reply looks like a card or bank number.
    """
    answer = (call.params.input_responses or {}).get(_KEY)
    if call.params.request_state is None or not isinstance(answer, types.ElicitResult):
        return None
    return call.params.request_state, _read(answer)


async def ask(call: Call[Any], question: Question) -> Reply | types.InputRequiredResult | None:
    """Put a question to the person, if the client can show them a form.

    Returns:
        The reply; or what to answer this call with, where it has to come again for the reply; or ``None`` when the
        client cannot be asked.

    Raises:
        ToolError: The answer cannot be read, or looks like a card or bank number.
    """
    if not _can_ask(call.context):
        return None
    parameters = types.ElicitRequestFormParams(message=question.message, requested_schema=dict(question.schema))
    request = types.ElicitRequest(params=parameters)
    if call.context.protocol_version in MODERN_PROTOCOL_VERSIONS:
        return types.InputRequiredResult(input_requests={_KEY: request}, request_state=question.state)
    try:
        answer = await call.context.session.send_request(
            request,
            types.ElicitResult,
            request_read_timeout_seconds=question.patience,
            metadata=ServerMessageMetadata(related_request_id=call.context.request_id),
        )
    except MCPError as error:
        return Reply(accepted=False) if error.code == types.REQUEST_TIMEOUT else None
    except ValidationError:
        raise ToolError("The answer to the question could not be read, and nothing was changed.") from None
    return _read(answer)


def _can_ask(context: ServerRequestContext[Any]) -> bool:
    """Tell whether the client said that it can show a form, and can be reached."""
    capabilities = context.session.client_capabilities
    elicitation = capabilities and capabilities.elicitation
    if not elicitation or (elicitation.form is None and elicitation.url is not None):
        return False
    return context.protocol_version in MODERN_PROTOCOL_VERSIONS or context.session.can_send_request


def _read(answer: types.ElicitResult) -> Reply:
    """Read an answer. Forms are not for secrets (MCP, "Elicitation", "Security Considerations"), so none is taken."""
    refuse_payment_numbers(answer.content)
    return Reply(answer.action == "accept", answer.content or {})
