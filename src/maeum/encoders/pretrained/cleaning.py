"""Cleaning of sentences for models that learnt from comments on news, cleaned in one way.

KcBERT and KcELECTRA (Beomi) know letters, Hangul, usual signs and emoji, and no long laughter; what
else a sentence has would reach them as [UNK].
"""

from __future__ import annotations

import json
import re
import unicodedata
from collections.abc import Callable, Sequence
from functools import cache
from pathlib import Path
from typing import Literal

from maeum.errors import TextError

Cleaning = Literal["none", "comments"]

KEY = "maeum_cleaning"
"""In the `config.json` of a model that maeum saved: the cleaning it is used with."""

_RAISED_ON_COMMENTS = re.compile(r"kc-?(electra|bert)", re.IGNORECASE)
_URL = re.compile(r"https?://[\w@:%.+~#=?&/()-]+", re.ASCII)
_REPEATED = re.compile(r"(\w)\1{3,}")
_SPACES = re.compile(r"\s+")


def clean_comment(text: str) -> str:
    """A sentence as the authors of KcELECTRA recommend, so that less of it is [UNK].

    Signs other than ASCII, Hangul, a few marks and emoji become spaces, addresses of pages go, and
    of a sign that stands four times or more two stay. Digits too: the models were raised so.

    Returns:
        The sentence; as it came where nothing would be left of it.

    >>> clean_comment("아 진짜ㅋㅋㅋㅋㅋ 웃겨… 😂 https://example.com/a?b=1 봐")
    '아 진짜ㅋㅋ 웃겨 😂 봐'
    >>> clean_comment("…")
    '…'
    """
    without = _URL.sub("", _strange().sub(" ", text))
    return _SPACES.sub(" ", _REPEATED.sub(r"\1\1", without)).strip() or text


CLEANINGS: dict[Cleaning, Callable[[str], str]] = {"none": str, "comments": clean_comment}


def cleaned(sentences: Sequence[str], cleaning: Cleaning) -> list[str]:
    """Sentences with composed Hangul, cleaned.

    Raises:
        TextError: a sentence is empty or of spaces only.
    """
    for sentence in sentences:
        if not sentence.strip():
            raise TextError(f"the text {sentence!r} is empty; expected at least one letter")
    clean = CLEANINGS[cleaning]
    return [clean(unicodedata.normalize("NFC", sentence)) for sentence in sentences]


def cleaning_for(name: str, folder: Path) -> Cleaning:
    """How sentences are cleaned for a model.

    Its `config.json` says so where maeum saved it. Otherwise it goes by names: as typed, of the
    folder, or of the model it was made from, as transformers notes it in `config.json`.

    Args:
        name: as typed.
        folder: of the model.
    """
    stated = json.loads((folder / "config.json").read_text(encoding="utf-8"))
    if stated.get(KEY) in CLEANINGS:
        cleaning: Cleaning = stated[KEY]
        return cleaning
    origin = stated.get("_name_or_path") or ""
    names = (Path(name).name, folder.name, _cached_name(folder), Path(origin).name)
    return "comments" if any(map(_RAISED_ON_COMMENTS.search, names)) else "none"


def _cached_name(folder: Path) -> str:
    """The model's name in the cache of the hub, `models--author--name/snapshots/commit`."""
    return folder.parent.parent.name if folder.parent.name == "snapshots" else ""


@cache
def _strange() -> re.Pattern[str]:
    """Runs of signs that such models never saw."""
    import emoji

    signs = "".join(sorted({sign for one in emoji.EMOJI_DATA for sign in one}))
    return re.compile(rf"[^\x00-\x7Fㄱ-ㅣ가-힣％·∼{re.escape(signs)}]+")
