"""What is said in recordings that come without text, by a speech recogniser that others published.

recogniser = Recogniser.load("openai/whisper-small")     # or a folder; any Whisper or CTC model
predictions = classifier.predict(with_words(queries, recogniser))
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from maeum.corpus.text import clean
from maeum.errors import AudioError, EncoderError, RunError
from maeum.features.hearing import Clip, listen
from maeum.inference.prediction import Query

if TYPE_CHECKING:
    from pathlib import Path

USUAL = "openai/whisper-small"
"""On the model hub; it knows Korean among 98 other languages."""

KOREAN = "ko"

WHISPER = "whisper"
"""`model_type` of the one family read here that writes with a decoder."""

MULTILINGUAL_FROM = 51_865
"""Size of vocabulary from which a Whisper knows more than English."""

NO_SPEECH = {"no_speech_threshold": 0.6, "logprob_threshold": -1.0, "temperature": 0.0}
"""When Whisper itself says that nobody spoke; the thresholds its authors took."""

QUIET_S, SEARCHED_S = 0.2, 10.0
"""A long recording is parted in the middle of the quietest stretch of so many seconds, in the last
so many that still fit."""

_SOUGHT = (
    "a speech recogniser",
    "speech recogniser",
    "name its folder (--transcribe FOLDER), put it below $MAEUM_ENCODERS under the same name, or "
    "give the texts with --texts",
)


class Recogniser:
    """Writes down what is said in a recording.

    Attributes:
        name: as typed.
        rate_hz: sample rate expected.
        language: that is forced; None: the model knows but one, or cannot be told.
    """

    def __init__(
        self,
        name: str,
        model: Any,  # noqa: ANN401 - of transformers
        extractor: Any,  # noqa: ANN401 - of transformers
        tokenizer: Any,  # noqa: ANN401 - of transformers
        language: str | None,
    ) -> None:
        """A model that was read.

        Args:
            name: as typed.
            model: it.
            extractor: prepares waves for it.
            tokenizer: makes text of its tokens.
            language: to force.
        """
        self.name, self.language, self.rate_hz = name, language, int(extractor.sampling_rate)
        self._model, self._extractor, self._tokenizer = model, extractor, tokenizer

    @classmethod
    def load(cls, name: str = USUAL, *, language: str | None = None) -> Recogniser:
        """The recogniser of that name on the model hub, or in that folder.

        Only safetensors, or weights without code, are read; no code of its authors is run.

        Args:
            name: of a Whisper, or of a model that was trained with CTC.
            language: what a Whisper of many languages is told to expect, as `ko`; None: Korean.

        Raises:
            RunError: it cannot be found or read, is no such recogniser, or does not know the
                language.
        """
        from maeum.encoders.pretrained.places import Sought, find_model

        beside = ("generation_config.json", "normalizer.json")
        try:
            folder = find_model(name, Sought(*_SOUGHT, reads=True, beside=beside))
            model, extractor, tokenizer = _read(folder, name)
        except EncoderError as error:
            raise RunError(str(error)) from error
        told = _language_for(model, tokenizer, name, language)
        return cls(name, _hastened(model), extractor, tokenizer, told)

    def __call__(self, clip: Clip) -> str | None:
        """What is said; None where nothing is recognised.

        Raises:
            AudioError: the recording cannot be used.
            RunError: the model fails at it.
        """
        from maeum.encoders.pretrained.loading import UNREADABLE, first_line
        from maeum.encoders.pretrained.quiet import quietly

        wave = listen(clip[0], self.rate_hz, clip[1])
        try:
            with quietly():
                written = [self._written(piece) for piece in self._pieces(wave)]
        except UNREADABLE as error:
            raise RunError(
                f"{self.name} cannot write down {clip[0]} ({first_line(error)}); fetch it again, "
                "or name another recogniser"
            ) from error
        return clean(" ".join(written))

    def _pieces(self, wave: NDArray[np.float32]) -> Iterator[NDArray[np.float32]]:
        """The wave in pieces that the model hears whole: Whisper's have 30 s at most."""
        return parted(wave, getattr(self._extractor, "n_samples", len(wave)), self.rate_hz)

    def _written(self, wave: NDArray[np.float32]) -> str:
        import torch

        made = self._extractor(wave, sampling_rate=self.rate_hz, return_tensors="pt")
        inputs = {name: values.to(self._model.device) for name, values in made.items()}
        with torch.no_grad():
            if self._model.config.model_type == WHISPER:
                tokens = self._model.generate(**inputs, **self._asked())
            else:
                tokens = self._model(**inputs).logits.argmax(dim=-1)
        return str(self._tokenizer.batch_decode(tokens, skip_special_tokens=True)[0])

    def _asked(self) -> Mapping[str, Any]:
        """What a Whisper is told beside the recording."""
        told = {} if self.language is None else {"language": self.language, "task": "transcribe"}
        knows = getattr(self._model.generation_config, "no_timestamps_token_id", None) is not None
        return {**told, **(NO_SPEECH if knows else {})}


