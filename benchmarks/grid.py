"""The paper's grid on frozen encoders: each utterance encoded once, against once for every run.

    python benchmarks/grid.py FOLDER [--scale 0.004] [--seeds 1] [--encoders small|real]

FOLDER holds the paper's encoders at their real size with random weights, and is filled if it is
empty. Tables 3, 4 and 6 are run as `maeum study run` does it, with one store. Then every one of
their runs encodes what it trains and is tested on by itself, as a script for each run would, with
the same encoders and the same engine; its network is counted with the seconds it took in the study.
Both are measured whole, nothing is extrapolated.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import soundfile as sf
from real_size import RATE_HZ, WORDS, make_encoders
from side_by_side import keep, seconds_of, table, versions

from maeum.corpus import Corpus, import_corpus
from maeum.encoders import speech_encoders, text_encoders
from maeum.engine import Engine
from maeum.features import Store, extract
from maeum.studies import Study, named
from maeum.studies.planning import Planned, plan
from maeum.studies.running import run_study

TABLES = ("table3", "table4", "table6")
SPEAKERS, SCRIPTS, EMOTIONS = 10, 14, ("Happy", "Sad", "Angry", "Neutrality")


def main() -> None:
    """Run the grid both ways."""
    asked = _asked()
    speech, text = map(str, make_encoders(asked.folder))
    with tempfile.TemporaryDirectory() as temporary:
        here = Path(temporary)
        corpus = _corpus(here / "corpus")
        studies = [_study(name, asked, speech, text) for name in TABLES]
        shared_s = _shared(studies, corpus, here)
        runs = [run for study in studies for run in plan(study, corpus).runs if run.can_run]
        once_s = seconds_of(lambda: _encode(speech, text, corpus, ["speech", "text"]))
        each_s = _each_by_itself(runs, corpus, speech, text)
    heads_s = shared_s - once_s
    rows = [
        ("encoded once, maeum study run", f"{shared_s:.0f}", "1"),
        ("encoded by every run", f"{each_s + heads_s:.0f}", f"{(each_s + heads_s) / shared_s:.1f}"),
        ("of that, encoding alone", f"{each_s:.0f}", f"{each_s / once_s:.1f}"),
    ]
    encoded = sum(len(_rows_of(run)) for run in runs)
    keep(
        "grid",
        f"{len(runs)} runs of tables 3, 4 and 6 at `--scale {asked.scale}`, {len(corpus)} "
        f"utterances, {encoded / len(runs):.0f} for a run\n\n"
        + table(("way", "seconds", "times as long"), rows)
        + f"\n\n{versions('torch', 'transformers')}",
    )


def _asked() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--scale", type=float, default=0.004)
    parser.add_argument("--seeds", type=int, default=1)
    return parser.parse_args()


def _corpus(folder: Path) -> Corpus:
    """Every speaker reads every sentence in one emotion of four, a second or two of noise each."""
    folder.mkdir()
    rng, rows = np.random.default_rng(0), ["audio,text,emotion,speaker"]
    for place in range(SPEAKERS * SCRIPTS):
        speaker, script = divmod(place, SCRIPTS)
        wave = rng.normal(0, 0.1, round(rng.uniform(0.8, 2.0) * RATE_HZ))
        sf.write(folder / f"{place}.wav", wave, RATE_HZ)
        sentence = " ".join(np.random.default_rng(script).choice(WORDS, 6))
        emotion = EMOTIONS[(speaker + script) % len(EMOTIONS)]
        rows.append(f"{place}.wav,{sentence},{emotion},{speaker}")
    (folder / "clips.csv").write_text("\n".join(rows) + "\n", encoding="utf-8")
    return import_corpus("table", folder / "clips.csv")


def _study(name: str, asked: argparse.Namespace, speech: str, text: str) -> Study:
    study = named(name).changed(scale=asked.scale, seeds=asked.seeds)
    sides = {"table3": {"speech": speech}, "table4": {"text": text}}
    return study.with_settings(**sides.get(name, {"speech": speech, "text": text}))


def _shared(studies: Sequence[Study], corpus: Corpus, here: Path) -> float:
    store, begin = Store(here / "store"), time.perf_counter()
    for study in studies:
        run_study(study, corpus, here / study.name, store=store)
    return time.perf_counter() - begin


def _each_by_itself(runs: Sequence[Planned], corpus: Corpus, speech: str, text: str) -> float:
    ordered = corpus.with_utterances(corpus.utterances.sort("id"))
    total_s = 0.0
    for run in runs:
        own = ordered.with_utterances(ordered.utterances[_rows_of(run)])
        total_s += seconds_of(lambda own=own, run=run: _encode(speech, text, own, run.sides))
    return total_s


def _encode(speech: str, text: str, corpus: Corpus, sides: Sequence[str]) -> None:
    """What a script does, loading included."""
    engine = Engine()
    extract(
        corpus,
        speech=speech_encoders(speech, engine=engine) if "speech" in sides else (),
        text=text_encoders(text, engine=engine) if "text" in sides else (),
        store=None,
    )


def _rows_of(run: Planned) -> np.ndarray:
    return np.unique(np.concatenate(list(run.needed())))


if __name__ == "__main__":
    main()
