"""Readers of frames, augmentation, mixup and an adversary, beside two layers on `builtin:acoustic`.

    python benchmarks/ears.py CORPUS [--ways NAME …] [--seeds 3] [--steps 500]

CORPUS was imported by `maeum import`. Each speaker is left out once; every way learns for as many
steps, with the same hidden layer and the same rates, so that what differs is what is told. *Frames*
are the encoder's contours every 40 ms, standardised over the frames of the training part, or over
all frames of a voice; reading them takes minutes a seed, so that one is read. *Copies* are
recordings of the training part that were changed, measured by the encoder and learnt from beside
the others. One thread: several corpora may run at a time.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import soxr
import torch
from numpy.typing import NDArray
from side_by_side import keep, table, versions
from sklearn.metrics import recall_score
from torch import Tensor, nn
from torch.nn import functional

from maeum.corpus import Corpus
from maeum.corpus.audio import load
from maeum.encoders.builtin.acoustic import AcousticEncoder
from maeum.encoders.builtin.contours import measure
from maeum.features.normalize import voice_of

RATE_HZ = 16_000
HIDDEN, READ, BATCH = 128, 64, 32
RATE, WEIGHT_DECAY, DROPOUT, SMOOTHING = 2e-3, 0.01, 0.5, 0.1
MEANS_OF, MOST_FRAMES = 4, 200  # 40 ms; of recordings longer than 8 s the middle

Floats = NDArray[np.float32]
Change = Callable[[Floats, np.random.Generator], Floats]


def slower_or_faster(wave: Floats, rng: np.random.Generator) -> Floats:
    """By up to a tenth, pitch and all."""
    return soxr.resample(wave, RATE_HZ, round(RATE_HZ * rng.uniform(0.9, 1.1)))


def louder_or_softer(wave: Floats, rng: np.random.Generator) -> Floats:
    """By up to 10 dB."""
    return wave * np.float32(10 ** (rng.uniform(-10, 10) / 20))


def noisy(wave: Floats, rng: np.random.Generator) -> Floats:
    """White noise, 5 to 25 dB below."""
    level = wave.std() * 10 ** (-rng.uniform(5, 25) / 20)
    return wave + rng.normal(0, level, len(wave)).astype(np.float32)


def in_a_room(wave: Floats, rng: np.random.Generator) -> Floats:
    """Noise that decays by 60 dB in 0.2 to 0.6 s, a tenth as strong as the voice itself."""
    moments_s = np.arange(round(0.6 * RATE_HZ)) / RATE_HZ
    tail = rng.normal(size=len(moments_s)) * 10 ** (-3 * moments_s / rng.uniform(0.2, 0.6))
    echo = np.fft.irfft(np.fft.rfft(wave, 2**18) * np.fft.rfft(tail, 2**18))[: len(wave)]
    return (wave + echo * (0.3 * wave.std() / max(echo.std(), 1e-9))).astype(np.float32)


def masked(wave: Floats, rng: np.random.Generator) -> Floats:
    """Without a stretch of up to a fifth."""
    gone = round(len(wave) * rng.uniform(0.05, 0.2))
    start = int(rng.integers(0, len(wave) - gone))
    return np.concatenate([wave[:start], wave[start + gone :]])


CHANGES: dict[str, Change] = {
    "speed": slower_or_faster,
    "gain": louder_or_softer,
    "noise": noisy,
    "room": in_a_room,
    "mask": masked,
}


@dataclass(frozen=True)
class Recipe:
    """How to learn.

    Attributes:
        reader: of frames; None: none are read.
        values: whether the encoder's vector is told.
        copies: of the training part, changed.
        mixup: parameter of the Beta distribution two utterances are mixed by; 0: they are not.
        adversary: what the speaker's being recognisable costs; 0: nothing.
    """

    reader: str | None = None
    values: bool = True
    copies: tuple[str, ...] = ()
    mixup: float = 0.0
    adversary: float = 0.0


RECIPES = {
    "two layers on the vector": Recipe(),
    **{f"copies: {name}": Recipe(copies=(name,)) for name in CHANGES},
    "copies: all five": Recipe(copies=tuple(CHANGES)),
    "mixup .2": Recipe(mixup=0.2),
    "mixup 1": Recipe(mixup=1.0),
    "adversary .1": Recipe(adversary=0.1),
    "adversary 1": Recipe(adversary=1.0),
    "convolutions over frames": Recipe("convolutions", values=False),
    "attention over frames": Recipe("attention", values=False),
    "recurrent over frames": Recipe("recurrent", values=False),
    "vector and convolutions": Recipe("convolutions"),
    "vector and attention": Recipe("attention"),
}


@dataclass(frozen=True)
class Heard:
    """All recordings of a corpus.

    Attributes:
        vectors: way they were changed ("" for not at all) -> (utterance, dim).
        frames: (utterance,) of (time, contour).
        labels: (utterance,) of emotions.
        speakers: (utterance,) numbers of speakers.
    """

    vectors: dict[str, Floats]
    frames: list[Floats]
    labels: NDArray[np.int64]
    speakers: NDArray[np.int64]

    @classmethod
    def of(cls, corpus: Corpus, changes: set[str]) -> Heard:
        """Measure every recording, and its changed copies."""
        waves = [
            load(corpus.audio_root / one, rate_hz=RATE_HZ) for one in corpus.utterances["audio"]
        ]
        encoder, rng = AcousticEncoder(), np.random.default_rng(0)
        vectors = {"": encoder.encode(waves)}
        for name in sorted(changes):
            vectors[name] = encoder.encode([CHANGES[name](wave, rng) for wave in waves])
        _, speakers = np.unique(corpus.utterances["speaker"].to_numpy(), return_inverse=True)
        return cls(vectors, [frames_of(wave) for wave in waves], np.array(corpus.labels), speakers)

    def per_voice(self) -> Heard:
        """Everything as distances from what is usual for the voice, in its own spread."""
        vectors = {name: table.copy() for name, table in self.vectors.items()}
        frames = list(self.frames)
        usual = np.mean([self.vectors[""][self.speakers == who].var(axis=0)
                         for who in np.unique(self.speakers)], axis=0)  # fmt: skip
        for who in np.unique(self.speakers):
            own = np.flatnonzero(self.speakers == who)
            voice = voice_of(self.vectors[""][own], np.sqrt(usual))
            for name in vectors:
                vectors[name][own] = voice.normalize(vectors[name][own])
            mean, deviation = _moments([frames[place] for place in own])
            for place in own:
                frames[place] = (frames[place] - mean) / deviation
        return Heard(vectors, frames, self.labels, self.speakers)


def frames_of(wave: Floats) -> Floats:
    """Means of contours every 40 ms, and of where there is voice and sound: (time, contour)."""
    found = measure(wave)
    rows = np.stack([*found.values.values(), found.voiced, found.active], axis=1)
    means = (
        rows[: len(rows) // MEANS_OF * MEANS_OF].reshape(-1, MEANS_OF, rows.shape[1]).mean(axis=1)
    )
    start = max(0, len(means) - MOST_FRAMES) // 2
    return means[start : start + MOST_FRAMES].astype(np.float32)


def _moments(frames: list[Floats]) -> tuple[Floats, Floats]:
    rows = np.concatenate(frames)
    return rows.mean(axis=0), rows.std(axis=0).clip(1e-6)


class Convolutions(nn.Module):
    """Three layers that each look further, then mean and spread over time."""

    width = 2 * READ

    def __init__(self, dim: int) -> None:
        super().__init__()
        self.layers = nn.ModuleList(
            nn.Conv1d(size, READ, 5, padding=2 * step, dilation=step)
            for size, step in ((dim, 1), (READ, 2), (READ, 4))
        )

    def forward(self, rows: Tensor, there: Tensor) -> Tensor:
        """(batch, time, dim), (batch, time) -> (batch, width)."""
        rows = rows.transpose(1, 2)
        for layer in self.layers:
            rows = torch.relu(layer(rows)) * there[:, None]
        return self.summed_up(rows.transpose(1, 2), there)

    def summed_up(self, rows: Tensor, there: Tensor) -> Tensor:
        """Mean and spread of the frames that are there."""
        return weighted(rows, there / there.sum(dim=1, keepdim=True))


class Attention(Convolutions):
    """The same, but that frames weigh as much as they are found to matter."""

    def __init__(self, dim: int) -> None:
        super().__init__(dim)
        self.matters = nn.Sequential(nn.Linear(READ, READ), nn.Tanh(), nn.Linear(READ, 1))

    def summed_up(self, rows: Tensor, there: Tensor) -> Tensor:
        """Mean and spread by weights."""
        scores = self.matters(rows)[..., 0].masked_fill(there == 0, -torch.inf)
        return weighted(rows, torch.softmax(scores, dim=1))


class Recurrent(nn.Module):
    """Gated recurrent units in both directions, then mean and spread over time."""

    width = 4 * READ

    def __init__(self, dim: int) -> None:
        super().__init__()
        self.units = nn.GRU(dim, READ, batch_first=True, bidirectional=True)

    def forward(self, rows: Tensor, there: Tensor) -> Tensor:
        """(batch, time, dim), (batch, time) -> (batch, width)."""
        lengths = there.sum(dim=1).long()
        packed = nn.utils.rnn.pack_padded_sequence(rows, lengths, True, enforce_sorted=False)
        found, _ = nn.utils.rnn.pad_packed_sequence(self.units(packed)[0], batch_first=True)
        return weighted(found, there / there.sum(dim=1, keepdim=True))


def weighted(rows: Tensor, weights: Tensor) -> Tensor:
    """Mean and spread over time, (batch, time, dim) -> (batch, 2 dim)."""
    mean = (rows * weights[..., None]).sum(dim=1)
    variance = ((rows - mean[:, None]) ** 2 * weights[..., None]).sum(dim=1)
    return torch.cat([mean, (variance + 1e-5).sqrt()], dim=1)


READERS: dict[str, type[Convolutions] | type[Recurrent]] = {
    "convolutions": Convolutions,
    "attention": Attention,
    "recurrent": Recurrent,
}


class Reversed(torch.autograd.Function):
    """As it is forwards; backwards the other way, so that what helps the adversary is unlearnt."""

    @staticmethod
    def forward(ctx, h: Tensor, strength: float) -> Tensor:  # noqa: ANN001 - torch's
        """The same."""
        ctx.strength = strength
        return h.view_as(h)

    @staticmethod
    def backward(ctx, gradient: Tensor) -> tuple[Tensor, None]:  # noqa: ANN001 - torch's
        """The opposite."""
        return -ctx.strength * gradient, None


class Ears(nn.Module):
    """The paper's two layers on what a recipe tells; an adversary looks for the speaker."""

    def __init__(self, recipe: Recipe, dims: tuple[int, int], emotions: int, speakers: int) -> None:
        super().__init__()
        self.reader = READERS[recipe.reader](dims[1]) if recipe.reader else None
        width = dims[0] * recipe.values + (self.reader.width if self.reader else 0)
        self.hidden = nn.Sequential(nn.Linear(width, HIDDEN), nn.ReLU(), nn.Dropout(DROPOUT))
        self.output, self.who = nn.Linear(HIDDEN, emotions), nn.Linear(HIDDEN, speakers)
        self.recipe, self.reads = recipe, self.reader is not None

    def forward(self, vectors: Tensor, rows: Tensor, there: Tensor) -> tuple[Tensor, Tensor]:
        """Logits of emotions and of speakers."""
        told = [vectors] if self.recipe.values else []
        if self.reader is not None:
            told.append(self.reader(rows, there))
        h = self.hidden(torch.cat(told, dim=1))
        return self.output(h), self.who(Reversed.apply(h, self.recipe.adversary))


