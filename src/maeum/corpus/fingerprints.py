"""A split as a file that carries no data: two people can see whether they hold the same one.

Ids are hashed, and nothing else of an utterance is in it: where its recording lies differs from
disk to disk, and what is said in it is nobody's business.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from hashlib import blake2b
from pathlib import Path
from typing import Any

import polars as pl

from maeum.corpus.splits import MEANING, PARTS, SET_ASIDE, Split
from maeum.errors import SplitError
from maeum.files import write_text

FORMAT = 1
MOST_BYTES = 2**28
"""Of a file; one of 453,365 utterances has a thirtieth of it."""

_DIGITS = 16


@dataclass(frozen=True)
class Fingerprint:
    """A split without its utterances.

    Attributes:
        protocol: a key of `splits.MEANING`.
        seed: what fixed it.
        parts: columns utterance (16 hexadecimal digits of a hash of the id) and part.
    """

    protocol: str
    seed: int
    parts: pl.DataFrame

    @classmethod
    def of(cls, split: Split) -> Fingerprint:
        """That of a split."""
        return cls(split.protocol, split.seed, _hashed(split.parts).select("utterance", "part"))

    @classmethod
    def load(cls, path: Path) -> Fingerprint:
        """That in a file.

        Raises:
            SplitError: it cannot be read, or is no such file.
        """
        try:
            if path.stat().st_size > MOST_BYTES:
                raise ValueError(f"it has more than {MOST_BYTES:,} bytes")
            return cls._read(json.loads(path.read_text(encoding="utf-8")))
        except (OSError, ValueError, TypeError, KeyError, AttributeError) as error:
            reason = getattr(error, "strerror", None) or str(error).splitlines()[0]
            raise SplitError(
                f"{path} is no fingerprint of a split ({reason}); `maeum split CORPUS --save FILE` "
                "writes one"
            ) from error

    @classmethod
    def _read(cls, card: dict[str, Any]) -> Fingerprint:
        if card["format"] != FORMAT or card["protocol"] not in MEANING:
            raise ValueError(f"format {card['format']!r}, protocol {card['protocol']!r}")
        entries = [
            (one, part)
            for part in (*PARTS, SET_ASIDE)
            for one in card["parts"].get(part, "").split()
        ]
        schema = {"utterance": pl.String, "part": pl.String}
        parts = pl.DataFrame(entries, schema=schema, orient="row")
        if parts["utterance"].n_unique() != len(parts) or parts.is_empty():
            raise ValueError("an utterance stands twice in it, or none does")
        return cls(card["protocol"], int(card["seed"]), parts)

    def save(self, path: Path) -> None:
        """Write it as JSON, whole or not at all."""
        by_part = self.parts.sort("utterance").group_by("part").agg("utterance")
        hashes = dict(by_part.iter_rows())
        card = {
            "format": FORMAT,
            "about": "hashed ids of the utterances in each part; `maeum split CORPUS --check FILE`",
            "protocol": self.protocol,
            "seed": self.seed,
            "utterances": {part: len(hashes[part]) for part in _order(hashes)},
            "parts": {part: " ".join(hashes[part]) for part in _order(hashes)},
        }
        write_text(path, json.dumps(card, ensure_ascii=False, indent=1) + "\n")


def _order(hashes: dict[str, list[str]]) -> list[str]:
    return [part for part in (*PARTS, SET_ASIDE) if part in hashes]


def _hashed(parts: pl.DataFrame) -> pl.DataFrame:
    """The parts of a split beside the hash of each id."""
    digests = [blake2b(name.encode(), digest_size=_DIGITS // 2).hexdigest() for name in parts["id"]]
    return parts.with_columns(utterance=pl.Series(digests, dtype=pl.String))


@dataclass(frozen=True)
class Difference:
    """How two splits differ.

    Attributes:
        utterances: in both.
        only_here: utterances the other one does not have.
        only_there: utterances this one does not have.
        moved: utterances in another part.
        example: id of one that is only here, or moved; None where there is none.
    """

    utterances: int
    only_here: int
    only_there: int
    moved: int
    example: str | None

    @property
    def same(self) -> bool:
        """Whether they do not."""
        return not (self.only_here or self.only_there or self.moved)

    def to_dict(self) -> dict[str, Any]:
        """Plain values, for JSON."""
        return {"same": self.same, **vars(self)}

    def __str__(self) -> str:
        if self.same:
            return f"the same split: all {self.utterances:,} utterances are in the same part"
        counts = {
            "only here": self.only_here,
            "only there": self.only_there,
            "in another part": self.moved,
        }
        said = ", ".join(f"{count:,} {where}" for where, count in counts.items() if count)
        example = f", e.g. {self.example}" if self.example else ""
        return f"not the same split: of {self.utterances:,} utterances in both, {said}{example}"


def difference(split: Split, other: Fingerprint) -> Difference:
    """How a split differs from one that somebody else holds."""
    here = _hashed(split.parts)
    both = here.join(other.parts, on="utterance", how="inner", suffix="_there")
    moved = both.filter(pl.col("part") != pl.col("part_there"))
    only_here = here.join(other.parts, on="utterance", how="anti")
    strangers = [*only_here["id"].sort().head(1), *moved["id"].sort().head(1)]
    return Difference(
        utterances=len(both),
        only_here=len(only_here),
        only_there=len(other.parts) - len(both),
        moved=len(moved),
        example=strangers[0] if strangers else None,
    )
