"""An import beside what was planted in a made tree."""

from __future__ import annotations

from collections import Counter

from maeum.corpus.importing import import_corpus


def kept(corpus):
    """Id -> emotion of what an import kept."""
    return dict(corpus.utterances.select("id", "emotion").iter_rows())


def left_out(corpus):
    """Reason -> how many an import left out."""
    return dict(Counter(corpus.rejected["reason"]))


def options_of(typed):
    """`--ties first` as keyword arguments."""
    name, value = typed.removeprefix("--").split()
    return {name: value}


def by_id(corpus):
    """Id -> row of the manifest."""
    return {row["id"]: row for row in corpus.utterances.iter_rows(named=True)}


def imported(reader, planted, typed=""):
    """The corpus that a made tree gives, with an option as it is typed."""
    return import_corpus(reader, planted.source, **(options_of(typed) if typed else {}))
