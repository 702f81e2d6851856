"""A network for some utterances: built, standardised, trained."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import polars as pl
import torch
from transformers import set_seed

from maeum.config import Settings
from maeum.corpus import Corpus
from maeum.corpus.sampling import Sample, sample
from maeum.emotions import EmotionSet
from maeum.encoders import Encoder, SpeechEncoder, TextEncoder, speech_encoder, text_encoder
from maeum.errors import CorpusError, SettingsError
from maeum.features import Features, extract, recipe
from maeum.features.normalize import usual_spread, with_known_voices
from maeum.inference import EmotionClassifier
from maeum.model import EmotionNetwork, NetworkConfig
from maeum.training.batches import FeatureDataset
from maeum.training.fit import History, Lesson, fit


@dataclass(frozen=True)
class Encoders:
    """The encoders a run uses; None for a modality it does not."""

    speech: SpeechEncoder | None
    text: TextEncoder | None

    @classmethod
    def of(cls, settings: Settings) -> Encoders:
        """The encoders the settings name.

        Raises:
            EncoderError: there is none of that name.
        """
        return cls(
            speech=speech_encoder(settings.speech) if settings.hears_speech else None,
            text=text_encoder(settings.text) if settings.reads_text else None,
        )

    def extract(self, corpus: Corpus, settings: Settings) -> Features:
        """Features of a corpus, before any normalisation per voice."""
        return extract(
            corpus, speech=self.speech, text=self.text, equal_loudness=_equal_loudness(settings)
        )

    def recipe(self, settings: Settings) -> frozenset[str]:
        """What decides those features; see `features.recipe`."""
        return recipe(self.speech, self.text, equal_loudness=_equal_loudness(settings))

    @property
    def by_side(self) -> dict[str, Encoder]:
        """Side -> encoder, for the sides in use."""
        sides: dict[str, Encoder | None] = {"speech": self.speech, "text": self.text}
        return {side: encoder for side, encoder in sides.items() if encoder is not None}


def _equal_loudness(settings: Settings) -> bool:
    return settings.normalize == "recording"


@dataclass(frozen=True)
class Material:
    """A corpus with its features and the settings: what one or many networks learn from.

    Attributes:
        corpus: utterances and emotions.
        features: of all of them, before any normalisation per voice.
        encoders: that made the features.
        settings: of the run.
    """

    corpus: Corpus
    features: Features
    encoders: Encoders
    settings: Settings

    @classmethod
    def gather(
        cls, corpus: Corpus, settings: Settings, features: Features | None = None
    ) -> Material:
        """Encode the corpus, unless features are given, and leave out what cannot be used.

        Raises:
            CorpusError: nothing can be used.
            SettingsError: the normalisation does not fit the corpus, or the features given were
                made otherwise.
        """
        encoders = Encoders.of(settings)
        if features is None:
            features = encoders.extract(corpus, settings)
        elif not encoders.recipe(settings) <= features.made_by:
            raise SettingsError(
                f"the features given were made by {sorted(features.made_by)}; "
                f"these settings need {sorted(encoders.recipe(settings))}"
            )
        features = features.take(list(corpus.utterances["id"])).only(settings.modality)
        usable = pl.Series(features.usable)
        if not usable.any():
            raise CorpusError(_nothing_usable(settings, features))
        if settings.normalize == "speaker" and settings.hears_speech:
            _refuse_flat_voices(corpus.select(pl.Series(features.has_speech)))
        kept = corpus.select(usable)
        return cls(kept, features.take(list(kept.utterances["id"])), encoders, settings)

    def learn(
        self,
        train: Sequence[str],
        validation: Sequence[str] = (),
        *,
        checkpoints: Path | None = None,
    ) -> tuple[EmotionClassifier, History]:
        """Train a network on some utterances.

        Args:
            train: their ids.
            validation: ids looked at while training.
            checkpoints: folder to resume from.
        """
        features = self._normalized(train)
        network = self._network(features.take(train), self._labels(train))
        if self._by_voice:
            network.side("speech").usual_spread.copy_(torch.from_numpy(self._spread(train)))
        lesson = Lesson(
            train=self._dataset(features, train),
            validation=self._dataset(features, validation) if validation else None,
            checkpoints=checkpoints,
        )
        history = fit(network, lesson, self.settings)
        return EmotionClassifier(network), history

    def ready_for(self, classifier: EmotionClassifier) -> Features:
        """The features as a classifier trained on them wants them."""
        if not classifier.needs_voice:
            return self.features
        return classifier.with_known_voices(self.features, self._speakers(self.features.ids))

    @property
    def _by_voice(self) -> bool:
        return self.settings.normalize == "speaker" and self.settings.hears_speech

    def _speakers(self, ids: Sequence[str]) -> list[str | None]:
        by_id = dict(self.corpus.utterances.select("id", "speaker").iter_rows())
        return [by_id[name] for name in ids]

    def _labels(self, ids: Sequence[str]) -> list[int]:
        by_id = dict(zip(self.corpus.utterances["id"], self.corpus.labels, strict=True))
        return [by_id[name] for name in ids]

    def _spread(self, train: Sequence[str]) -> np.ndarray:
        """Spread within a voice, from the training part."""
        own = self.features.take(train)
        heard = np.flatnonzero(own.has_speech)
        speakers = self._speakers(train)
        assert own.speech is not None  # noqa: S101 - for the type checker
        return usual_spread(own.speech[heard], [str(speakers[row]) for row in heard])

    def _normalized(self, train: Sequence[str]) -> Features:
        if not self._by_voice:
            return self.features
        speakers = self._speakers(self.features.ids)
        return with_known_voices(self.features, speakers, self._spread(train))

    def _dataset(self, features: Features, ids: Sequence[str]) -> FeatureDataset:
        return FeatureDataset(features.take(ids), self._labels(ids), list(self.encoders.by_side))

    def _network(self, features: Features, labels: Sequence[int]) -> EmotionNetwork:
        """A fresh network, standardised like the training features."""
        set_seed(self.settings.seed)
        network = EmotionNetwork(self._config(labels))
        for side, encoder in self.encoders.by_side.items():
            present = getattr(features, f"has_{side}")
            if present.any():
                values = torch.from_numpy(getattr(features, side)[present])
                network.side(side).standardize_like(values, encoder.standardize)
        return network

    def _config(self, labels: Sequence[int]) -> NetworkConfig:
        settings, emotions = self.settings, self.corpus.emotions
        cards = {
            side: {"name": encoder.name, "version": encoder.version, "dim": encoder.dim}
            for side, encoder in self.encoders.by_side.items()
        }
        return NetworkConfig(
            emotions=emotions.to_dict(),
            speech=cards.get("speech"),
            text=cards.get("text"),
            hidden_size=settings.hidden_size,
            dropout=settings.dropout,
            modality_dropout=settings.modality_dropout,
            class_weights=class_weights(labels, emotions, settings),
            label_smoothing=settings.label_smoothing,
            normalize=settings.normalize,
        )


def training_rows(rows: pl.DataFrame, settings: Settings) -> pl.DataFrame:
    """The utterances of a training part the settings ask for.

    Raises:
        SamplingError: fewer exist than asked for.
        CorpusError: fewer than two emotions are left.
    """
    wanted = Sample(
        order=settings.order,
        per_emotion=settings.per_emotion,
        total=settings.total,
        distinct_text=settings.distinct_text,
        allow_fewer=settings.allow_fewer,
    )
    taken = sample(rows, wanted, rng=np.random.default_rng(settings.seed))
    if taken["emotion"].n_unique() < 2:
        raise CorpusError(
            f"the training part has {len(taken)} usable utterance(s) of fewer than two emotions; "
            "a classifier needs at least two"
        )
    return taken


def class_weights(
    labels: Sequence[int], emotions: EmotionSet, settings: Settings
) -> list[float] | None:
    """(emotion,) weights of the loss: inverse to how often each occurs, 1 on average.

    None for equal weights; an emotion that never occurs weighs 0.
    """
    if settings.class_weights == "none":
        return None
    counts = np.bincount(labels, minlength=len(emotions))
    weights = np.where(counts > 0, len(labels) / (np.maximum(counts, 1) * (counts > 0).sum()), 0.0)
    return [float(weight) for weight in weights]


def _refuse_flat_voices(corpus: Corpus) -> None:
    """A voice heard in one emotion only: its mean is that emotion, and subtracting it hides it."""
    named = corpus.utterances.drop_nulls("speaker")
    counted = named.group_by("speaker").agg(pl.col("emotion").n_unique())
    flat = sorted(str(name) for name in counted.filter(pl.col("emotion") < 2)["speaker"])
    if flat:
        raise SettingsError(
            f"normalize=speaker needs every voice in two emotions at least; {len(flat)} have one, "
            f"{flat[0]} among them: use normalize=none, or leave these speakers out"
        )


def _nothing_usable(settings: Settings, features: Features) -> str:
    wanted = {"both": "a usable recording or text"}.get(
        settings.modality, f"usable {settings.modality}"
    )
    first = next(iter(features.failures.values()), None)
    return f"no utterance has {wanted}" + (f"; the first because {first}" if first else "")
