"""Calls through the official AWS SDK: `bedrock_call.py BASE_URL`, see calls.py. BASE_URL has no path.

The key `sigv4` signs requests with made-up credentials (which breaks if anything changes the body on the way); any
other key is sent as a bearer token. The SDK does that itself (`AWS_BEARER_TOKEN_BEDROCK`), but only to an HTTPS
endpoint (`AWS_CA_BUNDLE` names the authority of a test's certificate); over cleartext the script adds the header.
"""

import json
import os

import boto3
from botocore import UNSIGNED
from botocore.config import Config

import calls


def client_for(base, key):
    config = {"retries": {"total_max_attempts": 1}, "connect_timeout": 15, "read_timeout": 15}
    options = {"region_name": "us-east-1", "endpoint_url": base}
    os.environ.pop("AWS_BEARER_TOKEN_BEDROCK", None)
    os.environ["AWS_EC2_METADATA_DISABLED"] = "true"
    if key == "sigv4":
        options |= {"aws_access_key_id": "AKIDEXAMPLE", "aws_secret_access_key": "made-up"}
    elif base.startswith("https:"):
        os.environ["AWS_BEARER_TOKEN_BEDROCK"] = key
    else:
        config["signature_version"] = UNSIGNED
    client = boto3.client("bedrock-runtime", config=Config(**config), **options)
    if config.get("signature_version"):
        add = lambda request, **_: request.headers.__setitem__("Authorization", f"Bearer {key}")
        client.meta.events.register("before-send.bedrock-runtime", add)
    return client


def invoke(client, body, **arguments):
    """The body, and how Amazon counted it."""
    answer = client.invoke_model(body=json.dumps(body), **arguments)
    headers = answer["ResponseMetadata"]["HTTPHeaders"]
    counted = {name: value for name, value in headers.items() if name.endswith("-token-count")}
    return {"body": json.loads(answer["body"].read()), "headers": counted}


def invoke_stream(client, body, **arguments):
    streamed = calls.Streamed()
    answer = client.invoke_model_with_response_stream(body=json.dumps(body), **arguments)
    for event in answer["body"]:
        streamed.events += 1
        payload = json.loads(event["chunk"]["bytes"])
        match payload["type"]:
            case "content_block_start" if payload["content_block"]["type"] == "tool_use":
                streamed.call(payload["index"], payload["content_block"]["name"])
            case "content_block_delta":
                delta = payload["delta"]
                streamed.say(delta.get("text"))
                streamed.thinking += delta.get("thinking", "")
                if "partial_json" in delta:
                    streamed.call(payload["index"], None, delta["partial_json"])
            case "message_delta":
                streamed.finish = payload["delta"]["stop_reason"]
            case "message_stop":
                streamed.usage = payload["amazon-bedrock-invocationMetrics"]
    return streamed.result()


def converse(client, **arguments):
    answer = client.converse(**arguments)
    del answer["ResponseMetadata"]
    return answer


def converse_stream(client, **arguments):
    streamed = calls.Streamed()
    for event in client.converse_stream(**arguments)["stream"]:
        streamed.events += 1
        match event:
            case {"contentBlockStart": start} if "toolUse" in start["start"]:
                streamed.call(start["contentBlockIndex"], start["start"]["toolUse"]["name"])
            case {"contentBlockDelta": block}:
                delta = block["delta"]
                streamed.say(delta.get("text"))
                streamed.thinking += delta.get("reasoningContent", {}).get("text", "")
                if "toolUse" in delta:
                    streamed.call(block["contentBlockIndex"], None, delta["toolUse"]["input"])
            case {"messageStop": stop}:
                streamed.finish = stop["stopReason"]
            case {"metadata": metadata}:
                streamed.usage = metadata["usage"]
    return streamed.result()


OPERATIONS = {
    "invoke": invoke,
    "invoke_stream": invoke_stream,
    "converse": converse,
    "converse_stream": converse_stream,
    "count_tokens": lambda client, **arguments: client.count_tokens(**arguments)["inputTokens"],
}

calls.run(client_for, OPERATIONS)
