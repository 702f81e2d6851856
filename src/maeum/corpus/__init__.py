"""What was said, by whom, how: corpora as manifests, and which part of them to learn from."""

from maeum.corpus.corpus import Corpus
from maeum.corpus.importing import import_corpus

__all__ = ["Corpus", "import_corpus"]
