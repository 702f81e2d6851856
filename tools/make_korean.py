"""Pretrain a small Korean text encoder.

    python tools/make_korean.py --nsmc reviews.parquet --chatbot ChatbotData.csv --to korean

nsmc: film comments with stars (columns text, rating, movie_id; CC0). chatbot: everyday sentences
(Q, A; MIT). Killed and typed again it goes on from the last state it wrote. It ends after
`--steps`, on two cores after an hour or two; a GPU is used where there is one.
`benchmarks/sentences.py` measures what it made against counts of letters.

1. Comments on films whose number ends in 0 are left out: they are for measuring.
2. A vocabulary of word pieces, Hangul intact.
3. First vectors of pieces: those in which pieces that stand beside others than by chance differ
   most (positive pointwise mutual information, singular vectors). A transformer that starts from
   chance spends its first hour to find these.
4. A BERT of four layers guesses hidden pieces, and the stars of a comment from the mean of its
   vectors.

What is written is a folder as transformers reads it, weights in halves.
"""

from __future__ import annotations

import argparse
import csv
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import polars as pl
import torch
from numpy.typing import NDArray
from scipy.sparse import coo_matrix, csr_matrix
from scipy.sparse.linalg import svds
from tokenizers import BertWordPieceTokenizer
from torch import Tensor, nn
from torch.nn import functional
from transformers import BertConfig, BertForMaskedLM, BertTokenizer

from maeum.files import written_aside

Ids = NDArray[np.int32]

PIECES, WIDTH, LAYERS, HEADS = 8_000, 256, 4, 4
MOST_PIECES = 96
TOKENS_A_STEP = 4_096
RATE, WARM_UP, WEIGHT_DECAY = 1.5e-3, 0.05, 0.01
HIDDEN = 0.2
"""Share of pieces to guess: of them 8 in 10 are masked, 1 is another piece, 1 is as it was."""

STARS_COUNT = 0.5
"""What a wrong guess of stars costs beside one of pieces; comments without stars cost nothing."""

WINDOW = 5
PAD, UNKNOWN, BEGIN, END, MASK = range(5)
SPECIAL = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
NO_STARS = -1
KEEP_EVERY_S = 60.0
STATE, STATES = "state.pt", ("learner", "optimizer", "schedule")


@dataclass(frozen=True)
class Text:
    """What is learnt from.

    Attributes:
        pieces: (sentence,) of numbers of pieces, begin and end among them.
        stars: (sentence,) 0 to 9, or `NO_STARS`.
    """

    pieces: Sequence[Ids]
    stars: NDArray[np.int64]


def reviews(path: Path) -> pl.DataFrame:
    """Different comments: text, rating, and `test` for films whose number ends in 0."""
    rows = (
        pl.read_parquet(path).drop_nulls("text").unique("text", keep="first", maintain_order=True)
    )
    rows = rows.with_columns(
        test=pl.col("movie_id") % 10 == 0, text=pl.col("text").str.strip_chars()
    )
    return rows.filter(pl.col("text").str.len_chars() > 0)


def sentences(nsmc: Path, chatbot: Path) -> tuple[list[str], NDArray[np.int64]]:
    """Everything to learn from, with stars."""
    films = reviews(nsmc)
    films = films.filter(~pl.col("text").is_in(films.filter("test")["text"].implode()))
    with chatbot.open(encoding="utf-8", newline="") as file:
        everyday = sorted({row[side] for row in csv.DictReader(file) for side in ("Q", "A")})
    stars = np.r_[films["rating"].to_numpy() - 1, np.full(len(everyday), NO_STARS)]
    return [*films["text"], *everyday], stars


def vocabulary(texts: Sequence[str], to: Path) -> BertTokenizer:
    """Word pieces of these texts; made once."""
    if not (to / "vocab.txt").is_file():
        maker = BertWordPieceTokenizer(strip_accents=False, lowercase=False)
        maker.train_from_iterator(texts, vocab_size=PIECES, special_tokens=SPECIAL, min_frequency=5)
        maker.save_model(str(to))
    tokenizer = BertTokenizer(
        str(to / "vocab.txt"),
        do_lower_case=False,
        strip_accents=False,
        model_max_length=MOST_PIECES,
    )
    tokenizer.save_pretrained(to)
    return tokenizer


