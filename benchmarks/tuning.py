"""What a training step costs with the paper's pair at its real size: time and peak memory.

    python benchmarks/tuning.py [FOLDER] [--batch N] [--seconds S]

wav2vec2-large-robust and KcELECTRA are built from their real configurations with random weights
(1.8 GB, kept in FOLDER), so nothing here speaks of accuracy. Each way of tuning runs in a process
of its own, on clips of noise of S seconds and sentences of a few words.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import subprocess
import sys
import tempfile
from pathlib import Path

WAYS: dict[str, dict[str, object]] = {
    "frozen, features computed": {"tune": "frozen"},
    "lora": {"tune": "lora"},
    "lora, gradient checkpointing": {"tune": "lora", "gradient_checkpointing": True},
    "full": {"tune": "full"},
    "full, gradient checkpointing": {"tune": "full", "gradient_checkpointing": True},
    "full, bf16": {"tune": "full", "bf16": True},
}
STEPS = 2
SENTENCE = "오늘 정말 마음이 아프다 그래도 괜찮아"


def main() -> None:
    """Measure every way of tuning, one after another."""
    asked = _asked()
    folder = asked.folder or Path(tempfile.mkdtemp(prefix="maeum-real-size-"))
    if asked.way is not None:
        print(json.dumps(_measured(folder, asked.way, asked.batch)))
        return
    _make_pair(folder)
    _make_corpus(folder, asked.batch, asked.seconds)
    print(f"batch {asked.batch}, clips of {asked.seconds} s, {os.cpu_count()} cores")
    for way in WAYS:
        again = [sys.executable, __file__, str(folder), "--way", way, "--batch", str(asked.batch)]
        ended = subprocess.run(again, capture_output=True, text=True)
        if ended.returncode:
            print(f"{way:32} failed: {ended.stderr.strip().splitlines()[-1]}")
            continue
        found = json.loads(ended.stdout.splitlines()[-1])
        print(f"{way:32} {found['step_s']:7.2f} s a step {found['peak_gb']:6.1f} GB at most")


def _asked() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", nargs="?", type=Path)
    parser.add_argument("--batch", type=int, default=8)
    parser.add_argument("--seconds", type=float, default=4.0)
    parser.add_argument("--way", choices=list(WAYS))
    return parser.parse_args()


def _make_pair(folder: Path) -> None:
    """Both encoders in the layout of the hub, unless they are there."""
    import transformers as hf

    from maeum.testing import make_speech_checkpoint, make_text_checkpoint

    if (folder / "text" / "ready").is_file():
        return
    speech = make_speech_checkpoint(folder / "speech", "wav2vec2-large-robust")
    hf.Wav2Vec2ForPreTraining(
        hf.Wav2Vec2Config(
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
    ).save_pretrained(speech)
    text = make_text_checkpoint(folder / "text", "kcelectra")
    words = (text / "vocab.txt").read_text(encoding="utf-8").split("\n")
    words = [word for word in words if word]
    words += [f"[unused{place}]" for place in range(54_343 - len(words))]
    (text / "vocab.txt").write_text("\n".join(words) + "\n", encoding="utf-8")
    size = {"hidden_size": 768, "embedding_size": 768, "intermediate_size": 3072}
    config = hf.ElectraConfig(vocab_size=54_343, num_attention_heads=12, **size)
    hf.ElectraForPreTraining(config).save_pretrained(text)
    (text / "ready").touch()


def _make_corpus(folder: Path, clips: int, seconds: float) -> None:
    import numpy as np
    import soundfile as sf

    rate_hz, rng = 16_000, np.random.default_rng(0)
    rows = ["audio,text,emotion"]
    for place in range(clips):
        wave = rng.normal(0, 0.1, round(seconds * rate_hz))
        sf.write(folder / f"{place}.wav", wave, rate_hz)
        rows.append(f"{place}.wav,{SENTENCE},{('Happy', 'Sad')[place % 2]}")
    (folder / "clips.csv").write_text("\n".join(rows) + "\n", encoding="utf-8")


def _measured(folder: Path, way: str, batch: int) -> dict[str, float]:
    from maeum.config import Settings
    from maeum.corpus import import_corpus
    from maeum.training.learn import Material

    os.environ["MAEUM_CACHE"] = tempfile.mkdtemp(prefix="maeum-cache-")
    settings = Settings.of(
        speech=str(folder / "speech"),
        text=str(folder / "text"),
        batch_size=batch,
        epochs=STEPS,
        **WAYS[way],
    )
    material = Material.gather(import_corpus("table", folder / "clips.csv"), settings)
    _, history = material.learn(list(material.corpus.utterances["id"]))
    step_s = history[-1]["train_runtime"] / STEPS
    return {"step_s": step_s, "peak_gb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20}


if __name__ == "__main__":
    main()
