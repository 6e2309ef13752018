"""What the suite's multi round-trip scenarios call: tools and a prompt that ask their client first (2026-07-28)."""

from typing import Any

from mcp.server.mcpserver import Context
from mcp_types import ClientCapabilities, InputRequiredResult


def form(message: str, **properties: str) -> dict[str, Any]:
    """Ask a person for some values, each of a JSON type."""
    schema = {
        "type": "object",
        "properties": {name: {"type": kind} for name, kind in properties.items()},
        "required": list(properties),
    }
    return {"method": "elicitation/create", "params": {"message": message, "requestedSchema": schema}}


def sample(question: str, most: int = 100) -> dict[str, Any]:
    """Ask the client's model."""
    message = {"role": "user", "content": {"type": "text", "text": question}}
    return {"method": "sampling/createMessage", "params": {"messages": [message], "maxTokens": most}}


ROOTS = {"method": "roots/list", "params": {}}


def ask(state: str | None = None, /, **requests: dict[str, Any]) -> InputRequiredResult:
    """Ask the client, and give it a state to bring back."""
    asked: dict[str, Any] = {"inputRequests": requests or None, "requestState": state}
    return InputRequiredResult.model_validate(asked)


def answers(ctx: Context, *names: str) -> list[Any] | None:
    """Give what the client answered to each request, or ``None`` when one is still owed."""
    responses = ctx.input_responses or {}
    return [responses[name] for name in names] if set(names) <= set(responses) else None


async def test_input_required_result_elicitation(ctx: Context) -> str | InputRequiredResult:
    match answers(ctx, "user_name"):
        case [answer] if getattr(answer, "action", None) == "accept":
            return f"Hello, {answer.content['name']}!"
        case _:
            return ask(user_name=form("What is your name?", name="string"))


async def test_input_required_result_sampling(ctx: Context) -> str | InputRequiredResult:
    answer = answers(ctx, "capital_question")
    return str(answer) if answer else ask(capital_question=sample("What is the capital of France?"))


async def test_input_required_result_list_roots(ctx: Context) -> str | InputRequiredResult:
    answer = answers(ctx, "client_roots")
    return str(answer) if answer else ask(client_roots=ROOTS)


async def test_input_required_result_request_state(ctx: Context) -> str | InputRequiredResult:
    if answers(ctx, "confirm") and ctx.request_state == "confirming":
        return "state-ok"
    return ask("confirming", confirm=form("Please confirm", ok="boolean"))


async def test_input_required_result_tampered_state(ctx: Context) -> str | InputRequiredResult:
    return await test_input_required_result_request_state(ctx)


async def test_input_required_result_multiple_inputs(ctx: Context) -> str | InputRequiredResult:
    answer = answers(ctx, "user_name", "greeting", "client_roots")
    if answer and ctx.request_state == "asked for three":
        return str(answer)
    return ask(
        "asked for three",
        user_name=form("What is your name?", name="string"),
        greeting=sample("Generate a greeting", 50),
        client_roots=ROOTS,
    )


async def test_input_required_result_multi_round(ctx: Context) -> str | InputRequiredResult:
    match ctx.request_state:
        case "1" if answers(ctx, "step1"):
            return ask("2", step2=form("Step 2: What is your favorite color?", color="string"))
        case "2" if answers(ctx, "step2"):
            return "Both steps are done."
        case _:
            return ask("1", step1=form("Step 1: What is your name?", name="string"))


async def test_input_required_result_capabilities(ctx: Context) -> str | InputRequiredResult:
    if ctx.input_responses:
        return "Answered."
    declared = ctx.client_capabilities or ClientCapabilities()
    possible = {
        "user_name": (declared.elicitation, form("What is your name?", name="string")),
        "greeting": (declared.sampling, sample("Generate a greeting")),
        "client_roots": (declared.roots, ROOTS),
    }
    return ask(None, **{name: request for name, (capability, request) in possible.items() if capability is not None})


async def test_missing_capability(ctx: Context) -> str | InputRequiredResult:
    return str(ctx.input_responses) if ctx.input_responses else ask(question=sample("Anything?"))


async def test_streaming_elicitation(ctx: Context) -> str | InputRequiredResult:
    await ctx.report_progress(1, 2)
    return await test_input_required_result_elicitation(ctx)


async def test_input_required_result_prompt(ctx: Context) -> str | InputRequiredResult:
    answer = answers(ctx, "user_context")
    return str(answer) if answer else ask(user_context=form("What context should the prompt use?", context="string"))


TOOLS = (
    test_input_required_result_elicitation,
    test_input_required_result_sampling,
    test_input_required_result_list_roots,
    test_input_required_result_request_state,
    test_input_required_result_tampered_state,
    test_input_required_result_multiple_inputs,
    test_input_required_result_multi_round,
    test_input_required_result_capabilities,
    test_missing_capability,
    test_streaming_elicitation,
)
PROMPTS = (test_input_required_result_prompt,)