@dataclass(frozen=True)
class Fold:
    """What is standardised as one training part has it, in tensors."""

    vectors: Tensor
    frames: list[Tensor]
    labels: Tensor
    speakers: Tensor

    @classmethod
    def of(cls, heard: Heard, train: NDArray[np.int64], copies: tuple[str, ...]) -> Fold:
        """All utterances, those of `train` once more for each way they are changed, behind."""
        tables = [heard.vectors[""], *(heard.vectors[name][train] for name in copies)]
        places = np.concatenate([np.arange(len(heard.labels)), *[train for _ in copies]])
        vectors = np.concatenate(tables)
        learnt = vectors[np.r_[train, len(heard.labels) : len(vectors)]]
        mean, deviation = _moments([heard.frames[place] for place in train])
        return cls(
            torch.from_numpy((vectors - learnt.mean(axis=0)) / learnt.std(axis=0).clip(1e-6)),
            [torch.from_numpy((heard.frames[place] - mean) / deviation) for place in places],
            torch.from_numpy(heard.labels[places]),
            torch.from_numpy(heard.speakers[places]),
        )

    def batch(self, places: Tensor, *, reads: bool) -> tuple[Tensor, Tensor, Tensor]:
        """Vectors, frames and which of these are there; no frames where none are read."""
        own = [self.frames[place][: None if reads else 0] for place in places]
        rows = nn.utils.rnn.pad_sequence(own, batch_first=True)
        lengths = torch.tensor([len(one) for one in own])
        there = (torch.arange(rows.shape[1])[None] < lengths[:, None]).float()
        return self.vectors[places], rows, there