def in_pieces(tokenizer: BertTokenizer, texts: Sequence[str]) -> list[Ids]:
    """Numbers of pieces of each text, of long ones the beginning."""
    found = tokenizer(list(texts), truncation=True, max_length=MOST_PIECES)["input_ids"]
    return [np.array(one, dtype=np.int32) for one in found]


def first_vectors(text: Text) -> NDArray[np.float32]:
    """(piece, WIDTH) from what stands within `WINDOW` pieces of it."""
    stream = np.concatenate([np.r_[one[1:-1], np.full(WINDOW, PAD)] for one in text.pieces])
    counts = csr_matrix((PIECES, PIECES), dtype=np.float32)
    for apart in range(1, WINDOW + 1):
        left, right = stream[:-apart], stream[apart:]
        both = (left >= len(SPECIAL)) & (right >= len(SPECIAL))
        weight = np.full(both.sum(), 1 / apart, dtype=np.float32)
        counts += coo_matrix((weight, (left[both], right[both])), counts.shape).tocsr()
    counts = (counts + counts.T).tocoo()
    total = np.asarray(counts.sum(axis=1)).ravel() + 1
    chance = total**0.75 / (total**0.75).sum()
    surprise = np.log(counts.data / (total[counts.row] * chance[counts.col]))
    kept = surprise > 0
    told = csr_matrix((surprise[kept], (counts.row[kept], counts.col[kept])), counts.shape)
    vectors, weights, _ = svds(told, k=WIDTH, random_state=0)
    vectors = vectors * np.sqrt(weights)
    vectors[: len(SPECIAL)] = vectors[len(SPECIAL) :].mean(axis=0)
    return (vectors * (0.05 / vectors.std())).astype(np.float32)


class Learner(nn.Module):
    """A BERT that guesses hidden pieces, and stars."""

    def __init__(self) -> None:
        super().__init__()
        self.bert = BertForMaskedLM(
            BertConfig(
                vocab_size=PIECES,
                hidden_size=WIDTH,
                num_hidden_layers=LAYERS,
                num_attention_heads=HEADS,
                intermediate_size=4 * WIDTH,
                max_position_embeddings=MOST_PIECES,
                hidden_dropout_prob=0.0,
                attention_probs_dropout_prob=0.0,
            )
        )
        self.stars = nn.Linear(WIDTH, 10)

    def forward(self, pieces: Tensor, there: Tensor, guessed: Tensor) -> tuple[Tensor, Tensor]:
        """(batch, time) -> logits of the pieces to guess and of the stars."""
        rows = self.bert.bert(input_ids=pieces, attention_mask=there).last_hidden_state
        mean = (rows * there[..., None]).sum(dim=1) / there.sum(dim=1, keepdim=True)
        return self.bert.cls(rows[guessed]), self.stars(mean)


