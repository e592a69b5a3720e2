"""Callers of an MCP server, with the official SDK. Reads one JSON object a line and prints one JSON line for what came of it.

A caller is `{"url", "token", "version", "steps": [[OPERATION, ARGUMENTS], ..]}`, with the seconds that it waits for an answer (`patience`); the outcome has the `version` that was agreed on and, for each
step, `{"ok": RESULT}` or `{"error": CODE, "message", "data"}`, and what the server `asked` of the caller's model and user. Versions before
2026-07-28 are shaken hands on. With `sse` the transport is that of 2024-11-05.
"""

import asyncio
import json
import sys

import httpx2
import mcp.client.session as session
from mcp import Client, MCPError
from mcp.client.sse import sse_client
from mcp.client.streamable_http import streamable_http_client
from mcp_types import CreateMessageResult, ElicitResult, TextContent


async def tools(client, **_):
    return sorted(tool.name for tool in (await client.list_tools()).tools)


async def call(client, name, arguments):
    told = []

    async def progress(done, total, message):
        told.append(message)

    result = await client.call_tool(name, arguments, progress_callback=progress)
    return {"text": [c.text for c in result.content], "structured": result.structured_content, "told": told,
            "error": result.is_error}


async def resources(client, **_):
    return sorted(str(resource.uri) for resource in (await client.list_resources()).resources)


async def read(client, uri):
    return [c.text for c in (await client.read_resource(uri)).contents]


async def prompts(client, **_):
    return sorted(prompt.name for prompt in (await client.list_prompts()).prompts)


async def prompt(client, name, arguments):
    return [m.content.text for m in (await client.get_prompt(name, arguments)).messages]


OPERATIONS = {f.__name__: f for f in (tools, call, resources, read, prompts, prompt)}


async def visit(caller):
    modern = caller["version"] >= "2026"
    if not modern:
        session.LATEST_HANDSHAKE_VERSION = caller["version"]
    headers = {"authorization": f"Bearer {caller['token']}"} if caller.get("token") else {}
    outcomes, asked = [], []

    async def model(context, params):
        asked.append([params.messages[0].content.text, params.max_tokens])
        return CreateMessageResult(role="assistant", content=TextContent(type="text", text="in short"), model="m")

    async def user(context, params):
        asked.append([params.message])
        return ElicitResult(action="accept", content={"pin": "1234"})

    async with httpx2.AsyncClient(headers=headers, timeout=20) as http:
        transport = streamable_http_client(caller["url"], http_client=http)
        if caller.get("sse"):
            transport = sse_client(caller["url"], headers=headers)
        async with Client(transport, mode=caller["version"] if modern else "legacy", read_timeout_seconds=caller.get("patience", 20), cache=None,
                          sampling_callback=model, elicitation_callback=user) as client:
            for name, arguments in caller["steps"]:
                try:
                    outcomes.append({"ok": await OPERATIONS[name](client, **arguments)})
                except MCPError as error:
                    outcomes.append({"error": error.error.code, "message": error.error.message, "data": error.error.data})
            return {"version": client.protocol_version, "steps": outcomes, "asked": asked}


def first(error):
    """The first of the errors that a group holds."""
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    return error


for line in sys.stdin:
    try:
        outcome = asyncio.run(visit(json.loads(line)))
    except BaseException as error:
        error = first(error)
        outcome = {"failed": type(error).__name__, "message": str(error)}
    print(json.dumps(outcome), flush=True)
