"""An MCP server made with the official SDK. Prints `port N`, then one JSON line for every tool that ran, with the headers that came; serves
until its standard input ends.

Takes its settings as JSON: `json` answers JSON instead of streams, `described` describes the tool `read_file` otherwise, `asks` adds
tools that ask the caller's model and user, `sse` speaks the HTTP+SSE transport of 2024-11-05 (`/sse`, `/messages/`).
"""

import asyncio
import json
import os
import socket
import sys
import threading

import uvicorn
from mcp.server.mcpserver import Context, MCPServer
from mcp_types import (CreateMessageRequest, CreateMessageRequestParams, ElicitRequest, ElicitRequestFormParams,
                       InputRequiredResult, SamplingMessage, TextContent)
from pydantic import BaseModel

SETTINGS = json.loads(sys.argv[1])
server = MCPServer("files", instructions="Files of the house.")


def ran(tool, ctx):
    headers = {name.lower(): value for name, value in (ctx.headers or {}).items()} if hasattr(ctx, "headers") else {}
    print(json.dumps({"ran": tool, "headers": headers}), flush=True)


@server.tool(description=SETTINGS.get("described", "Reads a file."))
def read_file(path: str, ctx: Context) -> str:
    ran("read_file", ctx)
    return f"{path}: pay with 4556 7375 8689 9855"


@server.tool(description="Writes a file.")
def write_file(path: str, text: str, ctx: Context) -> str:
    ran("write_file", ctx)
    return f"{path}: {len(text)} characters"


@server.tool(description="Counts slowly, and says how far it is.")
async def read_slowly(steps: int, ctx: Context) -> str:
    ran("read_slowly", ctx)
    for step in range(steps):
        await ctx.report_progress(step + 1, steps, f"step {step + 1}")
        await asyncio.sleep(0.05)
    return "counted"


@server.resource("file:///house")
def house() -> str:
    return "the house, key 4556737586899855"


@server.prompt()
def greet(name: str) -> str:
    return f"Say hello to {name}."


class Pin(BaseModel):
    pin: str


async def read_with_model(tokens: int, ctx: Context) -> str | InputRequiredResult:
    """Has the caller's model sum up a file."""
    text = TextContent(type="text", text="Sum up: pay with 4556 7375 8689 9855")
    messages = [SamplingMessage(role="user", content=text)]
    if ctx.protocol_version < "2026":
        result = await ctx.session.create_message(messages, max_tokens=tokens, related_request_id=ctx.request_id)
        ran("read_with_model", ctx)
        return result.content.text
    if not ctx.input_responses:
        params = CreateMessageRequestParams(messages=messages, max_tokens=tokens)
        return InputRequiredResult(input_requests={"sum": CreateMessageRequest(params=params)})
    ran("read_with_model", ctx)
    return ctx.input_responses["sum"].content.text


async def read_with_user(ctx: Context) -> str | InputRequiredResult:
    """Asks the caller's user for a PIN."""
    if ctx.protocol_version < "2026":
        result = await ctx.elicit("Your PIN?", Pin)
        ran("read_with_user", ctx)
        return f"read with {result.data.pin}"
    if not ctx.input_responses:
        params = ElicitRequestFormParams(message="Your PIN?", requested_schema=Pin.model_json_schema())
        return InputRequiredResult(input_requests={"pin": ElicitRequest(params=params)})
    ran("read_with_user", ctx)
    return f"read with {ctx.input_responses['pin'].content['pin']}"


def main():
    if SETTINGS.get("asks"):
        server.tool()(read_with_model)
        server.tool()(read_with_user)
    listener = socket.socket()
    listener.bind(("127.0.0.1", 0))
    # Whoever reads the port may connect at once, and waits for the server.
    listener.listen(64)
    if SETTINGS.get("sse"):
        app = server.sse_app(host="0.0.0.0")
    else:
        app = server.streamable_http_app(json_response=SETTINGS.get("json", False), host="0.0.0.0")
    print(f"port {listener.getsockname()[1]}", flush=True)
    threading.Thread(target=lambda: (sys.stdin.read(), os._exit(0)), daemon=True).start()
    uvicorn.Server(uvicorn.Config(app, log_level="error")).run(sockets=[listener])


main()
