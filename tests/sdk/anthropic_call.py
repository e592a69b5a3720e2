"""Calls through the official Anthropic SDK: `anthropic_call.py BASE_URL`, see calls.py.

BASE_URL has no path. Operations named `vertex_*` go through the SDK's Vertex client, those named `bedrock_*` through
its Bedrock client, with the same base.
"""

import anthropic

import calls

OPTIONS = {"max_retries": 0, "timeout": 15}


def stream(client, **arguments):
    streamed = calls.Streamed()
    tokens = {}
    for event in client.messages.create(stream=True, **arguments):
        streamed.events += 1
        match event.type:
            case "message_start":
                tokens = event.message.usage.model_dump(mode="json", exclude_none=True)
            case "content_block_start" if event.content_block.type == "tool_use":
                streamed.call(event.index, event.content_block.name)
            case "content_block_delta":
                match event.delta.type:
                    case "text_delta":
                        streamed.say(event.delta.text)
                    case "input_json_delta":
                        streamed.call(event.index, None, event.delta.partial_json)
                    case "thinking_delta":
                        streamed.thinking += event.delta.thinking
                    case "signature_delta":
                        streamed.more = {"signature": event.delta.signature}
            case "message_delta":
                streamed.finish = event.delta.stop_reason
                tokens |= event.usage.model_dump(mode="json", exclude_none=True)
    streamed.usage = tokens
    return streamed.result()


def final(client, **arguments):
    """The message that the SDK itself assembles from a stream."""
    with client.messages.stream(**arguments) as messages:
        return messages.get_final_message()


def agent(client, **arguments):
    """An agent loop: tools are called until the model calls none. Every call that reached it, and what it said."""
    messages, executed, said = list(arguments.pop("messages")), [], []
    for _ in range(5):
        with client.messages.stream(messages=messages, **arguments) as streamed:
            message = streamed.get_final_message()
        said.append("".join(block.text for block in message.content if block.type == "text"))
        content = [block.model_dump(mode="json", include={"type", "text", "id", "name", "input"}) for block in message.content]
        messages.append({"role": "assistant", "content": content})
        if message.stop_reason != "tool_use":
            return {"executed": executed, "said": said, "finish": message.stop_reason}
        results = []
        for block in message.content:
            if block.type == "tool_use":
                executed.append({"name": block.name, "arguments": block.input})
                results.append({"type": "tool_result", "tool_use_id": block.id, "content": f"done: {block.name}"})
        messages.append({"role": "user", "content": results})
    raise RuntimeError("the agent does not come to an end")


def batch(client, **arguments):
    """Creates a batch, waits for nothing, and returns the results."""
    created = client.messages.batches.create(**arguments)
    return [result.model_dump(mode="json") for result in client.messages.batches.results(created.id)]


def vertex(operation):
    def through(client, **arguments):
        place = {"region": "us-east5", "project_id": "project"}
        base = f"{str(client.base_url).rstrip('/')}/v1"
        there = anthropic.AnthropicVertex(base_url=base, access_token=client.api_key, **place, **OPTIONS)
        return operation(there, **arguments)

    return through


def bedrock(operation):
    def through(client, **arguments):
        keys = {"aws_access_key": "AKIDEXAMPLE", "aws_secret_key": client.api_key, "aws_region": "us-east-1"}
        # A key instead of AWS credentials is sent as a bearer token, over cleartext too.
        place = {"api_key": client.api_key, "aws_region": "us-east-1"}
        there = anthropic.AnthropicBedrock(base_url=str(client.base_url), **place, **OPTIONS)
        return operation(there, **arguments)

    return through


OPERATIONS = {
    "create": lambda client, **arguments: client.messages.create(**arguments),
    "stream": stream,
    "final": final,
    "agent": agent,
    "count_tokens": lambda client, **arguments: client.messages.count_tokens(**arguments),
    "batch": batch,
    "models": lambda client: [model.id for model in client.models.list()],
    "vertex_create": vertex(lambda client, **arguments: client.messages.create(**arguments)),
    "vertex_stream": vertex(stream),
    "bedrock_create": bedrock(lambda client, **arguments: client.messages.create(**arguments)),
    "bedrock_stream": bedrock(stream),
}

calls.run(lambda base, key: anthropic.Anthropic(base_url=base, api_key=key, **OPTIONS), OPERATIONS)
