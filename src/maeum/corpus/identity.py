"""Who is who, without saying it: hashes of utterances, speakers and sentences.

Equal things have equal hashes in every corpus, so two people can compare what they hold, and a
run can say later what it was trained on. Nobody can read a sentence out of them, but who guesses a
sentence or a name can look whether it is there.
"""

from __future__ import annotations

from collections.abc import Iterable
from hashlib import blake2b

import polars as pl

KINDS = ("utterance", "speaker", "script")
"""What is hashed; an utterance by its content, a speaker by name, a sentence by its script."""

_CONTENT = ("id", "audio", "text", "duration_s")


def hashed(utterances: pl.DataFrame) -> pl.DataFrame:
    """Columns utterance, speaker, script: 16 hexadecimal digits each, null where unknown."""
    content = pl.concat_str(pl.col(_CONTENT).cast(pl.String).fill_null(""), separator="\x1f")
    plain = utterances.select(content.alias("utterance"), "speaker", "script")
    return plain.with_columns(hash_column(plain[name]) for name in KINDS)


def hashed_names(names: Iterable[str]) -> dict[str, str]:
    """The hash of each name, as `hashed` has it.

    >>> hashed_names(["F01"])
    {'F01': '18a3fae2d5eb4221'}
    """
    return {name: blake2b(name.encode(), digest_size=8).hexdigest() for name in names}


def hash_column(column: pl.Series) -> pl.Series:
    """Each name of a column as 16 hexadecimal digits, equal for equal names; null stays null."""
    digests = hashed_names(column.drop_nulls().unique())
    return column.replace_strict(
        list(digests), list(digests.values()), default=None, return_dtype=pl.String
    )
