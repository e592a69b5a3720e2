"""Calls through the official Mistral SDK: `mistral_call.py BASE_URL`, see calls.py. BASE_URL has no path."""

from mistralai.client import Mistral

import calls


def streamed_by(start):
    """A stream of chunks, whichever endpoint it comes from."""

    def stream(client, **arguments):
        streamed = calls.Streamed()
        with start(client)(**arguments) as events:
            for event in events:
                streamed.events += 1
                streamed.usage = event.data.usage or streamed.usage
                for choice in event.data.choices:
                    content = choice.delta.content or ""
                    if isinstance(content, str):
                        streamed.say(content, choice.index)
                    else:
                        for part in content:
                            streamed.thinking += "".join(piece.text for piece in part.thinking)
                    streamed.finish = choice.finish_reason or streamed.finish
                    for call in choice.delta.tool_calls or []:
                        streamed.call(call.index, call.function.name, call.function.arguments)
        return streamed.result()

    return stream


OPERATIONS = {
    "create": lambda client, **arguments: client.chat.complete(**arguments),
    "chat_stream": streamed_by(lambda client: client.chat.stream),
    "fim": lambda client, **arguments: client.fim.complete(**arguments),
    "fim_stream": streamed_by(lambda client: client.fim.stream),
    "agent": lambda client, **arguments: client.agents.complete(**arguments),
    "agent_stream": streamed_by(lambda client: client.agents.stream),
    "embeddings": lambda client, **arguments: client.embeddings.create(**arguments),
    "moderations": lambda client, **arguments: client.classifiers.moderate(**arguments),
}

calls.run(lambda base, key: Mistral(server_url=base, api_key=key, timeout_ms=15_000), OPERATIONS)
