"""Tokens that renew themselves, for the official SDKs: the "API key" of a client is the caller's ID token, and ID tokens end.

    tokens = Tokens(["gcloud", "auth", "print-identity-token", "--audiences=doorward"])
    client = openai_client("http://llm.example.com/v1", tokens)

A command prints the token (`DOORWARD_TOKEN_COMMAND`, where none is given), so that this file knows no identity provider. It is asked again a
minute before the token ends, whatever client is waiting. Copy what you need.
"""

import base64
import json
import os
import shlex
import subprocess
import threading
import time


class Tokens:
    """The caller's token, renewed before it ends. Threads may share it."""

    def __init__(self, command=None, leeway=60):
        self.command = command or shlex.split(os.environ["DOORWARD_TOKEN_COMMAND"])
        self.leeway = leeway
        self._lock = threading.Lock()
        self._token, self._ends = None, 0.0

    def current(self):
        with self._lock:
            if time.time() > self._ends - self.leeway:
                self._token = subprocess.run(self.command, check=True, capture_output=True, text=True).stdout.strip()
                self._ends = _ends(self._token)
            return self._token


def _ends(token):
    """`exp` of a JSON Web Token, unverified: it only says when to ask again."""
    payload = token.split(".")[1]
    return float(json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))["exp"])


def openai_client(base_url, tokens, **options):
    """OpenAI's SDK asks for its key before each request where the key is a function."""
    import openai

    return openai.OpenAI(base_url=base_url, api_key=tokens.current, **options)


def bearer(tokens):
    """Authentication for what is built on httpx, as its `auth`: one credential in each request, the current one."""

    def authenticate(request):
        # Two credentials are refused, and SDKs send what they were made with.
        for name in ("x-api-key", "x-goog-api-key"):
            request.headers.pop(name, None)
        request.headers["authorization"] = f"Bearer {tokens.current()}"
        return request

    return authenticate


def anthropic_client(base_url, tokens, **options):
    """Anthropic's SDK takes an HTTP client; the key is never sent."""
    import anthropic

    http = anthropic.DefaultHttpxClient(auth=bearer(tokens))
    return anthropic.Anthropic(base_url=base_url, auth_token="replaced in each request", http_client=http, **options)


def google_client(base_url, tokens):
    """Google's SDK hands arguments to its HTTP client; the key is never sent."""
    from google import genai
    from google.genai import types

    options = types.HttpOptions(base_url=base_url, client_args={"auth": bearer(tokens)})
    return genai.Client(api_key="replaced in each request", http_options=options)
