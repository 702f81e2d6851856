"""What an `EmotionNetwork` is made of, as transformers keeps it."""

from __future__ import annotations

from inspect import signature
from typing import Any

from transformers import PretrainedConfig

from maeum.model.shape import NetworkShape


class NetworkConfig(NetworkShape, PretrainedConfig):
    """A `NetworkShape`, saved as `config.json`.

    Args:
        shape: what `NetworkShape` takes in order.
        named: what it takes by name, and what transformers keeps in every configuration.

    Raises:
        SettingsError: the fusion is unknown or does not go with the encoders.
    """

    model_type = "maeum"

    def __init__(self, *shape: Any, **named: Any) -> None:  # noqa: ANN401 - of NetworkShape
        own = signature(NetworkShape).parameters
        NetworkShape.__init__(
            self, *shape, **{name: named.pop(name) for name in own & named.keys()}
        )
        if self.emotions:
            names = [emotion["name"] for emotion in self.emotions]
            named["id2label"] = dict(enumerate(names))
            named["label2id"] = {name: index for index, name in enumerate(names)}
        PretrainedConfig.__init__(self, **named)
