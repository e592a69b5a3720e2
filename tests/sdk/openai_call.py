"""Calls through the official OpenAI SDK: `openai_call.py BASE_URL`, see calls.py.

BASE_URL ends in `/v1`. Operations named `azure_*` go through the SDK's Azure client; their BASE_URL has no path.
"""

import openai

import calls


def chat_stream(client, **arguments):
    streamed = calls.Streamed()
    for chunk in client.chat.completions.create(stream=True, **arguments):
        streamed.events += 1
        streamed.usage = chunk.usage or streamed.usage
        for choice in chunk.choices:
            streamed.say(choice.delta.content, choice.index)
            streamed.thinking += getattr(choice.delta, "reasoning_content", None) or ""
            streamed.refusal += choice.delta.refusal or ""
            streamed.finish = choice.finish_reason or streamed.finish
            for call in choice.delta.tool_calls or []:
                streamed.call(call.index, call.function.name, call.function.arguments)
    return streamed.result()


def responses_stream(client, **arguments):
    """The text is that of the deltas; `copies` has it as every later event repeats it."""
    streamed = calls.Streamed()
    copies = []
    for event in client.responses.create(stream=True, **arguments):
        assert event.sequence_number == streamed.events, event
        streamed.events += 1
        match event.type:
            case "response.output_text.delta":
                streamed.say(event.delta)
            case "response.output_text.done":
                copies.append(event.text)
            case "response.content_part.done" if event.part.type == "output_text":
                copies.append(event.part.text)
            case "response.output_item.done" if event.item.type == "message":
                copies += [part.text for part in event.item.content if part.type == "output_text"]
            case "response.refusal.delta":
                streamed.refusal += event.delta
            case "response.reasoning_summary_text.delta":
                streamed.thinking += event.delta
            case "response.output_item.added" if event.item.type == "function_call":
                streamed.call(event.output_index, event.item.name)
            case "response.function_call_arguments.delta":
                streamed.call(event.output_index, None, event.delta)
            case "response.function_call_arguments.done":
                assert streamed.calls[event.output_index]["arguments"] == event.arguments, event
            case "response.completed" | "response.incomplete" | "response.failed":
                if event.response.output_text:
                    copies.append(event.response.output_text)
                streamed.finish = event.response.status
                streamed.usage = event.response.usage
    streamed.more = {"copies": copies}
    return streamed.result()


def completions_stream(client, **arguments):
    streamed = calls.Streamed()
    for chunk in client.completions.create(stream=True, **arguments):
        streamed.events += 1
        streamed.usage = chunk.usage or streamed.usage
        for choice in chunk.choices:
            streamed.say(choice.text, choice.index)
            streamed.finish = choice.finish_reason or streamed.finish
    return streamed.result()


def agent(client, **arguments):
    """An agent loop: tools are called until the model calls none. Every call that reached it, and what it said."""
    messages, executed, said = list(arguments.pop("messages")), [], []
    for _ in range(5):
        with client.chat.completions.stream(messages=messages, **arguments) as streamed:
            choice = streamed.get_final_completion().choices[0]
        said.append(choice.message.content)
        messages.append(choice.message.model_dump(mode="json", exclude_none=True, include={"role", "content", "tool_calls"}))
        if choice.finish_reason != "tool_calls":
            return {"executed": executed, "said": said, "finish": choice.finish_reason}
        for call in choice.message.tool_calls:
            executed.append({"name": call.function.name, "arguments": call.function.arguments})
            messages.append({"role": "tool", "tool_call_id": call.id, "content": f"done: {call.function.name}"})
    raise RuntimeError("the agent does not come to an end")


def azure(operation):
    """The operation through the Azure client, with the same base and key."""

    def through(client, **arguments):
        base = str(client.base_url).rstrip("/")
        options = {"api_version": "2025-04-01-preview", "max_retries": 0, "timeout": 15}
        return operation(openai.AzureOpenAI(azure_endpoint=base, api_key=client.api_key, **options), **arguments)

    return through


OPERATIONS = {
    "create": lambda client, **arguments: client.chat.completions.create(**arguments),
    "chat_stream": chat_stream,
    "agent": agent,
    "responses": lambda client, **arguments: client.responses.create(**arguments),
    "responses_stream": responses_stream,
    "completions": lambda client, **arguments: client.completions.create(**arguments),
    "completions_stream": completions_stream,
    "embeddings": lambda client, **arguments: client.embeddings.create(**arguments),
    "moderations": lambda client, **arguments: client.moderations.create(**arguments),
    "images": lambda client, **arguments: client.images.generate(**arguments),
    "speech": lambda client, **arguments: client.audio.speech.create(**arguments).content,
    "models": lambda client: [model.id for model in client.models.list()],
}
OPERATIONS |= {f"azure_{name}": azure(operation) for name, operation in OPERATIONS.items()}

calls.run(lambda base, key: openai.OpenAI(base_url=base, api_key=key, max_retries=0, timeout=15), OPERATIONS)
