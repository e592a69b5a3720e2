"""Calls through the official OpenAI SDK: `openai_call.py BASE_URL`, see calls.py."""

import openai

import calls

calls.run(
    lambda base, key: openai.OpenAI(base_url=base, api_key=key, max_retries=0, timeout=15),
    lambda client, arguments: client.chat.completions.create(**arguments),
    openai.OpenAIError,
)
