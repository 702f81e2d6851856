"""From wav files and sentences to probabilities: maeum beside what people run today.

    python benchmarks/answers.py FOLDER [--mix calls|uniform] [--clips 64] [--pairs 5]

FOLDER holds the paper's encoders at their real size with random weights, and is filled if it is
empty (2 GB). The plain way is the loop that tutorials show: AutoModel in float32 over batches of 32
padded clips in the order of their files, mean over what is no padding, then the same head. Also
transformers' own pipeline.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import numpy as np
import soundfile as sf
import torch
from exported import exported_folder
from limits import measured_gflops
from real_size import (
    LONGEST_S,
    MIXES,
    RATE_HZ,
    gflop_of,
    gflop_of_tokens,
    lengths_s,
    make_corpus,
    make_encoders,
    make_run,
)
from side_by_side import PAIRS, all_in_turn, keep, own_peak_gb, peak_gb, table, versions

from maeum.engine import Engine
from maeum.inference import EmotionClassifier, ExportedClassifier, Query

BATCH = 32
ENGINES = {"bfloat16": Engine("torch", "bfloat16"), "float32": Engine("torch", "float32")}


class PlainLoop:
    """What a tutorial would have one write."""

    def __init__(self, speech: Path, text: Path, run: Path) -> None:
        from transformers import AutoFeatureExtractor, AutoModel, AutoTokenizer

        self.extractor = AutoFeatureExtractor.from_pretrained(speech)
        self.speech = AutoModel.from_pretrained(speech, dtype=torch.float32).eval()
        self.tokenizer = AutoTokenizer.from_pretrained(text)
        self.text = AutoModel.from_pretrained(text, dtype=torch.float32).eval()
        self.head = EmotionClassifier.from_pretrained(run).network

    @torch.inference_mode()
    def vectors(self, queries: Sequence[Query]) -> Iterator[tuple[torch.Tensor, torch.Tensor]]:
        """Of speech and of text, batch by batch."""
        for start in range(0, len(queries), BATCH):
            batch = queries[start : start + BATCH]
            waves = [sf.read(query.audio, dtype="float32")[0] for query in batch]
            heard = self.extractor(
                waves,
                sampling_rate=RATE_HZ,
                padding=True,
                return_attention_mask=True,
                return_tensors="pt",
            )
            states = self.speech(**heard).last_hidden_state
            keep_ = self.speech._get_feature_vector_attention_mask(
                states.shape[1], heard["attention_mask"]
            )
            read = self.tokenizer(
                [query.text for query in batch], padding=True, return_tensors="pt"
            )
            read.pop("token_type_ids", None)
            tokens = self.text(**read).last_hidden_state
            yield _mean(states, keep_), _mean(tokens, read["attention_mask"])

    def __call__(self, queries: Sequence[Query]) -> np.ndarray:
        """(clip, emotion) probabilities."""
        self.last = list(self.vectors(queries))
        found = [self.head.probabilities(speech=one, text=other) for one, other in self.last]
        return torch.cat(found).numpy()


def main() -> None:
    """Compare on the mix, on one clip, and in memory."""
    asked = _asked()
    speech, text = make_encoders(asked.folder)
    folder = asked.folder / f"{asked.mix}-{asked.clips}"
    queries = _queries(make_corpus(folder, asked.clips, asked.mix))
    run = make_run(asked.folder / "run", asked.folder, folder / "clips.csv")
    if asked.only is not None:  # in a process of its own, for its memory
        _works(speech, text, run, asked.only)[asked.only](queries)
        print(own_peak_gb())
        return
    works = _works(speech, text, run)
    parts = [_mix(works, queries, asked)]
    if not asked.mix_only:
        parts += [_one_clip(works, asked, run, speech), _memory(asked)]
    keep(f"answers-{asked.mix}", "\n\n".join([*parts, versions("torch", "transformers")]))


def _asked() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--mix", choices=MIXES, default="calls")
    parser.add_argument("--clips", type=int, default=64)
    parser.add_argument("--pairs", type=int, default=PAIRS)
    parser.add_argument("--mix-only", action="store_true")
    parser.add_argument("--only", help="one way, and print the most memory it held")
    return parser.parse_args()


Way = Callable[[Sequence[Query]], object]


def _works(speech: Path, text: Path, run: Path, only: str | None = None) -> dict[str, Way]:
    made: dict[str, Callable[[], Way]] = {
        "plain": lambda: PlainLoop(speech, text, run),
        **{name: _ours(run, engine) for name, engine in ENGINES.items()},
    }
    return {name: make() for name, make in made.items() if only in (None, name)}


def _ours(run: Path, engine: Engine) -> Callable[[], Way]:
    def make() -> Way:
        model = EmotionClassifier.from_pretrained(run, engine=engine)
        return lambda queries: list(model.predict(queries))

    return make


def _mix(works: dict[str, Way], queries: Sequence[Query], asked: argparse.Namespace) -> str:
    seconds = lengths_s(asked.clips, asked.mix)
    batches = [seconds[at : at + BATCH] for at in range(0, len(seconds), BATCH)]
    padding = sum(len(batch) * batch.max() for batch in batches) / seconds.sum()
    for way in works.values():
        way(queries[:4])  # what is laid out or compiled at the first call
    ratios = all_in_turn(
        {name: lambda way=way: way(queries) for name, way in works.items()},
        pairs=asked.pairs,
        warm=False,
    )
    tokens = [len(query.text.split()) * 2 + 2 for query in queries]
    work = sum(map(gflop_of, seconds)) + sum(map(gflop_of_tokens, tokens))
    rows = []
    for name, ratio in ratios.items():
        limit = measured_gflops(name)
        rows.append(
            (
                f"maeum, {name}",
                ratio,
                f"{ratio.plain_s:.1f} / {ratio.fast_s:.1f}",
                f"{work / ratio.fast_s:.0f} of {limit:.0f}: {work / ratio.fast_s / limit:.2f}",
                *_agreement(works, name, queries),
            )
        )
    head = (
        "way", "times as fast", "seconds, plain / ours", "GFLOP/s, share of the limit",
        "lowest cosine of a vector", "largest difference of a value",
    )  # fmt: skip
    return (
        f"{asked.clips} clips of {seconds.min():.1f} to {seconds.max():.1f} s "
        f"(mean {seconds.mean():.1f}; padding makes the plain way compute {padding:.2f} times as "
        f"much), {asked.pairs} pairs\n\n" + table(head, rows)
    )


def _agreement(works: dict[str, Way], name: str, queries: Sequence[Query]) -> tuple[str, str]:
    """Of every vector of speech and of text, from the run's encoders and from the plain loop's."""
    plain: PlainLoop = works["plain"]  # type: ignore[assignment]
    model: EmotionClassifier = works[name].__closure__[0].cell_contents
    sides = zip(*plain.last, strict=True)
    speech, text = (torch.cat(parts).numpy() for parts in sides)
    waves = [sf.read(query.audio, dtype="float32")[0] for query in queries]
    ours = (
        np.concatenate([model.speech[0].encode([wave]) for wave in waves]),
        model.text[0].encode([query.text for query in queries]),
    )
    cosines = [_cosines(a, b).min() for a, b in zip((speech, text), ours, strict=True)]
    apart = [np.abs(a - b).max() for a, b in zip((speech, text), ours, strict=True)]
    return f"{min(cosines):.6f}", f"{max(apart):.1e}"


def _one_clip(works: dict[str, Way], asked: argparse.Namespace, run: Path, speech: Path) -> str:
    """A clip of 4 s alone: the loop's way, ours, and transformers' pipeline."""
    path = asked.folder / "one.wav"
    wave = np.random.default_rng(0).normal(0, 0.1, 4 * RATE_HZ).astype(np.float32)
    sf.write(path, wave, RATE_HZ)
    both = [Query(str(path), "오늘 정말 마음이 아프다")]
    clips = asked.folder / f"{asked.mix}-{asked.clips}" / "clips.csv"
    graphs = exported_folder(run, Engine("onnx", "int8"), clips, asked.folder)
    rounded = ExportedClassifier.open(graphs)
    works = {**works, "exported to onnx, int8": lambda queries: list(rounded.predict(queries))}
    ratios = all_in_turn(
        {name: lambda way=way: way(both) for name, way in works.items()}, pairs=2 * asked.pairs
    )
    rows = [
        (f"maeum, {name}", "the plain loop", ratio, f"{ratio.plain_s:.3f} / {ratio.fast_s:.3f}")
        for name, ratio in ratios.items()
    ]
    heard = [Query(str(path), None)]
    ours = {name: lambda way=works[name]: way(heard) for name in ENGINES}
    rival = "transformers' pipeline"
    against = all_in_turn({rival: _pipeline(speech, path), **ours}, pairs=2 * asked.pairs)
    rows += [
        (f"maeum, {name}, speech", rival, ratio, f"{ratio.plain_s:.3f} / {ratio.fast_s:.3f}")
        for name, ratio in against.items()
    ]
    head = ("way", "against", "times as fast", "seconds, theirs / ours")
    return "One clip of 4 s with its sentence, from the file to probabilities\n\n" + table(
        head, rows
    )


def _pipeline(speech: Path, path: Path) -> Callable[[], object]:
    from transformers import AutoFeatureExtractor, AutoModelForAudioClassification, pipeline

    model = AutoModelForAudioClassification.from_pretrained(speech, num_labels=7)
    extractor = AutoFeatureExtractor.from_pretrained(speech)
    pipe = pipeline("audio-classification", model=model, feature_extractor=extractor)

    def work() -> object:
        wave, rate_hz = sf.read(path, dtype="float32")
        return pipe({"raw": wave, "sampling_rate": rate_hz})

    return work


def _memory(asked: argparse.Namespace) -> str:
    here = [str(asked.folder), "--mix", asked.mix, "--clips", str(asked.clips), "--only"]
    peaks = {name: peak_gb(__file__, *here, name) for name in ("plain", *ENGINES)}
    rows = [(name, f"{peak:.1f}", f"{peak / peaks['plain']:.2f}") for name, peak in peaks.items()]
    return f"The most memory each held for those {asked.clips} clips, loading included\n\n" + table(
        ("way", "GB", "of the plain way's"), rows
    )


def _queries(clips: Path) -> list[Query]:
    rows = [line.split(",") for line in clips.read_text(encoding="utf-8").splitlines()[1:]]
    return [Query(str(clips.parent / row[0]), row[1]) for row in rows]


def _mean(states: torch.Tensor, keep_: torch.Tensor) -> torch.Tensor:
    weights = keep_[:, :, None].to(states.dtype)
    return (states * weights).sum(dim=1) / weights.sum(dim=1)


def _cosines(these: np.ndarray, those: np.ndarray) -> np.ndarray:
    lengths = np.linalg.norm(these, axis=1) * np.linalg.norm(those, axis=1)
    return (these * those).sum(axis=1) / lengths


assert LONGEST_S <= 15

if __name__ == "__main__":
    main()
