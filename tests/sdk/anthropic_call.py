"""Calls through the official Anthropic SDK: `anthropic_call.py BASE_URL`, see calls.py."""

import anthropic

import calls

calls.run(
    lambda base, key: anthropic.Anthropic(base_url=base, api_key=key, max_retries=0, timeout=15),
    lambda client, arguments: client.messages.create(**arguments),
    anthropic.AnthropicError,
)
