"""Throughput of Presidio's pattern recognizers over text on standard input, in MB/s.

spaCy is blank: nothing but the patterns, context words and check digits of its default English recognizers runs, which is the part that
is comparable. Usage: presidio.py SECONDS < text
"""

import logging
import sys
import time

# It looks for a list of domains on the internet, and has one of its own where there is none.
logging.getLogger("tldextract").setLevel(logging.CRITICAL)

import spacy
from presidio_analyzer import AnalyzerEngine, RecognizerRegistry
from presidio_analyzer.nlp_engine import NlpArtifacts, NlpEngine

CHUNK = 16 << 10


class Blank(NlpEngine):
    """Tokens and nothing else."""

    def __init__(self):
        self.nlp = spacy.blank("en")

    def load(self):
        pass

    def is_loaded(self):
        return True

    def process_text(self, text, language):
        tokens = self.nlp(text)
        lemmas = [token.text.lower() for token in tokens]
        return NlpArtifacts([], tokens, [token.idx for token in tokens], lemmas, self, language)

    def process_batch(self, texts, language, **kwargs):
        return ((text, self.process_text(text, language)) for text in texts)

    def is_stopword(self, word, language):
        return word.lower() in self.nlp.Defaults.stop_words

    def is_punct(self, word, language):
        return not any(character.isalnum() for character in word)

    def get_supported_entities(self):
        return []

    def get_supported_languages(self):
        return ["en"]


def main():
    seconds = float(sys.argv[1])
    text = sys.stdin.read()
    registry = RecognizerRegistry()
    registry.load_predefined_recognizers(languages=["en"])
    registry.remove_recognizer("SpacyRecognizer")
    analyzer = AnalyzerEngine(registry=registry, nlp_engine=Blank(), supported_languages=["en"])
    chunks = [text[at : at + CHUNK] for at in range(0, len(text), CHUNK)]
    analyzer.analyze(text=chunks[0], language="en")
    start, read = time.perf_counter(), 0
    for chunk in chunks:
        analyzer.analyze(text=chunk, language="en")
        read += len(chunk.encode())
        if time.perf_counter() - start > seconds:
            break
    print(read / 1e6 / (time.perf_counter() - start))


main()