def answers(heard: Heard, who: int, recipe: Recipe, seed: int, steps: int) -> NDArray[np.int64]:
    """What a network that never met a speaker answers for their utterances."""
    torch.manual_seed(seed)
    train = np.flatnonzero(heard.speakers != who)
    test = torch.from_numpy(np.flatnonzero(heard.speakers == who))
    fold = Fold.of(heard, train, recipe.copies)
    learnt = torch.cat([torch.from_numpy(train), torch.arange(len(heard.labels), len(fold.labels))])
    dims = fold.vectors.shape[1], fold.frames[0].shape[1]
    ears = Ears(recipe, dims, int(fold.labels.max()) + 1, int(fold.speakers.max()) + 1)
    optimizer = torch.optim.AdamW(ears.parameters(), lr=RATE, weight_decay=WEIGHT_DECAY, fused=True)
    schedule = torch.optim.lr_scheduler.LinearLR(optimizer, 1.0, 0.0, steps)
    ears.train()
    for places in _batches(learnt, steps):
        loss = _loss(ears, fold, places, recipe)
        optimizer.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(ears.parameters(), 1.0)
        optimizer.step()
        schedule.step()
    ears.eval()
    with torch.inference_mode():
        found = [
            ears(*fold.batch(some, reads=ears.reads))[0].argmax(dim=1) for some in test.split(256)
        ]
    return torch.cat(found).numpy()


