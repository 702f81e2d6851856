"""The encoders of a run: which there are, and which of them learn."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any, cast

from maeum.config import Settings
from maeum.corpus import Corpus
from maeum.encoders import (
    Computed,
    Encoder,
    Reading,
    SpeechEncoder,
    Standardize,
    TextEncoder,
    Tunable,
    card,
    findable,
    kept_at,
    speech_encoders,
    text_encoders,
    tower_key,
)
from maeum.errors import SettingsError
from maeum.features import Features, extract, recipe


@dataclass(frozen=True)
class Spent:
    """What a network must know of an encoder whose work is done; see `Encoder`."""

    name: str
    version: str
    standardize: Standardize
    cheap: bool
    threaded: bool
    dim: int
    layers: int
    at_once: int

    @classmethod
    def of(cls, encoder: Encoder) -> Spent:
        """The card of an encoder that can be let go."""
        return cls(**{name: getattr(encoder, name) for name in cls.__dataclass_fields__})


@dataclass(frozen=True)
class Encoders:
    """The encoders a run uses, side by side; none for a modality it does not.

    Attributes:
        speech: of recordings, in order.
        text: of sentences, in order.
        settings: that name them.
    """

    speech: tuple[SpeechEncoder, ...]
    text: tuple[TextEncoder, ...]
    settings: Settings

    @classmethod
    def of(cls, settings: Settings) -> Encoders:
        """The encoders the settings name.

        Raises:
            EncoderError: one does not exist, or cannot be fetched or read.
            SettingsError: they are to be tuned and none is pretrained.
        """
        how = reading_of(settings), settings.answering_engine
        encoders = cls(
            speech=speech_encoders(settings.speech, *how) if settings.hears_speech else (),
            text=text_encoders(settings.text, *how) if settings.reads_text else (),
            settings=settings,
        )
        if settings.tune != "frozen" and not encoders.tuned:
            raise SettingsError(
                f"tune={settings.tune} was asked for, but built-in encoders have nothing to tune; "
                "name a pretrained one with --speech or --text, or use tune=frozen"
            )
        return encoders

    @property
    def by_side(self) -> dict[str, tuple[Encoder, ...]]:
        """Side -> its encoders, for the sides in use."""
        sides: dict[str, tuple[Encoder, ...]] = {"speech": self.speech, "text": self.text}
        return {side: encoders for side, encoders in sides.items() if encoders}

    @property
    def versions(self) -> dict[str, list[str]]:
        """Side -> the versions of its encoders, in order."""
        return {side: [one.version for one in own] for side, own in self.by_side.items()}

    @property
    def tuned(self) -> Mapping[str, Tunable]:
        """`speech-0`, … -> the encoder, for those that learn."""
        if self.settings.tune == "frozen":
            return {}
        return {
            tower_key(side, place): encoder
            for side, encoders in self.by_side.items()
            for place, encoder in enumerate(encoders)
            if isinstance(encoder, Tunable)
        }

    @property
    def fixed(self) -> Encoders:
        """Those that do not learn, whose features stay what they are."""
        learning = [id(encoder) for encoder in self.tuned.values()]
        return Encoders(
            speech=tuple(encoder for encoder in self.speech if id(encoder) not in learning),
            text=tuple(encoder for encoder in self.text if id(encoder) not in learning),
            settings=self.settings,
        )

    @property
    def spent(self) -> Encoders:
        """What networks on finished features know of them; light enough for other processes."""
        return replace(
            self,
            speech=cast(Any, tuple(map(Spent.of, self.speech))),
            text=cast(Any, tuple(map(Spent.of, self.text))),
        )

    def extract(self, corpus: Corpus, **how: Any) -> Features:  # noqa: ANN401 - of `extract`
        """Features of a corpus, before any normalisation per voice; `how` as in `extract`."""
        return extract(corpus, speech=self.speech, text=self.text, **self._how, **how)

    @property
    def recipe(self) -> frozenset[str]:
        """What decides those features; see `features.recipe`."""
        return recipe(speech=self.speech, text=self.text, **self._how)

    @property
    def _how(self) -> dict[str, Any]:
        settings = self.settings
        return {
            "equal_loudness": settings.normalize == "recording",
            "context": settings.context,
            "frames": settings.fusion == "cross" and not self.tuned,
        }

    def cards(self, side: str) -> list[dict[str, Any]]:
        """What a run keeps of the encoders of a side: enough to find and read them again."""
        reading, tuned = asdict(reading_of(self.settings)), self.tuned
        return [
            card(encoder)
            | {"name": findable(encoder.name), "reading": reading}
            | ({"engine": asdict(encoder.engine)} if isinstance(encoder, Computed) else {})
            | ({"kept": kept_at(side, place)} if tower_key(side, place) in tuned else {})
            for place, encoder in enumerate(self.by_side.get(side, ()))
        ]


def reading_of(settings: Settings) -> Reading:
    """How the settings want pretrained encoders read."""
    return Reading(settings.layers, settings.cut_s, settings.max_tokens)
