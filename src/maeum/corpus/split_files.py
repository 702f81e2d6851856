"""A split that others can repeat: a file of hashed ids that gives nothing of the corpus away.

{
 "maeum split": 1,
 "protocol": "speaker+script",
 "seed": 0,
 "fingerprint": "31ff0321afbd191a",
 "counts": {"train": 80, "validation": 10, "test": 10},
 "parts": {"train": ["00a1b2c3d4e5f607", …], …}
}

Only ids are hashed: two people keep one corpus in other folders. Who guesses an id can look whether
it is there, and reads nothing else. About 9 MB for the 453,365 utterances of AI-Hub 466.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal, Self

import polars as pl
from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    NonNegativeInt,
    ValidationError,
    model_validator,
)

from maeum.corpus.identity import hash_column
from maeum.corpus.splits import Split
from maeum.errors import SplitError
from maeum.files import write_text

FORMAT_KEY, FORMAT = "maeum split", 1
"""Raised when a reader of older files would misread a new one."""

Drawn = Literal["random", "speaker", "script", "speaker+script", "given", "none"]
"""Protocols a split can have been drawn by; `auto` became one of them."""

MOST_BYTES = 2**28
"""Larger files are not read: ten million utterances take less."""


@dataclass(frozen=True)
class SavedSplit:
    """A split as somebody wrote it down.

    Attributes:
        protocol: how it was drawn.
        seed: what fixed it.
        fingerprint: see `Split.fingerprint`.
        parts: columns hash (of the id) and part.
    """

    protocol: Drawn
    seed: int
    fingerprint: str
    parts: pl.DataFrame


def save_split(split: Split, path: Path) -> None:
    """Write the file, whole or not at all."""
    parts = _hashed(split)
    ids = {
        part: parts.filter(pl.col("part") == part)["hash"].sort().to_list() for part in split.counts
    }
    head = {
        FORMAT_KEY: FORMAT,
        "protocol": split.protocol,
        "seed": split.seed,
        "fingerprint": split.fingerprint,
        "counts": split.counts,
        "parts": ids,
    }
    write_text(path, json.dumps(head, indent=1) + "\n")


def _hashed(split: Split) -> pl.DataFrame:
    return split.parts.with_columns(hash=hash_column(split.parts["id"]))


def read_split(path: Path) -> SavedSplit:
    """The split a file of `save_split` holds.

    Raises:
        SplitError: it is missing, too large, or another file.
    """
    if not path.is_file():
        raise SplitError(f"{path} is no file; expected one of `maeum split CORPUS --save`")
    if (size := path.stat().st_size) > MOST_BYTES:
        raise SplitError(f"{path} has {size:,} bytes; a split has at most {MOST_BYTES:,}")
    try:
        content = _Content.model_validate_json(path.read_bytes())
    except ValidationError as error:
        first = error.errors(include_url=False, include_context=False, include_input=False)[0]
        where = "".join(f"{step}: " for step in first["loc"][:2])
        raise SplitError(
            f"{path} holds no whole split ({where}{first['msg']}); "
            "expected a file of `maeum split CORPUS --save`"
        ) from None
    named = [
        pl.DataFrame({"hash": ids}, schema={"hash": pl.String}).with_columns(part=pl.lit(part))
        for part, ids in content.parts.items()
    ]
    return SavedSplit(content.protocol, content.seed, content.fingerprint, pl.concat(named))


_Hash = Annotated[str, Field(pattern="^[0-9a-f]{16}$")]


class _Content(BaseModel):
    """What the file may hold."""

    model_config = ConfigDict(extra="forbid", strict=True)

    format: Literal[1] = Field(alias=FORMAT_KEY)
    protocol: Drawn
    seed: NonNegativeInt
    fingerprint: _Hash
    counts: dict[str, int]
    parts: dict[Literal["train", "validation", "test", "set aside"], list[_Hash]] = Field(
        min_length=1
    )

    @model_validator(mode="after")
    def _belongs_together(self) -> Self:
        if self.counts != {part: len(ids) for part, ids in self.parts.items()}:
            raise ValueError("the counts are not those of its parts")
        if len(set().union(*self.parts.values())) < sum(self.counts.values()):
            raise ValueError("an utterance stands in it twice")
        return self


@dataclass(frozen=True)
class Agreement:
    """Whether two people hold the same split.

    Attributes:
        here: the split of the corpus at hand.
        there: the saved one.
        only_here: ids of utterances the saved one lacks.
        only_there: how many utterances the corpus at hand lacks.
        moved: columns id, part and part_there, of utterances in another part.
    """

    here: Split
    there: SavedSplit
    only_here: Sequence[str]
    only_there: int
    moved: pl.DataFrame

    @property
    def same(self) -> bool:
        """Whether all utterances are in the same parts."""
        return not self._differences()

    def __str__(self) -> str:
        mine, theirs = (f"{own.protocol}, seed {own.seed}" for own in (self.here, self.there))
        if self.same:
            utterances = f"{len(self.here.parts):,} utterances"
            return f"the same split: {mine}, {utterances}, fingerprint {self.here.fingerprint}"
        drawn = mine if mine == theirs else f"{mine}; there {theirs}"
        return f"another split ({drawn}): {', '.join(self._differences())}"

    def _differences(self) -> list[str]:
        said = []
        if self.only_here:
            said.append(f"{len(self.only_here):,} utterances only here (as {self.only_here[0]})")
        if self.only_there:
            said.append(f"{self.only_there:,} only there")
        if len(self.moved):
            first = self.moved.row(0, named=True)
            said.append(
                f"{len(self.moved):,} in another part "
                f"(as {first['id']}: {first['part']} here, {first['part_there']} there)"
            )
        if not said and self.here.fingerprint != self.there.fingerprint:
            said.append("the file was changed: its fingerprint is not that of its parts")
        return said

    def to_dict(self) -> dict[str, object]:
        """Plain values, for JSON."""
        return {
            "same": self.same,
            "sentence": str(self),
            "only_here": len(self.only_here),
            "only_there": self.only_there,
            "in_another_part": len(self.moved),
            "here": self.here.to_dict(),
            "there": {
                "protocol": self.there.protocol,
                "seed": self.there.seed,
                "fingerprint": self.there.fingerprint,
            },
        }


def agreement(here: Split, there: SavedSplit) -> Agreement:
    """What two splits have in common, utterance by utterance."""
    mine = _hashed(here)
    both = mine.join(there.parts, on="hash", suffix="_there", maintain_order="left")
    return Agreement(
        here,
        there,
        only_here=mine.join(there.parts, on="hash", how="anti", maintain_order="left")[
            "id"
        ].to_list(),
        only_there=len(there.parts) - len(both),
        moved=both.filter(pl.col("part") != pl.col("part_there")),
    )
