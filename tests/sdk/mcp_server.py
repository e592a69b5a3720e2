"""An MCP server made with the official SDK. Prints `port N`, then one JSON line for every tool that ran, with the headers that came; serves
until its standard input ends.

Takes its settings as JSON: `json` answers JSON instead of streams, `described` describes the tool `read_file` otherwise.
"""

import asyncio
import json
import os
import socket
import sys
import threading

import uvicorn
from mcp.server.mcpserver import Context, MCPServer

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


def main():
    listener = socket.socket()
    listener.bind(("127.0.0.1", 0))
    app = server.streamable_http_app(json_response=SETTINGS.get("json", False), host="0.0.0.0")
    print(f"port {listener.getsockname()[1]}", flush=True)
    threading.Thread(target=lambda: (sys.stdin.read(), os._exit(0)), daemon=True).start()
    uvicorn.Server(uvicorn.Config(app, log_level="error")).run(sockets=[listener])


main()
