"""Calls through the official Google Gen AI SDK: `google_call.py BASE_URL`, see calls.py.

BASE_URL has no path; the key goes into `x-goog-api-key`. Operations named `vertex_*` use Vertex AI's paths, and the
key as an access token.
"""

import warnings

from google import genai
from google.genai import types
from google.oauth2.credentials import Credentials

import calls

# The SDK warns of every answer that is more than text.
warnings.filterwarnings("ignore")


class Clients:
    """The two clients, each made when it is asked for."""

    def __init__(self, base, key):
        self.options = types.HttpOptions(
            base_url=base, timeout=15_000, retry_options=types.HttpRetryOptions(attempts=1)
        )
        self.key = key
        self.made = {}

    def client(self, vertex):
        if vertex not in self.made:
            if vertex:
                place = {"vertexai": True, "project": "project", "location": "us-central1"}
                identity = {"credentials": Credentials(token=self.key)}
            else:
                place, identity = {}, {"api_key": self.key}
            self.made[vertex] = genai.Client(http_options=self.options, **place, **identity)
        return self.made[vertex]


def generate_stream(client, **arguments):
    streamed = calls.Streamed()
    for chunk in client.models.generate_content_stream(**arguments):
        streamed.events += 1
        streamed.usage = chunk.usage_metadata or streamed.usage
        if chunk.prompt_feedback:
            streamed.more = {"blocked": chunk.prompt_feedback.block_reason}
        for candidate in chunk.candidates or []:
            streamed.finish = candidate.finish_reason or streamed.finish
            for part in candidate.content.parts or []:
                if part.function_call:
                    streamed.call(len(streamed.calls), part.function_call.name, part.function_call.args)
                elif part.thought:
                    streamed.thinking += part.text or ""
                else:
                    streamed.say(part.text)
    return streamed.result()


def interact_stream(client, **arguments):
    streamed = calls.Streamed()
    for event in client.interactions.create(stream=True, **arguments):
        streamed.events += 1
        match event.event_type:
            case "step.start" if event.step.type == "function_call":
                streamed.call(event.index, event.step.name)
            case "step.delta":
                match event.delta.type:
                    case "text":
                        streamed.say(event.delta.text)
                    case "thought_summary":
                        streamed.thinking += event.delta.content.text
                    case "arguments_delta":
                        streamed.call(event.index, None, event.delta.arguments)
            case "error":
                # The SDK hands it over like any other event.
                streamed.finish = f"error: {event.error.message}"
            case "interaction.completed":
                streamed.finish = event.interaction.status
                streamed.usage = event.interaction.usage
    return streamed.result()


TABLE = {
    "generate": lambda client, **arguments: client.models.generate_content(**arguments),
    "generate_stream": generate_stream,
    "count_tokens": lambda client, **arguments: client.models.count_tokens(**arguments),
    "embed": lambda client, **arguments: client.models.embed_content(**arguments),
    "interact": lambda client, **arguments: client.interactions.create(**arguments),
    "interact_stream": interact_stream,
    "models": lambda client: [model.name for model in client.models.list()],
}


def through(operation, vertex):
    return lambda clients, **arguments: operation(clients.client(vertex), **arguments)


OPERATIONS = {name: through(operation, False) for name, operation in TABLE.items()}
OPERATIONS |= {f"vertex_{name}": through(operation, True) for name, operation in TABLE.items()}

calls.run(Clients, OPERATIONS)