def _batches(learnt: Tensor, steps: int) -> Iterator[Tensor]:
    done = 0
    while done < steps:
        for places in learnt[torch.randperm(len(learnt))].split(BATCH):
            if done < steps:
                yield places
                done += 1


def _loss(ears: Ears, fold: Fold, places: Tensor, recipe: Recipe) -> Tensor:
    vectors, rows, there = fold.batch(places, reads=ears.reads)
    mixed, share = torch.arange(len(places)), 1.0
    if recipe.mixup:
        mixed = torch.randperm(len(places))
        share = float(torch.distributions.Beta(recipe.mixup, recipe.mixup).sample())
        vectors = share * vectors + (1 - share) * vectors[mixed]
    logits, speakers = ears(vectors, rows, there)
    labels = fold.labels[places]
    loss = share * functional.cross_entropy(logits, labels, label_smoothing=SMOOTHING)
    if share < 1:
        other = functional.cross_entropy(logits, labels[mixed], label_smoothing=SMOOTHING)
        loss = loss + (1 - share) * other
    if recipe.adversary:
        loss = loss + functional.cross_entropy(speakers, fold.speakers[places])
    return loss


def main() -> None:
    """Every way, plain and per voice."""
    asked = _asked()
    torch.set_num_threads(1)
    recipes = {name: RECIPES[name] for name in asked.ways or RECIPES}
    corpus = Corpus.open(asked.corpus)
    plain = Heard.of(corpus, {name for recipe in recipes.values() for name in recipe.copies})
    rows = []
    for name, recipe in recipes.items():
        cells = [_recall(heard, recipe, asked) for heard in (plain, plain.per_voice())]
        rows.append((name, *cells))
        print(*rows[-1], sep=" | ", flush=True)
    keep(
        f"ears-{asked.corpus.name}",
        f"{asked.corpus.name}, each speaker left out once, {asked.steps} steps; unweighted average "
        f"recall, mean of {asked.seeds} seeds (least to greatest)\n\n"
        + table(("way", "new voices", "per voice"), rows)
        + f"\n\n{versions('torch', 'numpy')}",
    )


def _asked() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("corpus", type=Path)
    parser.add_argument("--ways", nargs="+", choices=RECIPES, metavar="NAME")
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--steps", type=int, default=500)
    return parser.parse_args()


def _recall(heard: Heard, recipe: Recipe, asked: argparse.Namespace) -> str:
    found = []
    for seed in range(asked.seeds if recipe.reader is None else 1):
        answered = np.empty_like(heard.labels)
        for who in np.unique(heard.speakers):
            answered[heard.speakers == who] = answers(heard, who, recipe, seed, asked.steps)
        found.append(recall_score(heard.labels, answered, average="macro"))
    apart = f" ({min(found):.3f} to {max(found):.3f})" if len(found) > 1 else ""
    return f"{np.mean(found):.3f}{apart}"


if __name__ == "__main__":
    main()
