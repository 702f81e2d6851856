"""Transcripts: cleaning, and the identity of a sentence.

Several speakers read one sentence, and its spelling wanders (니가 and 네가, with and without a
particle, a full stop or a question mark). Whether a model was tested on sentences it was trained
on can only be said when such spellings count as one script.
"""

from __future__ import annotations

import re
import unicodedata
from array import array
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from functools import lru_cache
from hashlib import blake2b
from itertools import combinations

import numpy as np

_INVISIBLE = re.compile("[\u200b\u200c\u200d\u2060\ufeff\u00ad]")
_SPACES = re.compile(r"\s+")

MIN_NEAR_SYLLABLES = 8
"""Shorter sentences are one script only when equal: 뭐야 and 뭐해 differ by one syllable."""


REMEMBERED = 200
"""Letters of the longest text whose cleaned form is kept: strangers may send longer ones."""


def clean(text: str | None) -> str | None:
    r"""Composed Hangul (NFC), no marks or invisible signs, single spaces; None for nothing left.

    >>> clean("\ufeff정말\xa0 마음이  아프다 ")
    '정말 마음이 아프다'
    >>> clean(" \t") is None
    True
    """
    if text is None:
        return None
    return _cleaned_before(text) if len(text) <= REMEMBERED else _cleaned(text)


def _cleaned(text: str) -> str | None:
    visible = _INVISIBLE.sub("", unicodedata.normalize("NFC", text))
    return _SPACES.sub(" ", visible).strip() or None


_cleaned_before = lru_cache(maxsize=65_536)(_cleaned)  # sentences recur, and fields of labels more


def skeleton(text: str) -> str:
    """The letters and digits alone, lower case: what stays when spacing and punctuation go.

    A text of signs only ("?!") is its own skeleton.

    >>> skeleton("경치 좋고, 음식도 맛있고!")
    '경치좋고음식도맛있고'
    """
    folded = unicodedata.normalize("NFKC", text).casefold()
    letters = "".join(sign for sign in folded if sign.isalnum())
    return letters or folded


def script_ids(texts: Sequence[str | None]) -> list[str | None]:
    """One identity per sentence; equal for spellings at most one syllable apart.

    Args:
        texts: transcripts, None where there is none.

    Returns:
        For each text 12 hexadecimal digits of a hash of the commonest spelling of its script, so
        that the same sentence gets the same identity in another corpus; None for None.

    >>> a, b, c = script_ids(["니가 있어서 정말 기뻐", "네가 있어서 정말 기뻐!", "뭐?"])
    >>> a == b, a == c
    (True, False)
    """
    bare = {text: skeleton(text) for text in set(texts) if text is not None}
    skeletons = [None if text is None else bare[text] for text in texts]
    counts = Counter(entry for entry in skeletons if entry is not None)
    identity = {
        member: _digest(_commonest(cluster, counts))
        for cluster in near_duplicates(counts)
        for member in cluster
    }
    return [None if entry is None else identity[entry] for entry in skeletons]


def near_duplicates(skeletons: Iterable[str]) -> list[list[str]]:
    """Group skeletons that are linked by steps of one syllable changed, added or left out.

    A digit is no syllable: 3시 and 4시 are said differently. Two strings are one such step apart
    only if they, or they with one sign deleted, share a form; so every string is filed under itself
    and its one-deletion forms, in time linear in the number of strings.
    """
    groups, entries = _Groups(), sorted(set(skeletons))
    for entry in entries:
        groups.add(entry)
    long = [entry for entry in entries if len(entry) >= MIN_NEAR_SYLLABLES]
    for one, other in _pairs_that_share_a_form(long):
        if at_most_one_edit(one, other) and _digits(one) == _digits(other):
            groups.join(one, other)
    return groups.members()


def _pairs_that_share_a_form(entries: Sequence[str]) -> Iterator[tuple[str, str]]:
    """Those, and a few that share a hash only; one pair may come several times.

    Hashes take 16 bytes a form. A dictionary of the forms took six thousand a sentence.
    """
    hashes, owners = array("q"), array("q")
    for place, entry in enumerate(entries):
        forms = _one_deletion_forms(entry)
        hashes.extend(map(hash, forms))
        owners.extend([place] * len(forms))
    order = np.argsort(np.frombuffer(hashes, np.int64), kind="stable")
    equal = np.diff(np.frombuffer(hashes, np.int64)[order]) == 0
    edges = np.flatnonzero(np.diff(equal, prepend=False, append=False))
    for begin, end in edges.reshape(-1, 2):  # a run of equal hashes, its last one after `end`
        homes = np.frombuffer(owners, np.int64)[order[begin : end + 1]]
        for one, other in combinations(homes, 2):
            yield entries[one], entries[other]


def _digits(text: str) -> str:
    return "".join(sign for sign in text if sign.isdigit())


def _one_deletion_forms(text: str) -> set[str]:
    return {text, *(text[:place] + text[place + 1 :] for place in range(len(text)))}


def at_most_one_edit(one: str, other: str) -> bool:
    """Whether one substitution, insertion or deletion at most turns one string into the other.

    >>> at_most_one_edit("경치좋고", "경치도좋고"), at_most_one_edit("abcd", "abdc")
    (True, False)
    """
    short, long = sorted((one, other), key=len)
    if len(long) - len(short) > 1:
        return False
    start = next((i for i, (a, b) in enumerate(zip(short, long, strict=False)) if a != b), None)
    if start is None:
        return True
    rest_of_short = short[start + 1 :] if len(short) == len(long) else short[start:]
    return rest_of_short == long[start + 1 :]


def _commonest(cluster: Sequence[str], counts: Counter[str]) -> str:
    return min(cluster, key=lambda entry: (-counts[entry], entry))


def _digest(text: str) -> str:
    return blake2b(text.encode(), digest_size=6).hexdigest()


class _Groups:
    """Disjoint groups of strings, joined two at a time."""

    def __init__(self) -> None:
        self._parent: dict[str, str] = {}

    def add(self, entry: str) -> None:
        self._parent.setdefault(entry, entry)

    def _root(self, entry: str) -> str:
        while self._parent[entry] != entry:
            self._parent[entry] = self._parent[self._parent[entry]]
            entry = self._parent[entry]
        return entry

    def join(self, one: str, other: str) -> None:
        self._parent[self._root(one)] = self._root(other)

    def members(self) -> list[list[str]]:
        groups: dict[str, list[str]] = defaultdict(list)
        for entry in self._parent:
            groups[self._root(entry)].append(entry)
        return list(groups.values())
