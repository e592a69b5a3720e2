"""Reads calls from stdin, one JSON object a line, and prints one JSON line for each outcome."""

import json
import sys


def run(client_for, create, error_class):
    """`client_for(base, key)` makes a client; `create(client, arguments)` sends one message."""
    base = sys.argv[1]
    for line in sys.stdin:
        call = json.loads(line)
        client = client_for(base, call["key"])
        try:
            if "create" in call:
                ok = create(client, call["create"]).model_dump(mode="json")
            else:
                ok = [model.id for model in client.models.list()]
            outcome = {"ok": ok}
        except error_class as error:
            outcome = {
                "error": type(error).__name__,
                "status": getattr(error, "status_code", None),
                "body": getattr(error, "body", None),
            }
        print(json.dumps(outcome), flush=True)
