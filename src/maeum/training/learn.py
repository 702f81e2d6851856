"""A network for some utterances: built, standardised, trained."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import polars as pl
import torch
from numpy.typing import NDArray
from transformers import set_seed

from maeum.config import Settings
from maeum.corpus import Corpus
from maeum.corpus.sampling import Sample, sample
from maeum.emotions import EmotionSet
from maeum.encoders.pretrained.tuning import Tuning, make_tunable
from maeum.errors import CorpusError, EncoderError, SettingsError
from maeum.evaluation.calibration import temperatures
from maeum.features import Features
from maeum.features.extract import REFUSED
from maeum.features.normalize import usual_spread_in, with_known_voices
from maeum.inference import EmotionClassifier
from maeum.model import EmotionNetwork, Network, NetworkConfig
from maeum.model.whole import WholeNetwork
from maeum.training import processes
from maeum.training.batches import ClipDataset, FeatureDataset
from maeum.training.clips import Clips, usable_recordings
from maeum.training.encoders import Encoders
from maeum.training.fit import History, Lesson, fit
from maeum.training.memory import tell_need
from maeum.training.precision import say_precision

logger = logging.getLogger(__name__)

FIRST_LOOK = 256
"""Utterances that say how the vectors of an encoder are spread before it is tuned."""


@dataclass(frozen=True)
class Material:
    """A corpus with its features and the settings: what one or many networks learn from.

    Attributes:
        corpus: utterances and emotions.
        features: of all of them by the encoders that do not learn, before any normalisation per
            voice.
        settings: of the run.
        encoders: that made the features; None where some are tuned: each network then has its own.
        start: a network whose weights are taken over where they fit.
        versions: side -> of its encoders, before they learn.
    """

    corpus: Corpus
    features: Features
    settings: Settings
    versions: Mapping[str, Sequence[str]]
    encoders: Encoders | None = None
    start: Network | None = None

    @classmethod
    def gather(
        cls,
        corpus: Corpus,
        settings: Settings,
        features: Features | None = None,
        start: Network | None = None,
    ) -> Material:
        """Encode the corpus, unless features are given, and leave out what cannot be used.

        Raises:
            CorpusError: nothing can be used.
            SettingsError: the normalisation does not fit the corpus, or the features given were
                made otherwise.
        """
        encoders = Encoders.of(settings)
        with processes.first_before_others():
            features = _fixed_features(corpus, encoders.fixed, features)
        features = _with_who_has_what(features, corpus, encoders).only(settings.modality)
        usable = pl.Series(features.usable)
        if not usable.any():
            raise CorpusError(_nothing_usable(settings, features))
        if settings.normalize == "speaker" and settings.hears_speech:
            refuse_flat_voices(corpus.select(pl.Series(features.present("speech"))))
        kept = corpus.select(usable)
        return cls(
            corpus=kept,
            features=features.take(list(kept.utterances["id"])),
            settings=settings,
            versions=encoders.versions,
            encoders=None if encoders.tuned else encoders,
            start=start,
        )

    @property
    def apart(self) -> Material:
        """The same without the weights of encoders whose work is done."""
        return replace(self, encoders=self.encoders.spent if self.encoders else None)

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
        set_seed(self.settings.seed)
        encoders = self.encoders or Encoders.of(self.settings)
        if encoders.tuned:
            return self._tune(encoders, train, validation, checkpoints)
        features = self._normalized(train)
        network = self._network(encoders, features.take(train), self._labels(train))
        if self._by_voice:
            network.side("speech").usual_spread.copy_(torch.from_numpy(self._spread(train)))

        def dataset(ids: Sequence[str]) -> FeatureDataset:
            return FeatureDataset(features.take(ids).apart(), self._labels(ids), network)

        lesson = Lesson(dataset(train), dataset(validation) if validation else None, checkpoints)
        history = fit(network, lesson, self.settings)
        return EmotionClassifier(network, encoders.by_side), history

    def _tune(
        self,
        encoders: Encoders,
        train: Sequence[str],
        validation: Sequence[str],
        checkpoints: Path | None,
    ) -> tuple[EmotionClassifier, History]:
        """Train encoders and network together; the network starts standardised to the encoders."""
        first = self._corpus_of(_some(train, self.settings.seed))
        seen = encoders.extract(first, store=None).only(self.settings.modality)
        _refuse_deaf_encoders(seen, self.features.take(seen.ids), encoders)
        network = self._network(encoders, seen, self._labels(train))
        for encoder in encoders.tuned.values():
            make_tunable(encoder.tower, _tuning(self.settings))
        whole = WholeNetwork(network, {key: one.tower for key, one in encoders.tuned.items()})
        self._tell(encoders, train)

        def dataset(ids: Sequence[str]) -> ClipDataset:
            clips = Clips(self._corpus_of(ids), self.settings.normalize == "recording")
            return ClipDataset(clips, self.features.take(ids), self._labels(ids), encoders.tuned)

        lesson = Lesson(dataset(train), dataset(validation) if validation else None, checkpoints)
        history = fit(whole, lesson, self.settings)
        return EmotionClassifier(network, encoders.by_side), history

    def _tell(self, encoders: Encoders, train: Sequence[str]) -> None:
        """Before the first step: in which precision, and with how much memory."""
        if processes.is_first():
            say_precision(self.settings)
            tell_need(encoders.tuned, Clips(self._corpus_of(train)), self.settings)

    def features_for(self, classifier: EmotionClassifier, ids: Sequence[str]) -> Features:
        """Features of some utterances as a classifier trained on this material wants them."""
        if self.settings.tune != "frozen":
            return classifier.extract(self._corpus_of(ids)).only(self.settings.modality)
        if not classifier.needs_voice:
            return self.features.take(ids).apart()
        speakers = self._speakers(self.features.ids)
        return classifier.with_known_voices(self.features, speakers).take(ids)

    def temperatures(self, classifier: EmotionClassifier, ids: Sequence[str]) -> dict[str, float]:
        """At which the truth of some utterances, which it did not learn from, is likeliest."""
        return temperatures(classifier, self.features_for(classifier, ids), self._labels(ids))

    @property
    def lasting_features(self) -> Features | None:
        """The features, if they are those of the trained network; None where encoders changed."""
        return self.features if self.settings.tune == "frozen" else None

    @property
    def _by_voice(self) -> bool:
        return self.settings.normalize == "speaker" and self.settings.hears_speech

    def _corpus_of(self, ids: Sequence[str]) -> Corpus:
        """The utterances of some ids, in the order given."""
        order = pl.DataFrame({"id": list(ids)})
        rows = order.join(self.corpus.utterances, on="id", how="left", maintain_order="left")
        return self.corpus.with_utterances(rows.select(self.corpus.utterances.columns))

    def _speakers(self, ids: Sequence[str]) -> list[str | None]:
        by_id = dict(self.corpus.utterances.select("id", "speaker").iter_rows())
        return [by_id[name] for name in ids]

    def _labels(self, ids: Sequence[str]) -> list[int]:
        by_id = dict(zip(self.corpus.utterances["id"], self.corpus.labels, strict=True))
        return [by_id[name] for name in ids]

    def _spread(self, train: Sequence[str]) -> np.ndarray:
        """Spread within a voice, from the training part."""
        return usual_spread_in(self.features.take(train), self._speakers(train))

    def _normalized(self, train: Sequence[str]) -> Features:
        if not self._by_voice:
            return self.features
        speakers = self._speakers(self.features.ids)
        return with_known_voices(self.features, speakers, self._spread(train))

    def _network(
        self, encoders: Encoders, features: Features, labels: Sequence[int]
    ) -> EmotionNetwork:
        """A fresh network, standardised like the features; or begun where another one ended."""
        network = EmotionNetwork(self._config(encoders, labels))
        for side in encoders.by_side:
            table = features.tables[side]
            chosen = np.zeros(len(table), dtype=bool)
            chosen[features.rows[features.present(side)]] = True
            network.side(side).standardize_like(table, chosen)
        if self.start is not None:
            _warn_of_nothing(network.start_from(self.start))
        return network

    def _config(self, encoders: Encoders, labels: Sequence[int]) -> NetworkConfig:
        settings, emotions = self.settings, self.corpus.emotions
        return NetworkConfig(
            emotions=emotions.to_dict(),
            speech=encoders.cards("speech"),
            text=encoders.cards("text"),
            hidden_size=settings.hidden_size,
            dropout=settings.dropout,
            modality_dropout=settings.modality_dropout,
            class_weights=class_weights(labels, emotions, settings),
            label_smoothing=settings.label_smoothing,
            normalize=settings.normalize,
            fusion=settings.fusion,
            context=settings.context,
        )


def _fixed_features(corpus: Corpus, fixed: Encoders, given: Features | None) -> Features:
    """Features by the encoders that do not learn and by no others, of the corpus in its order.

    Raises:
        SettingsError: the features given were made otherwise.
        CorpusError: they are of another corpus.
    """
    if given is None:
        return fixed.extract(corpus)
    if not fixed.recipe <= given.made_by:
        raise SettingsError(
            f"the features given were made by {sorted(given.made_by)}; "
            f"these settings need {sorted(fixed.recipe)}"
        )
    taken = given.take(list(corpus.utterances["id"]))
    return replace(
        taken,
        tables={side: taken.tables[side] for side in fixed.by_side},
        has={side: taken.has[side] for side in fixed.by_side},
    )


def _with_who_has_what(features: Features, corpus: Corpus, encoders: Encoders) -> Features:
    """The features, which also say who has a side that only learning encoders hear or read.

    Processes that train together have to agree: a file one of them cannot open would leave it with
    fewer steps than the others, and them waiting.
    """
    has, failures = processes.as_first_finds(lambda: (dict(features.has), dict(features.failures)))
    if encoders.speech and "speech" not in has:
        heard, unheard = processes.as_first_finds(
            lambda: usable_recordings(corpus, encoders.speech[0].rate_hz)
        )
        has["speech"], failures = _by_row(features, heard), failures | unheard
        if unheard:
            first = next(iter(unheard.values()))
            logger.warning(REFUSED["speech"], len(unheard), len(corpus), first)
    if encoders.text and "text" not in has:
        has["text"] = _by_row(features, corpus.utterances["text"].is_not_null().to_numpy())
    return replace(features, has=has, failures=failures)


def _by_row(features: Features, there: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """(utterance,) -> (row,), False in rows of no utterance."""
    by_row = np.zeros(features.rows.max(initial=-1) + 1, dtype=bool)
    by_row[features.rows] = there
    return by_row


def _some(ids: Sequence[str], seed: int) -> list[str]:
    """Up to `FIRST_LOOK` of the ids, drawn evenly."""
    drawn = np.random.default_rng(seed).permutation(len(ids))[:FIRST_LOOK]
    return [ids[place] for place in np.sort(drawn)]


def _tuning(settings: Settings) -> Tuning:
    assert settings.tune != "frozen"  # noqa: S101 - for the type checker
    return Tuning(
        how=settings.tune,
        rank=settings.lora_rank,
        convolutions=settings.tune_convolutions,
        noise=settings.encoder_noise,
        gradient_checkpointing=settings.gradient_checkpointing,
    )


def training_rows(rows: pl.DataFrame, settings: Settings) -> pl.DataFrame:
    """The utterances of a training part the settings ask for.

    Raises:
        SamplingError: fewer exist than asked for.
        CorpusError: fewer than two emotions are left.
    """
    taken = sample(rows, _wanted(settings), rng=np.random.default_rng(settings.seed))
    if taken["emotion"].n_unique() < 2:
        raise CorpusError(
            f"the training part has {len(taken)} usable utterance(s) of fewer than two emotions; "
            "a classifier needs at least two"
        )
    return taken


def refuse_too_few(rows: pl.DataFrame, settings: Settings) -> None:
    """Before anything is encoded: whether a training part has what is asked for, as listed.

    Recordings that cannot be heard are found out later.

    Raises:
        SamplingError: fewer exist than asked for.
    """
    wanted = _wanted(settings)
    asked = wanted.per_emotion is not None or wanted.total is not None
    sides = {"audio": settings.hears_speech, "text": settings.reads_text}
    columns = [column for column, used in sides.items() if used]
    listed = rows.filter(pl.any_horizontal(pl.col(columns).is_not_null()))
    if asked and len(listed):
        sample(listed, wanted, rng=np.random.default_rng(settings.seed))


def _wanted(settings: Settings) -> Sample:
    return Sample(
        order=settings.order,
        per_emotion=settings.per_emotion,
        total=settings.total,
        distinct_text=settings.distinct_text,
        allow_fewer=settings.allow_fewer,
    )


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


def refuse_flat_voices(corpus: Corpus) -> None:
    """A voice heard in one emotion only: its mean is that emotion, and subtracting it hides it.

    Raises:
        SettingsError: there is one.
    """
    named = corpus.utterances.drop_nulls("speaker")
    counted = named.group_by("speaker").agg(pl.col("emotion").n_unique())
    flat = sorted(str(name) for name in counted.filter(pl.col("emotion") < 2)["speaker"])
    if flat:
        raise SettingsError(
            f"normalize=speaker needs every voice in two emotions at least; {len(flat)} have one, "
            f"{flat[0]} among them: use normalize=none, or leave these speakers out"
        )


def _refuse_deaf_encoders(seen: Features, given: Features, encoders: Encoders) -> None:
    """Before encoders are tuned that make nothing of what they are given.

    Args:
        seen: features they made.
        given: of the same utterances, saying who has what.
        encoders: of the run.
    """
    for side, own in encoders.by_side.items():
        if given.present(side).any() and not seen.present(side).any():
            names = " + ".join(encoder.name for encoder in own)
            raise EncoderError(
                f"{names} makes nothing of {len(seen)} utterance(s) looked at; the first: "
                f"{next(iter(seen.failures.values()))}"
            )


def _warn_of_nothing(taken: Sequence[str]) -> None:
    if not taken:
        logger.warning(
            "no weights of the run started from fit the new network: other encoders, or other "
            "settings of theirs; it begins anew"
        )


def _nothing_usable(settings: Settings, features: Features) -> str:
    wanted = {"both": "a usable recording or text"}.get(
        settings.modality, f"usable {settings.modality}"
    )
    first = next(iter(features.failures.values()), None)
    return f"no utterance has {wanted}" + (f"; the first because {first}" if first else "")
