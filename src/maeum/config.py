"""Settings of a run: frozen, strict, kept as YAML beside the weights.

What a user types stands over what a file says, which stands over a recipe, which stands over the
defaults.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from difflib import get_close_matches
from pathlib import Path
from typing import Any, Literal

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from maeum.engine import Engine, EngineName, Precision, is_pretrained
from maeum.errors import SettingsError, TextError
from maeum.files import read_yaml, write_text

Modality = Literal["both", "speech", "text"]
Normalization = Literal["none", "recording", "speaker"]
Protocol = Literal["auto", "random", "speaker", "script", "speaker+script", "given", "none"]
Grouping = Literal["random", "speaker", "script", "speaker+script"]
Order = Literal["random", "short", "long"]
Part = Literal["train", "validation", "test", "all"]
Tuning = Literal["frozen", "lora", "full"]
Fusion = Literal["concat", "late", "gated", "cross"]

PAPER_SPEECH, PAPER_TEXT = "facebook/wav2vec2-large-robust", "beomi/KcELECTRA-base-v2022"
"""The paper's pair of encoders."""

RECIPES: dict[str, dict[str, Any]] = {
    "default": {},
    "paper": {
        "speech": PAPER_SPEECH,
        "text": PAPER_TEXT,
        "batch_size": 32,
        "epochs": 10,
        "patience": 0,
        "dropout": 0.0,
        "modality_dropout": 0.0,
        "label_smoothing": 0.0,
    },
    "benchmark": {
        "speech": "facebook/wav2vec2-large-xlsr-53",
        "text": PAPER_TEXT,
        "tune": "full",
        "bf16": True,
        "batch_size": 32,
        "lr": 5e-5,
        "encoder_lr": 5e-6,
        "warmup": 500,
        "label_smoothing": 0.05,
        "class_weights": "balanced",
        "cut_s": 10.0,
        "patience": 5,
    },
}
"""Values that replace the defaults together. `paper`: its encoders, batch 32, 10 epochs, no early
stopping, and nothing that equations (1) to (4) do not have; what the paper leaves open, tuning and
learning rates among it, stays at the defaults. `benchmark`: how a published benchmark on AI-Hub 466
tunes; its text encoder is not stated there, ours stands in."""

USUAL_LR = {"frozen": 2e-3, "lora": 1e-3, "full": 1e-3}
"""Of what is new, by tuning."""

USUAL_ENCODER_LR = {"lora": 2e-4, "full": 1e-5}
"""Of what was pretrained, by tuning."""

MOST_RANK = 1024
"""Of low-rank updates, chosen or read; greater ones are as wide as what they update."""

USUAL_STEPS, USUAL_EPOCHS = 1000, (10, 60)
"""How long heads train unless told: measured on 200 and 2,400 acted recordings, unseen voices."""

USUAL_PATIENCE, MIN_VALIDATION = 15, 100
"""Early stopping unless told: epochs to wait, and how many utterances it takes to judge by."""


