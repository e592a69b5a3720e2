"""Calls through the official Cohere SDK: `cohere_call.py BASE_URL`, see calls.py. BASE_URL has no path."""

import cohere

import calls


def chat_stream(client, **arguments):
    streamed = calls.Streamed()
    for event in client.chat_stream(request_options={"max_retries": 0}, **arguments):
        streamed.events += 1
        match event.type:
            case "content-delta":
                streamed.say(event.delta.message.content.text)
                streamed.thinking += event.delta.message.content.thinking or ""
            case "tool-plan-delta":
                streamed.thinking += event.delta.message.tool_plan
            case "tool-call-start":
                streamed.call(event.index, event.delta.message.tool_calls.function.name)
            case "tool-call-delta":
                streamed.call(event.index, None, event.delta.message.tool_calls.function.arguments)
            case "message-end":
                streamed.finish = event.delta.finish_reason
                streamed.usage = event.delta.usage
    return streamed.result()


def once(method):
    """A call that is not repeated when it fails."""
    return lambda client, **arguments: getattr(client, method)(request_options={"max_retries": 0}, **arguments)


OPERATIONS = {
    "chat": once("chat"),
    "chat_stream": chat_stream,
    "embed": once("embed"),
    "rerank": once("rerank"),
}

calls.run(lambda base, key: cohere.ClientV2(base_url=base, api_key=key, timeout=15), OPERATIONS)
