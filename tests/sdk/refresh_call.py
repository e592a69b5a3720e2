"""Two calls each through a client of envoy/clients/doorward_tokens.py: `refresh_call.py SDK BASE_URL TOKEN_COMMAND...`."""

import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "envoy" / "clients"))

import doorward_tokens  # noqa: E402


def main():
    sdk, base, *command = sys.argv[1:]
    tokens = doorward_tokens.Tokens(command)
    messages = [{"role": "user", "content": "hello"}]
    for _ in range(2):
        match sdk:
            case "openai":
                client = getattr(main, "client", None) or doorward_tokens.openai_client(f"{base}/v1", tokens, max_retries=0)
                answer = client.chat.completions.create(model="gpt-5-mini", messages=messages).choices[0].message.content
            case "anthropic":
                client = getattr(main, "client", None) or doorward_tokens.anthropic_client(base, tokens, max_retries=0)
                answer = client.messages.create(model="claude-haiku-4-5", max_tokens=50, messages=messages).content[0].text
            case "google":
                client = getattr(main, "client", None) or doorward_tokens.google_client(base, tokens)
                answer = client.models.generate_content(model="gemini-3-flash", contents="hello").text
        # The same client makes both calls: that is the point.
        main.client = client
        print(answer)


main()