class Settings(BaseModel):
    """Everything that decides what a run learns, apart from the corpus.

    Two runs with equal settings on one corpus have equal weights, on one kind of machine: one that
    has bfloat16 tunes in it unless told.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    recipe: Literal["default", "paper", "benchmark"] = Field(
        "default", description="defaults to start from"
    )
    modality: Modality = Field("both", description="what the network listens to")
    speech: str = Field(
        "builtin:acoustic",
        description="speech encoder: built in, a hub name or a folder; A+B joins",
    )
    text: str = Field("builtin:letters", description="text encoder, likewise")
    layers: str = Field(
        "last",
        pattern=r"^(last|weighted|\d{1,3})$",
        description="of pretrained encoders: last, the number of one, or weighted: a learnt sum",
    )
    cut_s: float = Field(
        15.0, ge=0.5, le=60, description="seconds of a recording a pretrained encoder hears"
    )
    max_tokens: int = Field(
        128, ge=8, le=512, description="tokens of a sentence a pretrained encoder reads"
    )
    engine: EngineName = Field("torch", description="what computes pretrained encoders")
    precision: Precision = Field(
        "float32", description="of what they compute; fewer bits are faster and close by"
    )
    tune: Tuning = Field(
        "frozen", description="what learns of pretrained encoders: nothing, low-rank updates, all"
    )
    tune_convolutions: bool = Field(
        False, description="full: also the layers that hear the waveform"
    )
    fusion: Fusion = Field("concat", description="how speech and text are joined")
    context: int = Field(
        0, ge=0, le=16, description="previous utterances of the dialogue the network looks at"
    )
    start: str | None = Field(
        None,
        description="run to start from: its encoders and weights",
        json_schema_extra={"flag": "--from"},
    )
    normalize: Normalization = Field(
        "none", description="recording: equal loudness; speaker: mean and spread of the voice"
    )
    split: Protocol = Field("auto", description="what train and test must not share")
    split_seed: int = Field(0, ge=0, description="fixes the split")
    order: Order = Field("random", description="sampling order")
    per_emotion: int | None = Field(None, ge=1, description="training utterances per emotion")
    total: int | None = Field(None, ge=1, description="training utterances in all")
    distinct_text: bool = Field(False, description="train on each sentence once")
    allow_fewer: bool = Field(False, description="go on where fewer exist than asked for")
    hidden_size: int = Field(128, ge=1, le=65_536, description="width of h")
    dropout: float = Field(0.5, ge=0, lt=1, description="share of h left out while training")
    modality_dropout: float = Field(
        0.2, ge=0, lt=1, description="share of pairs trained with speech or text alone"
    )
    class_weights: Literal["none", "balanced"] = Field(
        "none", description="balanced: rare emotions weigh more in the loss"
    )
    label_smoothing: float = Field(0.1, ge=0, lt=1, description="mass moved off the true emotion")
    epochs: int | None = Field(
        None, ge=1, description="passes over the training part; else enough for 1,000 steps"
    )
    batch_size: int = Field(32, ge=1, description="utterances per step")
    accumulate: int = Field(
        1, ge=1, description="pieces a batch is learnt from in, where memory is short"
    )
    lr: float | None = Field(
        None,
        gt=0,
        description="highest learning rate of what is new; else 0.002, with tuned encoders 0.001",
    )
    encoder_lr: float | None = Field(
        None,
        gt=0,
        description="highest learning rate of tuned encoders; else 1e-05, of lora 0.0002",
    )
    weight_decay: float = Field(0.01, ge=0, description="of AdamW")
    warmup: float = Field(
        0.0, ge=0, description="steps with rising rate; below 1 a share of all steps"
    )
    lora_rank: int = Field(16, ge=1, le=MOST_RANK, description="rank of low-rank updates")
    encoder_noise: bool = Field(
        True, description="dropout and masking inside tuned encoders, as they were pretrained with"
    )
    bf16: bool | None = Field(
        None,
        description="tune encoders in bfloat16, faster and with less memory; else where the "
        "machine computes in it",
    )
    group_by_length: bool = Field(
        True, description="tune encoders on batches of similar length, which need less padding"
    )
    gradient_checkpointing: bool = Field(
        False, description="tune encoders with less memory and more time"
    )
    patience: int | None = Field(
        None,
        ge=0,
        description="epochs without a better validation loss before stopping, 0: never stop "
        "early; else 15 where 100 utterances or more validate",
    )
    seed: int = Field(0, ge=0, lt=2**32, description="first weights, order of batches, dropout")
    tensorboard: bool = Field(False, description="write a log for TensorBoard")

    @classmethod
    def of(
        cls,
        config: str | Path | None = None,
        *,
        below: Mapping[str, object] | None = None,
        **given: object,
    ) -> Settings:
        """Settings from a recipe, a YAML file and values given; later ones win.

        Args:
            config: a YAML file of settings, or the `maeum.yaml` of a run.
            below: values that stand over a recipe and below what is stated, as those of a run that
                is gone on from.
            given: values by name; None means not given.

        Raises:
            SettingsError: an unknown setting or a value out of range; the message names it.
        """
        stated = _read(Path(config)) if config is not None else {}
        stated |= {name: value for name, value in given.items() if value is not None}
        recipe = RECIPES.get(str(stated.get("recipe", "default")), {})
        return cls._checked({**recipe, **(below or {}), **stated})

    @classmethod
    def _checked(cls, values: Mapping[str, Any]) -> Settings:
        try:
            settings = cls.model_validate(dict(values))
        except ValidationError as error:
            raise SettingsError(told(error, known=list(cls.model_fields))) from error
        for sentence, holds in CONTRADICTIONS.items():
            if holds(settings):
                raise SettingsError(sentence)
        _ = settings.answering_engine  # refuses what it does not serve
        return settings

    def save(self, path: Path) -> None:
        """Write as YAML."""
        write_text(path, self.to_yaml())

    def to_yaml(self) -> str:
        """All settings, in order, as YAML."""
        return yaml.safe_dump(self.model_dump(), sort_keys=False, allow_unicode=True)

    def epochs_for(self, utterances: int) -> int:
        """Passes over a training part of that many utterances.

        Where none are stated: enough for `USUAL_STEPS`, within `USUAL_EPOCHS`; a few hundred
        utterances need to be seen often, hundreds of thousands do not.
        """
        if self.epochs is not None:
            return self.epochs
        fewest, most = USUAL_EPOCHS
        steps_per_epoch = -(-utterances // self.batch_size)
        return min(most, max(fewest, round(USUAL_STEPS / steps_per_epoch)))

    def patience_for(self, utterances: int) -> int | None:
        """Epochs to wait for a better loss on that many validation utterances; None: no stopping.

        Where none is stated a small part does not stop a run: on 20 utterances of two unseen
        voices it cost up to 8 points of accuracy.
        """
        if self.patience is None:
            return USUAL_PATIENCE if utterances >= MIN_VALIDATION else None
        return self.patience if self.patience and utterances else None

    @property
    def answering_engine(self) -> Engine | None:
        """What computes pretrained encoders; None: torch as it is, for them to learn.

        Raises:
            SettingsError: the engine does not serve the precision.
        """
        return Engine(self.engine, self.precision) if self.tune == "frozen" else None

    @property
    def head_lr(self) -> float:
        """Highest learning rate of what is new."""
        return USUAL_LR[self.tune] if self.lr is None else self.lr

    @property
    def tuned_lr(self) -> float:
        """Highest learning rate of what was pretrained; 0 where it is frozen."""
        usual = USUAL_ENCODER_LR.get(self.tune, 0.0)
        return usual if self.encoder_lr is None else self.encoder_lr

    def warmup_steps(self, steps: int) -> int:
        """Of a run of that many steps, those with a rising rate."""
        return round(self.warmup if self.warmup >= 1 else self.warmup * steps)

    def ignored(self, names: Collection[str]) -> list[str]:
        """Of settings by name, those that count for nothing beside the others, in sentences.

        >>> Settings(lora_rank=4).ignored(["lora_rank", "seed"])
        ['lora_rank=4 is ignored: it counts with tune=lora']
        """
        return [
            f"{name}={getattr(self, name)} is ignored: it counts with {with_}"
            for name, (with_, counts) in COUNTS_WITH.items()
            if name in names and not counts(self)
        ]

    @property
    def hears_speech(self) -> bool:
        """Whether recordings are used."""
        return self.modality != "text"

    @property
    def reads_text(self) -> bool:
        """Whether sentences are used."""
        return self.modality != "speech"


CONTRADICTIONS: dict[str, Callable[[Settings], bool]] = {
    "per_emotion and total were both given; give one of them": lambda s: (
        s.per_emotion is not None and s.total is not None
    ),
    "fusion joins speech and text, but the run takes one of them alone; leave fusion at concat": (
        lambda s: s.fusion != "concat" and s.modality != "both"
    ),
    "fusion=cross looks at frames, which are of one layer; use layers=last or the number of one": (
        lambda s: s.fusion == "cross" and s.layers == "weighted"
    ),
    "normalize=speaker compares features that stay what they are; use it with tune=frozen": (
        lambda s: s.normalize == "speaker" and s.tune != "frozen" and s.hears_speech
    ),
    "context looks at the features of other utterances; use it with tune=frozen": (
        lambda s: s.context > 0 and s.tune != "frozen"
    ),
    "gradient checkpointing needs the encoder in training mode; leave encoder_noise on": (
        lambda s: s.gradient_checkpointing and not s.encoder_noise
    ),
}
"""What settings must not say together: sentence -> whether they do."""


def _pretrained(names: str) -> bool:
    return any(is_pretrained(name.strip()) for name in names.split("+"))


def _hears_pretrained(s: Settings) -> bool:
    return s.hears_speech and _pretrained(s.speech)


def _reads_pretrained(s: Settings) -> bool:
    return s.reads_text and _pretrained(s.text)


_FROZEN = (
    "tune=frozen and an encoder that is not built in",
    lambda s: s.tune == "frozen" and (_hears_pretrained(s) or _reads_pretrained(s)),
)
_TUNED = ("tune=lora or tune=full", lambda s: s.tune != "frozen")

COUNTS_WITH: dict[str, tuple[str, Callable[[Settings], bool]]] = {
    "speech": ("modality=both or modality=speech", lambda s: s.hears_speech),
    "text": ("modality=both or modality=text", lambda s: s.reads_text),
    "layers": (
        "an encoder that is not built in",
        lambda s: _hears_pretrained(s) or _reads_pretrained(s),
    ),
    "cut_s": ("a speech encoder that is not built in", _hears_pretrained),
    "max_tokens": ("a text encoder that is not built in", _reads_pretrained),
    "engine": _FROZEN,
    "precision": _FROZEN,
    "tune_convolutions": ("tune=full", lambda s: s.tune == "full"),
    "lora_rank": ("tune=lora", lambda s: s.tune == "lora"),
    "encoder_lr": _TUNED,
    "encoder_noise": _TUNED,
    "bf16": _TUNED,
    "group_by_length": _TUNED,
    "gradient_checkpointing": _TUNED,
    "order": (
        "per_emotion, total or distinct_text",
        lambda s: s.per_emotion is not None or s.total is not None or s.distinct_text,
    ),
    "allow_fewer": (
        "per_emotion or total",
        lambda s: s.per_emotion is not None or s.total is not None,
    ),
    "modality_dropout": ("modality=both", lambda s: s.modality == "both"),
}
"""Settings that count beside others only: name -> with what, in words, and whether it is so."""


def _read(path: Path) -> dict[str, Any]:
    try:
        values = read_yaml(path) or {}
    except TextError as error:
        raise SettingsError(str(error)) from error
    if not isinstance(values, dict):
        raise SettingsError(f"{path} holds a {type(values).__name__}; expected settings, a: b")
    settings = values.get("settings", values)
    if not isinstance(settings, dict):
        raise SettingsError(f"{path} has `settings: {settings}`; expected settings, a: b")
    return dict(settings)


def told(error: ValidationError, *, known: list[str], what: str = "setting") -> str:
    """What is wrong with values by name, in a sentence.

    Args:
        error: of pydantic; its first complaint counts, names that nobody knows before all others.
        known: the names there are.
        what: a name stands for.
    """
    first = min(error.errors(), key=lambda one: one["type"] != "extra_forbidden")
    name = ".".join(str(part) for part in first["loc"])
    if first["type"] == "extra_forbidden":
        return unknown(what, name, known)
    if first["type"] == "missing":
        return f"the {what} {name} is missing; known: {', '.join(known)}"
    return f"{what} {name} is {first['input']!r}: {first['msg']}"


def unknown(what: str, name: str, known: Sequence[str]) -> str:
    """That a name is not known, which one may be meant, and which there are.

    >>> unknown("setting", "hiden_size", ["hidden_size", "seed"])
    "unknown setting 'hiden_size' (is it hidden_size?); known: hidden_size, seed"
    """
    near = get_close_matches(name, known, n=1)
    meant = f" (is it {near[0]}?)" if near else ""
    return f"unknown {what} {name!r}{meant}; known: {', '.join(known)}"
