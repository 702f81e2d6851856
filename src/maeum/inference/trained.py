"""A trained network with its encoders, computed by torch."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from maeum.encoders import Computed, Reading, Tunable, kept_at, speech_encoders, text_encoders
from maeum.engine import Engine
from maeum.errors import RunError, SettingsError
from maeum.features import Features
from maeum.files import files_written_aside
from maeum.inference.classifier import Classifier
from maeum.inference.exported import is_exported
from maeum.inference.fetching import foreign_model, local_folder
from maeum.inference.inputs import network_inputs
from maeum.inference.loading import network_in
from maeum.inference.makeup import Makeup
from maeum.model import Network
from maeum.model.saving import save_network, writing_below

_FIND: dict[str, Callable[..., tuple[Any, ...]]] = {
    "speech": speech_encoders,
    "text": text_encoders,
}


class EmotionClassifier(Classifier):
    """Answers for recordings, texts, or both.

    >>> model = EmotionClassifier.from_pretrained("runs/first")     # doctest: +SKIP
    >>> model("take3.wav", text="정말 마음이 아프다").emotion          # doctest: +SKIP
    'Sad'

    Attributes:
        network: equations (1) to (4).
        emotions: what it tells apart, in class order.
    """

    def __init__(
        self, network: Network, encoders: Mapping[str, tuple[Any, ...]] | None = None
    ) -> None:
        """A network with its encoders.

        Args:
            network: trained.
            encoders: side -> what it was trained with; None: found by what its cards say.
        """
        self.network = network.eval()
        super().__init__(Makeup.of(network.config))
        self._folder = Path()
        self._given = encoders
        self._engine: Engine | None = None
        self._hastened = True

    @classmethod
    def from_pretrained(
        cls, name: str | Path, *, engine: Engine | None = None, hastened: bool = True
    ) -> EmotionClassifier:
        """The classifier in a run folder, or of that name on the model hub.

        Only safetensors are read and no code is run.

        Args:
            name: of the folder, or on the hub.
            engine: that computes pretrained encoders; None: the one it was trained with.
            hastened: False: they compute in float32 as torch does, and can be converted.

        Raises:
            RunError: the folder holds no finished run, or the name cannot be fetched.
        """
        folder = local_folder(str(name))
        if is_exported(folder):
            raise RunError(
                f"{name} is an exported run, without weights to train or export; name the run it "
                "was made of"
            )
        if foreign := foreign_model(folder):
            raise RunError(
                f"{name} holds another model ({foreign}), none that maeum trained; name a run, or "
                "ask it with `maeum predict` if it classifies recordings"
            )
        classifier = cls(network_in(folder, str(name)))
        classifier._engine, classifier._hastened = engine, hastened
        classifier._folder = folder.absolute()  # encoders are read when they are first needed
        return classifier

    def save_pretrained(self, folder: str | Path) -> None:
        """Write `config.json`, `model.safetensors` and tuned encoders, each whole or not at all."""
        folder = Path(folder)
        with writing_below(folder):
            for kept, encoder in self._kept_encoders():
                encoder.save(folder / kept)
            with files_written_aside(folder) as aside:
                save_network(self.network, aside)

    def set_temperatures(self, temperatures: Mapping[str, float]) -> None:
        """Answer at these temperatures from now on; `save_pretrained` keeps them.

        Args:
            temperatures: what an answer rests on (`speech`, `text`, `both`) -> temperature; 1
                where none stands.

        Raises:
            RunError: one of them cannot be used.
        """
        self.makeup = replace(self.makeup, temperatures=dict(temperatures))
        self.network.config.temperatures = dict(temperatures)

    def _kept_encoders(self) -> Iterator[tuple[str, Tunable]]:
        """Where below the run encoders trained with the network are kept, and they themselves.

        The place is not read off the card: that of a stranger's run could lead anywhere.
        """
        for side in self.network.inputs:
            pairs = zip(self._cards(side), getattr(self, side), strict=True)
            for place, (card, encoder) in enumerate(pairs):
                if "kept" in card:
                    yield kept_at(side, place), encoder

    def encoder_names(self, side: str) -> list[str]:
        """What the encoders of a side go by; of those that were tuned, the folders they lie in."""
        return [
            str(self._folder / kept_at(side, place)) if "kept" in card else card["name"]
            for place, card in enumerate(self._cards(side))
        ]

    def _encoders(self, side: str) -> tuple[Any, ...]:
        if self._given is not None:
            return self._given.get(side, ())
        found: list[Any] = []
        for card, name in zip(self._cards(side), self.encoder_names(side), strict=True):
            engine = (self._engine or _engine(card)) if self._hastened else None
            found += (_same(one, card) for one in _FIND[side](name, _reading(card), engine))
        return tuple(found)

    def _cards(self, side: str) -> Sequence[Mapping[str, Any]]:
        return self.makeup.cards.get(side, ())

    def _chances(self, features: Features, places: NDArray[np.int64]) -> NDArray[np.float32]:
        inputs = network_inputs(features, self.network, places)
        return self.network.probabilities(**inputs).numpy()

    @property
    def usual_spread(self) -> NDArray[np.float32]:
        """(width,) spread of the speech vectors within a voice, where voices are compared."""
        return self.network.side("speech").usual_spread.numpy()


def _reading(card: Mapping[str, Any]) -> Reading:
    """How the encoder of a card was read.

    Raises:
        RunError: the card does not say.
    """
    try:
        return Reading(**card["reading"])
    except (KeyError, TypeError) as error:
        raise RunError(
            f"the run does not say how {card['name']} was read ({error}); train it again"
        ) from error


def _same(encoder: Any, card: Mapping[str, Any]) -> Any:  # noqa: ANN401 - either kind
    """The encoder, if it still gives the vectors the run was trained on."""
    if "kept" in card:
        return encoder
    version = encoder.version
    if isinstance(encoder, Computed):  # it may answer now with another engine
        version = _engine(card).version_of(encoder.exact_version)
    if (version, encoder.dim) != (card["version"], card["dim"]):
        raise RunError(
            f"the run was trained with {card['name']} version {card['version']}, "
            f"this is version {version}; train it again, or give it the encoder it knows"
        )
    return encoder


def _engine(card: Mapping[str, Any]) -> Engine:
    """What made the vectors that the run was trained on.

    Raises:
        RunError: the card names an engine that there is not.
    """
    try:
        return Engine(**card.get("engine", {}))
    except (TypeError, KeyError, SettingsError) as error:
        raise RunError(f"the run was trained with an unknown engine: {error}") from error
