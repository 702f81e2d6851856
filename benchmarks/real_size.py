"""The paper's two encoders at their real size with random weights, clips, sentences, and a run.

Nothing made here can say anything about accuracy.
"""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import soundfile as sf

RATE_HZ = 16_000
SHORTEST_S, LONGEST_S = 0.8, 8.0
MIXES = ("calls", "uniform")
"""How long clips are: many short ones and a few long ones, or every length equally often."""

WORDS = (
    *("오늘", "정말", "마음이", "아프다", "그래도", "괜찮아", "비가"),
    *("많이", "와서", "학교에", "늦었어요", "선생님께", "혼났어요"),
)


def make_encoders(folder: Path) -> tuple[Path, Path]:
    """Both in the layout of the hub, 1.8 GB, unless they are there: speech, text."""
    import transformers as hf

    from maeum.testing import make_speech_checkpoint, make_text_checkpoint

    if (folder / "text" / "ready").is_file():
        return folder / "speech", folder / "text"
    speech = make_speech_checkpoint(folder / "speech", "wav2vec2-large-robust")
    config = hf.Wav2Vec2Config(
        hidden_size=1024,
        num_hidden_layers=24,
        num_attention_heads=16,
        intermediate_size=4096,
        conv_bias=True,
        feat_extract_norm="layer",
        do_stable_layer_norm=True,
        codevector_dim=768,
        proj_codevector_dim=768,
    )
    hf.Wav2Vec2ForPreTraining(config).save_pretrained(speech)
    (speech / "pytorch_model.bin").unlink(missing_ok=True)
    text = make_text_checkpoint(folder / "text", "kcelectra")
    words = (text / "vocab.txt").read_text(encoding="utf-8").split()
    words += [f"[unused{place}]" for place in range(54_343 - len(words))]
    (text / "vocab.txt").write_text("\n".join(words) + "\n", encoding="utf-8")
    size = {"hidden_size": 768, "embedding_size": 768, "intermediate_size": 3072}
    electra = hf.ElectraConfig(vocab_size=54_343, num_attention_heads=12, **size)
    hf.ElectraForPreTraining(electra).save_pretrained(text)
    (text / "ready").touch()
    return speech, text


def lengths_s(count: int, mix: str) -> np.ndarray:
    """(clip,) seconds, in the order of their files."""
    rng = np.random.default_rng(0)
    if mix == "uniform":
        return rng.uniform(SHORTEST_S, LONGEST_S, count)
    return np.exp(rng.normal(math.log(2.8), 0.6, count)).clip(SHORTEST_S, LONGEST_S)


def make_corpus(folder: Path, count: int, mix: str) -> Path:
    """Clips of noise with a sentence each: the table that lists them."""
    table = folder / "clips.csv"
    if table.is_file():
        return table
    folder.mkdir(parents=True, exist_ok=True)
    rng, rows = np.random.default_rng(1), ["audio,text,emotion,speaker"]
    for place, seconds in enumerate(lengths_s(count, mix)):
        wave = rng.normal(0, 0.1, round(seconds * RATE_HZ))
        sf.write(folder / f"{place:03}.wav", wave, RATE_HZ)
        sentence = " ".join(rng.choice(WORDS, max(2, round(seconds * 2))))
        emotion = ("Happy", "Sad", "Angry", "Neutrality")[place % 4]
        rows.append(f"{place:03}.wav,{sentence},{emotion},{place % 8}")
    table.write_text("\n".join(rows) + "\n", encoding="utf-8")
    return table


def gflop_of(seconds: float, *, layers: int = 24, width: int = 1024, inner: int = 4096) -> float:
    """Billions of operations of wav2vec2-large for a clip; a multiply and an add are two."""
    samples, convolutions, into = round(seconds * RATE_HZ), 0.0, 1
    for kernel, stride in zip((10, 3, 3, 3, 3, 2, 2), (5, 2, 2, 2, 2, 2, 2), strict=True):
        samples = (samples - kernel) // stride + 1
        convolutions += 2.0 * samples * kernel * into * 512
        into = 512
    frames = samples
    projection = 2.0 * frames * 512 * width
    position = 2.0 * frames * 128 * (width // 16) * width
    linear = 2.0 * frames * (4 * width * width + 2 * width * inner)
    attention = 4.0 * frames * frames * width
    return (convolutions + projection + position + layers * (linear + attention)) / 1e9


def gflop_of_tokens(tokens: int, *, layers: int = 12, width: int = 768, inner: int = 3072) -> float:
    """Billions of operations of an ELECTRA of base size for a sentence."""
    linear = 2.0 * tokens * (4 * width * width + 2 * width * inner)
    return layers * (linear + 4.0 * tokens * tokens * width) / 1e9


def make_run(folder: Path, encoders: Path, table: Path) -> Path:
    """A run on those encoders, trained for an epoch on a few of the clips."""
    from maeum import train
    from maeum.corpus import import_corpus

    if not (folder / "model.safetensors").is_file():
        corpus = import_corpus("table", table)
        few = corpus.select(corpus.utterances["id"].is_in(sorted(corpus.utterances["id"])[:16]))
        speech, text = make_encoders(encoders)
        train(few, to=folder, speech=str(speech), text=str(text), split="none", epochs=1)
    return folder
