"""What is computed together: items of similar length, so that little is padding."""

from __future__ import annotations

from collections.abc import Iterator, Sequence


def by_length(lengths: Sequence[int], most: int) -> Iterator[list[int]]:
    """Places of what is computed together: of similar length, padded to `most` in all.

    Args:
        lengths: (item,) of clips in samples, of sentences in tokens.
        most: of a batch with its padding; an item longer than that is alone.

    >>> list(by_length([4, 1, 2, 9], most=6))
    [[1, 2], [0], [3]]
    """
    together: list[int] = []
    for place in sorted(range(len(lengths)), key=lambda place: lengths[place]):
        if together and (len(together) + 1) * lengths[place] > most:
            yield together
            together = []
        together.append(place)
    if together:
        yield together