def batches(text: Text, seed: int) -> Iterator[list[int]]:
    """Places of sentences about as long as each other, so many pieces at a time, for ever."""
    rng = np.random.default_rng(seed)
    lengths = np.array([len(one) for one in text.pieces])
    while True:
        order = rng.permutation(len(lengths))
        made = []
        for pool in np.array_split(order, max(1, len(order) // 20_000)):
            pool = pool[np.argsort(lengths[pool], kind="stable")]
            start = 0
            while start < len(pool):
                count = max(1, TOKENS_A_STEP // lengths[pool[min(start + 64, len(pool) - 1)]])
                made.append(pool[start : start + count])
                start += count
        for place in rng.permutation(len(made)):
            yield list(made[place])


def loss_of(learner: Learner, text: Text, places: list[int], device: torch.device) -> Tensor:
    """Of guessing the hidden pieces and the stars of some sentences."""
    rows = [torch.from_numpy(text.pieces[place].astype(np.int64)) for place in places]
    pieces = nn.utils.rnn.pad_sequence(rows, batch_first=True).to(device)
    there = pieces != PAD
    guessed = (pieces >= len(SPECIAL)) & (torch.rand(pieces.shape, device=device) < HIDDEN)
    chance = torch.rand(pieces.shape, device=device)
    seen = torch.where(guessed & (chance < 0.8), MASK, pieces)
    other = torch.randint(len(SPECIAL), PIECES, pieces.shape, device=device)
    seen = torch.where(guessed & (chance >= 0.9), other, seen)
    with torch.autocast(device.type, torch.bfloat16):
        said, stars = learner(seen, there.long(), guessed)
    stated = torch.from_numpy(text.stars[places]).to(device)
    loss = functional.cross_entropy(said.float(), pieces[guessed])
    if (stated != NO_STARS).any():
        wrong = functional.cross_entropy(stars.float(), stated, ignore_index=NO_STARS)
        loss = loss + STARS_COUNT * wrong
    return loss


@dataclass(frozen=True)
class Training:
    """What goes on where it was stopped."""

    learner: Learner
    optimizer: torch.optim.Optimizer
    schedule: torch.optim.lr_scheduler.LRScheduler

    @classmethod
    def of(cls, steps: int, device: torch.device) -> Training:
        """A new one."""
        torch.manual_seed(0)
        learner = Learner().to(device)
        optimizer = torch.optim.AdamW(
            learner.parameters(), lr=RATE, weight_decay=WEIGHT_DECAY, fused=True
        )
        schedule = torch.optim.lr_scheduler.LambdaLR(optimizer, rate_at(steps))
        return cls(learner, optimizer, schedule)

    def step(self, loss: Tensor) -> None:
        """Learn from a batch."""
        self.optimizer.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(self.learner.parameters(), 1.0)
        self.optimizer.step()
        self.schedule.step()

    def keep(self, to: Path, step: int) -> None:
        """Write all down."""
        state = {name: getattr(self, name).state_dict() for name in STATES}
        with written_aside(to / STATE) as path:
            torch.save({"step": step, **state}, path)

    def taken_up(self, to: Path) -> int:
        """The step of the last state, once that is back in place; 0 where there is none."""
        if not (to / STATE).is_file():
            return 0
        state = torch.load(to / STATE, weights_only=True)
        for name in STATES:
            getattr(self, name).load_state_dict(state[name])
        return int(state["step"])


def rate_at(steps: int) -> Callable[[int], float]:
    """Share of the highest rate at a step: up for `WARM_UP` of them, then down to nothing."""
    rising = max(1, round(WARM_UP * steps))
    return lambda step: min((step + 1) / rising, max(0.0, (steps - step) / (steps - rising)))


def main() -> None:
    """From texts to a folder."""
    asked = _asked()
    asked.to.mkdir(parents=True, exist_ok=True)
    texts, stars = sentences(asked.nsmc, asked.chatbot)
    text = Text(in_pieces(vocabulary(texts, asked.to), texts), stars)
    print(f"{len(texts):,} sentences, {sum(map(len, text.pieces)):,} pieces", flush=True)
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    training = Training.of(asked.steps, device)
    begun = training.taken_up(asked.to)
    if begun == 0:
        embeddings = training.learner.bert.bert.embeddings.word_embeddings
        embeddings.weight.data.copy_(torch.from_numpy(first_vectors(text)))
    _learn(training, text, range(begun, asked.steps), asked.to, device)
    training.learner.bert.bert.half().cpu().save_pretrained(asked.to)


def _asked() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    for name in ("--nsmc", "--chatbot", "--to"):
        parser.add_argument(name, type=Path, required=True)
    parser.add_argument("--steps", type=int, default=4_000)
    return parser.parse_args()


def _learn(training: Training, text: Text, steps: range, to: Path, device: torch.device) -> None:
    training.learner.train()
    torch.manual_seed(steps.start)
    losses: list[float] = []
    said_s = time.monotonic()
    for step, places in zip(steps, batches(text, seed=steps.start), strict=False):
        loss = loss_of(training.learner, text, places, device)
        training.step(loss)
        losses.append(loss.item())
        if time.monotonic() - said_s > KEEP_EVERY_S:
            print(f"step {step + 1} of {steps.stop}: loss {np.mean(losses[-100:]):.3f}", flush=True)
            training.keep(to, step + 1)
            said_s = time.monotonic()
    training.keep(to, steps.stop)


if __name__ == "__main__":
    main()
