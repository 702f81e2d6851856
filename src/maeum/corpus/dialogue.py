"""Who spoke before: the previous utterances of the same dialogue."""

from __future__ import annotations

import numpy as np
import polars as pl
from numpy.typing import NDArray


def previous_turns(utterances: pl.DataFrame, count: int) -> NDArray[np.int64]:
    """The row numbers of the utterances just before each one in its dialogue.

    A dialogue goes by the column turn; where that is null or equal, by id.

    Args:
        utterances: rows of a manifest, in any order; the columns id, dialogue and turn are used.
        count: how far to look back.

    Returns:
        (utterance, count) row numbers, nearest last; -1 where there is none.

    >>> table = pl.DataFrame({"id": ["a", "b", "c"], "dialogue": ["x"] * 3, "turn": [2, 1, 3]})
    >>> previous_turns(table, 2).tolist()
    [[-1, 1], [-1, -1], [1, 0]]
    """
    told = _in_order_of_telling(utterances)
    rows, dialogues = told["row"].to_numpy(), told["dialogue"].rle_id().to_numpy()
    found = np.full((len(utterances), count), -1, dtype=np.int64)
    for back in range(1, count + 1):
        same = dialogues[back:] == dialogues[:-back]
        found[rows[back:][same], count - back] = rows[:-back][same]
    return found


def _in_order_of_telling(utterances: pl.DataFrame) -> pl.DataFrame:
    numbered = utterances.select("id", "dialogue", "turn").with_row_index("row")
    return numbered.drop_nulls("dialogue").sort("dialogue", "turn", "id", nulls_last=True)
