"""A presidio-analyzer from PyPI behind HTTP, in the way of its own image's `/analyze` and `/health`.

Prints `port N` once it answers on a loopback port of its own, and serves until its standard input ends. spaCy runs without a
language model (`spacy.blank`), so that what needs one (names, places) is not found; pattern recognizers and the deny list below
are.

The only argument is a JSON object: `key` is the bearer key that calls must carry, `delay_ms` makes every answer slow.
"""

import json
import os
import sys
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import spacy
import tldextract
from presidio_analyzer import (
    AnalyzerEngine,
    AnalyzerRequest,
    BatchAnalyzerEngine,
    PatternRecognizer,
    RecognizerRegistry,
)
from presidio_analyzer.nlp_engine import SpacyNlpEngine

# The list of suffixes that the package ships, instead of one that is fetched.
tldextract.extract = tldextract.TLDExtract(suffix_list_urls=())

SETTINGS = json.loads(sys.argv[1]) if len(sys.argv) > 1 else {}


class Blank(SpacyNlpEngine):
    """Tokens and nothing else."""

    def __init__(self):
        super().__init__(models=[{"lang_code": "en", "model_name": "blank"}])
        self.nlp = {"en": spacy.blank("en")}

    def load(self):
        pass


def engine():
    registry = RecognizerRegistry(supported_languages=["en"])
    registry.load_predefined_recognizers(languages=["en"])
    projects = PatternRecognizer(
        supported_entity="PROJECT", deny_list=["Blue Kite"], supported_language="en"
    )
    registry.add_recognizer(projects)
    return AnalyzerEngine(registry=registry, nlp_engine=Blank(), supported_languages=["en"])


ENGINE = BatchAnalyzerEngine(engine())


def analyze(request):
    asked = AnalyzerRequest(request)
    if not asked.text or not asked.language:
        raise ValueError("No text or no language provided")
    batch = isinstance(asked.text, list)
    found = ENGINE.analyze_iterator(
        texts=asked.text if batch else [asked.text],
        batch_size=64,
        language=asked.language,
        score_threshold=asked.score_threshold,
        entities=asked.entities,
        return_decision_process=asked.return_decision_process,
    )
    lists = []
    for results in found:
        for result in results:
            del result.recognition_metadata
        lists.append(results)
    return json.dumps(lists if batch else lists[0], default=lambda o: o.to_dict(), sort_keys=True)


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def answer(self, status, text):
        body = text.encode()
        self.send_response(status)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def do_GET(self):
        self.answer(200 if self.path == "/health" else 404, "{}")

    def do_POST(self):
        body = self.rfile.read(int(self.headers.get("content-length", 0)))
        key = SETTINGS.get("key")
        if key and self.headers.get("authorization") != f"Bearer {key}":
            return self.answer(401, "{}")
        if self.path != "/analyze":
            return self.answer(404, "{}")
        time.sleep(SETTINGS.get("delay_ms", 0) / 1000)
        try:
            self.answer(200, analyze(json.loads(body)))
        except Exception as error:
            self.answer(500, json.dumps({"error": type(error).__name__}))

    def log_message(self, *args):
        pass


server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
server.daemon_threads = True
threading.Thread(target=server.serve_forever, daemon=True).start()
analyze({"text": ["warm"], "language": "en"})
print(f"port {server.server_address[1]}", flush=True)
sys.stdin.read()
os._exit(0)
