"""How many work beside each other."""

from __future__ import annotations

from maeum.ahead import ahead, workers


def test_what_is_made_ahead_comes_in_order_and_never_far_ahead():
    begun: list[int] = []
    with workers(2) as pool:
        for number in ahead(pool, lambda item: begun.append(item) or item, range(20), 3):
            assert len(begun) <= number + 3
            assert begun.count(number) == 1
    assert sorted(begun) == list(range(20))