def with_words(queries: Iterable[Query], recogniser: Recogniser) -> Iterator[Query]:
    """The queries, those that have a recording alone with what is said in it.

    Where nothing is recognised, or the recording cannot be used, a query stays as it is.

    Args:
        queries: in any order, which is kept.
        recogniser: writes it down.

    Raises:
        RunError: the recogniser fails.
    """
    for query in queries:
        if query.clip is None or query.text is not None:
            yield query
            continue
        try:
            yield replace(query, text=recogniser(query.clip))
        except AudioError:  # whoever hears it says why
            yield query


def parted(wave: NDArray[np.float32], longest: int, rate_hz: int) -> Iterator[NDArray[np.float32]]:
    """A wave in pieces of `longest` samples at most, parted where it is quietest.

    >>> wave = np.ones(50, np.float32)
    >>> wave[28:32] = 0
    >>> [len(piece) for piece in parted(wave, longest=40, rate_hz=2)]
    [28, 22]
    """
    while len(wave) > longest:
        window = max(1, round(QUIET_S * rate_hz))
        start = max(0, longest - round(SEARCHED_S * rate_hz))
        energy = np.cumsum(np.square(wave[start:longest], dtype=np.float64))
        around = energy[window:] - energy[:-window]
        cut = start + int(around.argmin()) + window // 2 + 1 if len(around) else longest
        yield wave[:cut]
        wave = wave[cut:]
    yield wave


def _read(folder: Path, name: str) -> tuple[Any, Any, Any]:
    """Model, extractor and tokenizer in a folder.

    Raises:
        EncoderError: they cannot be read, or make no recogniser.
    """
    import transformers

    from maeum.encoders.pretrained.loading import UNREADABLE, first_line, read_config, read_weights
    from maeum.encoders.pretrained.quiet import quietly
    from maeum.encoders.pretrained.speech_waves import any_extractor

    config = read_config(folder)
    model_class = getattr(transformers, _class_name(config, name))
    extractor = any_extractor(folder)
    try:
        with quietly():
            tokenizer = transformers.AutoTokenizer.from_pretrained(
                str(folder), trust_remote_code=False, local_files_only=True
            )
    except UNREADABLE as error:
        raise EncoderError(
            f"{folder} has no vocabulary that can be read ({first_line(error)}); fetch it again"
        ) from error
    return read_weights(model_class, folder, config), extractor, tokenizer


def _class_name(config: Any, name: str) -> str:  # noqa: ANN401 - of transformers
    """The class of transformers that a checkpoint is of, if it writes down what is said."""
    from transformers.models.auto import modeling_auto

    waves = modeling_auto.MODEL_FOR_AUDIO_CLASSIFICATION_MAPPING_NAMES  # of wav2vec 2.0's kind
    of_ctc = modeling_auto.MODEL_FOR_CTC_MAPPING_NAMES
    by_ctc = {kind: written for kind, written in of_ctc.items() if kind in waves}
    kinds = {**by_ctc, WHISPER: "WhisperForConditionalGeneration"}
    given, expected = (
        " and ".join(config.architectures or ["nothing"]),
        kinds.get(config.model_type),
    )
    if expected is None or given != expected:
        raise EncoderError(
            f"{name} ({given}) is no speech recogniser that is read here; expected a Whisper "
            f"({kinds[WHISPER]}) or a model with CTC ({', '.join(by_ctc.values())})"
        )
    return str(expected)


def _language_for(model: Any, tokenizer: Any, name: str, asked: str | None) -> str | None:  # noqa: ANN401
    """What a model is told of the language; None where it cannot be told.

    Raises:
        RunError: another is asked for than it knows.
    """
    if not _knows_languages(model, tokenizer):
        if asked is not None:
            raise RunError(
                f"{name} cannot be told a language, and --language {asked} was asked for; leave it "
                "out, or name a Whisper of many languages"
            )
        return None
    wanted, known = asked or KOREAN, model.generation_config.lang_to_id
    if f"<|{wanted}|>" not in known:
        names = ", ".join(sorted(mark.strip("<|>") for mark in known))
        raise RunError(f"{name} does not know the language {wanted!r}; it knows {names}")
    return wanted


def _knows_languages(model: Any, tokenizer: Any) -> bool:  # noqa: ANN401 - of transformers
    """Whether a model is a Whisper of many languages; what old ones do not say is filled in."""
    if model.config.model_type != WHISPER:
        return False
    stated = model.generation_config
    if not hasattr(stated, "is_multilingual"):
        stated.is_multilingual = model.config.vocab_size >= MULTILINGUAL_FROM
    if stated.is_multilingual and not hasattr(stated, "lang_to_id"):
        from transformers.models.whisper.tokenization_whisper import LANGUAGES

        tokens = tokenizer.get_vocab()
        marks = [mark for mark in (f"<|{word}|>" for word in LANGUAGES) if mark in tokens]
        stated.lang_to_id = {mark: tokens[mark] for mark in marks}
        stated.task_to_id = {"transcribe": tokens["<|transcribe|>"]}
    return bool(stated.is_multilingual)


def _hastened(model: Any) -> Any:  # noqa: ANN401 - of transformers
    """The model where it answers fastest: on an accelerator, else what hears laid out for here."""
    import torch

    from maeum.encoders.pretrained.computing import usual_device
    from maeum.encoders.pretrained.packed import can_pack, pack

    device = usual_device()
    if device.type == "cpu" and can_pack():
        decodes = model.config.model_type == WHISPER
        pack(model.get_encoder() if decodes else model, torch.float32)
    return model.to(device)
