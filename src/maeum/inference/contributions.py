"""How much each side contributed to an answer, found by leaving it out."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from maeum.features import Features

Chances = NDArray[np.float32]

OTHER = {"speech": "text", "text": "speech"}


def contributions(
    features: Features, chances: Chances, ask: Callable[[Features], Chances]
) -> dict[int, dict[str, float]]:
    """Place of each utterance that has both sides -> side -> what it contributed.

    That is the probability of the likeliest emotion, minus what the same network gives it without
    the side. The network is asked again and encoders are not.

    Args:
        features: as the network takes them.
        chances: (utterance, emotion), what it answered to them.
        ask: gives its probabilities for features.
    """
    (places,) = np.nonzero(features.present("speech") & features.present("text"))
    both = features.take([features.ids[place] for place in places])
    best = chances[places].argmax(axis=1)[:, None]

    def of_the_likeliest(rows: Chances) -> NDArray[np.float64]:
        return np.take_along_axis(rows, best, axis=1)[:, 0].astype(np.float64)

    found = of_the_likeliest(chances[places])
    lost = {side: found - of_the_likeliest(ask(both.only(OTHER[side]))) for side in OTHER}
    return {
        int(place): {side: float(lost[side][row]) for side in OTHER}
        for row, place in enumerate(places)
    }
