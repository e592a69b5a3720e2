"""Reads calls from stdin, one JSON object a line, and prints one JSON line for each outcome.

A call is `{"key": KEY, "name": OPERATION, "arguments": {..}}`, and `"base"` where it goes elsewhere than the script's
BASE_URL. A script of this folder is a client and a table of operations; each takes the client and the call's arguments.
Adding a call is adding a row to a table.

What came of a stream before it failed is the outcome's `partial`.
"""

import base64
import json
import sys

# A mistake in a script, not an answer of an SDK.
MISTAKES = (TypeError, NameError, AttributeError, KeyError, ImportError)


def run(client_for, operations):
    """`client_for(base, key)` makes a client; `operations` maps a name to `operation(client, **arguments)`."""
    clients = {}
    for line in sys.stdin:
        call = json.loads(line)
        place = (call.get("base") or sys.argv[1], call["key"])
        Streamed.latest = None
        try:
            if place not in clients:
                clients[place] = client_for(*place)
            outcome = {"ok": plain(operations[call["name"]](clients[place], **call["arguments"]))}
        except MISTAKES:
            raise
        except Exception as error:  # SDKs let their transport's errors through, each its own.
            outcome = {"error": type(error).__name__, "status": status(error), "body": plain(body(error))}
            if Streamed.latest:
                outcome["partial"] = plain(Streamed.latest.result())
        print(json.dumps(outcome), flush=True)


def status(error):
    """The HTTP status of an error, whatever the SDK calls it; booleans and ranges are none."""
    response = getattr(error, "response", None)
    if isinstance(response, dict):
        return response.get("ResponseMetadata", {}).get("HTTPStatusCode")
    for name in ("status_code", "code"):
        value = getattr(error, name, None)
        if isinstance(value, int) and value > 0:
            return value
    return None


def body(error):
    """What the SDK kept of the answer's body."""
    for name in ("body", "details", "error"):
        value = getattr(error, name, None)
        if value is not None:
            return value
    response = getattr(error, "response", None)
    return response.get("Error") if isinstance(response, dict) else str(error)


def plain(value):
    """A value of JSON."""
    if hasattr(value, "model_dump"):
        return value.model_dump(mode="json")
    if isinstance(value, dict):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(item) for item in value]
    if isinstance(value, bytes):
        return base64.b64encode(value).decode()
    if value is None or isinstance(value, (str, int, float, bool)):
        return value
    return str(value)


class Streamed:
    """What came of a stream: texts joined, tool calls with their arguments assembled, and how it ended."""

    latest = None

    def __init__(self):
        Streamed.latest = self
        self.texts = {}
        self.thinking = ""
        self.refusal = ""
        self.calls = {}
        self.events = 0
        self.usage = None
        self.finish = None
        self.more = {}

    def say(self, text, choice=0):
        """Text of a choice."""
        self.texts[choice] = self.texts.get(choice, "") + (text or "")

    def call(self, index, name=None, arguments=None):
        """A tool call, or more of one."""
        call = self.calls.setdefault(index, {"name": "", "arguments": ""})
        call["name"] += name or ""
        if isinstance(arguments, str):
            call["arguments"] += arguments
        elif arguments:
            call["arguments"] = json.dumps(arguments)

    def result(self):
        """The texts of all choices, the first one's once more by itself."""
        texts = [self.texts[index] for index in sorted(self.texts)]
        return {
            "text": texts[0] if texts else "",
            "texts": texts,
            "thinking": self.thinking,
            "refusal": self.refusal,
            "calls": [self.calls[index] for index in sorted(self.calls)],
            "events": self.events,
            "usage": self.usage,
            "finish": self.finish,
            **self.more,
        }
