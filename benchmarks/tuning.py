"""What a training step costs with the paper's pair at its real size: time and peak memory.

    python benchmarks/tuning.py [FOLDER] [--rounds N] [--ways A B …]

wav2vec2-large-robust and KcELECTRA are built from their real configurations with random weights
(1.8 GB, kept in FOLDER), so nothing here speaks of accuracy. Clips are noise of 0.8 to 8 s, as long
as speech is (lognormal around 3 s), each with a sentence, 8 a step; the layers that hear the
waveform are left as they are.

`plain` is how it is usually written: both models of transformers in float32, batches drawn at
random and padded, AdamW. The others are runs of maeum as they come, and with one thing left out. A
round measures every way once, each in a process of its own, on BATCHES steps after one or more
that do not count. Of 1,024 lengths `plain` is given the first ones drawn; where lengths are
grouped, batches stand for all of them, evenly from short to long. Steps are therefore compared by
the seconds they take for a second of speech.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path
from typing import Any

from real_size import make_encoders
from side_by_side import Ratio, keep, own_peak_gb, table, versions

PLAIN = "plain"
WAYS: dict[str, dict[str, object]] = {
    PLAIN: {},
    "full": {"tune": "full"},
    "lora": {"tune": "lora"},
    "full, any lengths": {"tune": "full", "group_by_length": False},
    "full, float32": {"tune": "full", "bf16": False},
    "full, gradient checkpointing": {"tune": "full", "gradient_checkpointing": True},
    "lora, gradient checkpointing": {"tune": "lora", "gradient_checkpointing": True},
}
BATCH, BATCHES, LENGTHS, RATE_HZ = 8, 3, 1024, 16_000
SENTENCE = "오늘 정말 마음이 아프다 그래도 괜찮아"

Step = tuple[float, float]
"""Seconds that pass, and seconds of all processor cores together."""


def main() -> None:
    """Measure every way asked for, round after round."""
    asked = _asked()
    folder = asked.folder or Path(tempfile.mkdtemp(prefix="maeum-real-size-"))
    if asked.way is not None:
        print(json.dumps(_measured(folder, asked.way)))
        return
    make_encoders(folder)
    _make_clips(folder)
    rounds: list[dict[str, dict[str, float]]] = []
    for _ in range(asked.rounds):
        rounds.append({way: _in_a_process(folder, way) for way in asked.ways})
        print(f"load {os.getloadavg()[0]:.1f}", rounds[-1], flush=True)
    rows = [_row(way, rounds) for way in asked.ways]
    head = ("way", "seconds a step", "times as fast as plain", "GB at most")
    found = f"batch {BATCH}, {len(rounds)} rounds, each way in a process of its own"
    keep("tuning", f"{found}\n\n{table(head, rows)}\n\n{versions('torch', 'transformers', 'peft')}")


def _row(way: str, rounds: list[dict[str, dict[str, float]]]) -> tuple[object, ...]:
    steps = [one[way]["step_s"] for one in rounds]
    most = max(one[way]["peak_gb"] for one in rounds)
    plain = [one[PLAIN]["step_s"] for one in rounds] if PLAIN in rounds[0] else []
    seconds = statistics.median(steps)
    times = tuple(slow / quick for slow, quick in zip(plain, steps, strict=False))
    ratio = Ratio(times, statistics.median(plain), seconds) if plain else "-"
    return way, f"{seconds:.1f}", ratio, f"{most:.1f}"


def _asked() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", nargs="?", type=Path)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--ways", nargs="+", choices=list(WAYS), default=list(WAYS)[:3])
    parser.add_argument("--way", choices=list(WAYS), help=argparse.SUPPRESS)
    return parser.parse_args()


def _in_a_process(folder: Path, way: str) -> dict[str, float]:
    again = [sys.executable, __file__, str(folder), "--way", way]
    ended = subprocess.run(again, stdout=subprocess.PIPE, text=True, check=True)
    found: dict[str, float] = json.loads(ended.stdout.splitlines()[-1])
    return found


def _make_clips(folder: Path) -> None:
    """Two corpora: batches as they are drawn, and batches of similar length from short to long."""
    import numpy as np
    import soundfile as sf

    rng = np.random.default_rng(0)
    lengths_s = rng.lognormal(np.log(3), 0.5, LENGTHS).clip(0.8, 8)
    grouped = np.sort(lengths_s).reshape(-1, BATCH)
    middles = (np.arange(BATCHES) + 0.5) * len(grouped) / BATCHES
    chosen = {"any": lengths_s[: BATCH * BATCHES], "similar": grouped[middles.astype(int)].ravel()}
    for name, lengths in chosen.items():
        rows = ["audio,text,emotion"]
        for place, length_s in enumerate(lengths):
            wave = rng.normal(0, 0.1, round(length_s * RATE_HZ))
            sf.write(folder / f"{name}-{place}.wav", wave, RATE_HZ)
            rows.append(f"{name}-{place}.wav,{SENTENCE},{('Happy', 'Sad')[place % 2]}")
        (folder / f"{name}.csv").write_text("\n".join(rows) + "\n", encoding="utf-8")


def _measured(folder: Path, way: str) -> dict[str, float]:
    """Seconds for 8 clips of average length, and the most memory the process took."""
    import soundfile as sf

    similar = way != PLAIN and WAYS[way].get("group_by_length", True)
    name = "similar" if similar else "any"
    spoken_s = sum(sf.info(path).duration for path in folder.glob(f"{name}-*.wav"))
    usual_s = sum(sf.info(path).duration for path in folder.glob("similar-*.wav")) / BATCHES
    steps = _plain(folder) if way == PLAIN else _ours(folder, name, WAYS[way])
    step_s, processor_s = (
        sum(column) / spoken_s * usual_s for column in zip(*steps[-BATCHES:], strict=True)
    )
    return {
        "step_s": step_s,
        "processor_s": processor_s,
        "peak_gb": own_peak_gb(),
    }


def _ours(folder: Path, name: str, chosen: dict[str, object]) -> list[Step]:
    """The steps of a run of two epochs, all of them but the first."""
    from maeum.config import Settings
    from maeum.corpus import import_corpus
    from maeum.training import lengths
    from maeum.training.learn import Material

    os.environ["MAEUM_CACHE"] = tempfile.mkdtemp(prefix="maeum-cache-")
    lengths.POOLS = 1  # so few batches would not be sorted together
    settings = Settings.of(
        speech=str(folder / "speech"),
        text=str(folder / "text"),
        batch_size=BATCH,
        epochs=2,
        **chosen,
    )
    material = Material.gather(import_corpus("table", folder / f"{name}.csv"), settings)
    ids = list(material.corpus.utterances["id"])
    return _between_updates(lambda: material.learn(ids))


def _plain(folder: Path) -> list[Step]:
    """The steps as one would write it with transformers alone, but for the first."""
    import polars as pl
    import soundfile as sf
    import torch
    from transformers import AutoFeatureExtractor, AutoModel, AutoTokenizer

    torch.manual_seed(0)
    hearing, reading = (AutoModel.from_pretrained(folder / side) for side in ("speech", "text"))
    hearing.freeze_feature_encoder()
    head = torch.nn.Linear(hearing.config.hidden_size + reading.config.hidden_size, 2)
    network = torch.nn.ModuleList([hearing, reading, head]).train()
    extractor = AutoFeatureExtractor.from_pretrained(folder / "speech")
    tokenizer = AutoTokenizer.from_pretrained(folder / "text")
    optimizer = torch.optim.AdamW(network.parameters(), lr=1e-5)
    table = pl.read_csv(folder / "any.csv")

    def step(rows: pl.DataFrame) -> None:
        waves = [sf.read(folder / name, dtype="float32")[0] for name in rows["audio"]]
        heard = extractor(
            waves,
            sampling_rate=RATE_HZ,
            padding=True,
            return_attention_mask=True,
            return_tensors="pt",
        )
        read = tokenizer(list(rows["text"]), padding=True, return_tensors="pt")
        states = hearing(**heard).last_hidden_state
        steps = heard["attention_mask"].sum(dim=1)
        ends = hearing._get_feat_extract_output_lengths(steps)
        keep = (torch.arange(states.shape[1]) < ends[:, None]).unsqueeze(-1)
        mean = (states * keep).sum(dim=1) / keep.sum(dim=1)
        words = reading(**read).last_hidden_state[:, 0]
        labels = torch.tensor([emotion == "Sad" for emotion in rows["emotion"]]).long()
        logits = head(torch.cat([mean, words], dim=1))
        torch.nn.functional.cross_entropy(logits, labels).backward()
        torch.nn.utils.clip_grad_norm_(network.parameters(), 1.0)
        optimizer.step()
        optimizer.zero_grad()

    def train() -> None:
        for place in [0, *range(BATCHES)]:
            step(table[place * BATCH : (place + 1) * BATCH])

    return _between_updates(train)


def _between_updates(train: Callable[[], Any]) -> list[Step]:
    """From the end of one update of weights to the end of the next."""
    import torch

    ends, update = [], torch.optim.AdamW.step

    def timed(*given: Any, **more: Any) -> Any:  # noqa: ANN401 - as torch has it
        found = update(*given, **more)
        ends.append((time.perf_counter(), time.process_time()))
        return found

    torch.optim.AdamW.step = timed  # type: ignore[method-assign]
    train()
    return [(after[0] - before[0], after[1] - before[1]) for before, after in pairwise(ends)]


if __name__ == "__main__":
    main()
