"""Calls through the official Ollama SDK: `ollama_call.py BASE_URL`, see calls.py.

The SDK knows no key of its own for a host that is not Ollama's: it goes where callers put it, into `headers`.
"""

import ollama

import calls


def spoken_by(start):
    """A stream of chat messages or of generated text."""

    def stream(client, **arguments):
        streamed = calls.Streamed()
        for chunk in start(client)(stream=True, **arguments):
            streamed.events += 1
            message = getattr(chunk, "message", chunk)
            streamed.say(message.content if message is not chunk else chunk.response)
            streamed.thinking += message.thinking or ""
            for call in getattr(message, "tool_calls", None) or []:
                streamed.call(len(streamed.calls), call.function.name, dict(call.function.arguments))
            if chunk.done:
                streamed.finish = chunk.done_reason
                streamed.usage = {"prompt_eval_count": chunk.prompt_eval_count, "eval_count": chunk.eval_count}
        return streamed.result()

    return stream


OPERATIONS = {
    "chat": lambda client, **arguments: client.chat(**arguments),
    "chat_stream": spoken_by(lambda client: client.chat),
    "generate": lambda client, **arguments: client.generate(**arguments),
    "generate_stream": spoken_by(lambda client: client.generate),
    "embed": lambda client, **arguments: client.embed(**arguments),
    "embeddings": lambda client, **arguments: client.embeddings(**arguments),
    "show": lambda client, **arguments: client.show(**arguments),
    "models": lambda client: [model.model for model in client.list().models],
}

calls.run(
    lambda base, key: ollama.Client(host=base, headers={"Authorization": f"Bearer {key}"}, timeout=15), OPERATIONS
)
