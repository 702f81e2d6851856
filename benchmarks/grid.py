"""The paper's grid on frozen encoders: each utterance encoded once, against once for every run.

    python benchmarks/grid.py FOLDER [--scale 0.004] [--seeds 3] [--runs 8]

FOLDER holds the paper's encoders at their real size with random weights, and is filled if it is
empty. Every utterance is encoded into one store, then Tables 3, 4 and 6 are run on it as `maeum
study run` does it, heads beside each other; both are measured. Then RUNS of their runs, evenly from
all that can be filled, encode some of what they train and are tested on by themselves, as a script
for each run would, with the same encoders and the same engine. All runs are taken to encode at that
pace, loading left out, by their own number of utterances; every network is counted with the seconds
it took in the study.
"""

from __future__ import annotations

import argparse
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import soundfile as sf
from real_size import RATE_HZ, WORDS, make_encoders
from side_by_side import keep, seconds_of, table, versions

from maeum.corpus import Corpus, import_corpus
from maeum.encoders import speech_encoders, text_encoders
from maeum.engine import Engine
from maeum.features import Store, extract
from maeum.jobs import Processes
from maeum.studies import Study, named
from maeum.studies.planning import Planned, plan
from maeum.studies.running import run_study

TABLES = ("table3", "table4", "table6")
SPEAKERS, SCRIPTS, EMOTIONS = 20, 40, ("Happy", "Sad", "Angry", "Neutrality")
"""As many as the largest samples of the tables need at the usual scale, under every protocol."""


TIMED = 48
"""Utterances of a run that tell its pace."""

LENGTHS_S = (0.8, 5.6)
"""The shortest and the longest that the paper names."""


def main() -> None:
    """Run the grid both ways."""
    asked = _asked()
    speech, text = map(str, make_encoders(asked.folder))
    with tempfile.TemporaryDirectory() as temporary:
        here = Path(temporary)
        corpus = _corpus(here / "corpus")
        studies = [_study(name, asked, speech, text) for name in TABLES]
        store = Store(here / "store")
        once_s = seconds_of(
            lambda: extract(corpus, **_loaded(speech, text, ["speech", "text"]), store=store)
        )
        heads_s = seconds_of(lambda: _heads(studies, corpus, here, store))
        planned = [run for study in studies for run in plan(study, corpus).runs]
        runs = [run for run in planned if run.can_run]
        some = runs[:: max(1, len(runs) // asked.runs)]
        paces = [_pace(run, corpus, speech, text) for run in some]
    each_s = _all_by_themselves(runs, some, paces)
    shared_s = once_s + heads_s
    rows = [
        ("encoded once, maeum study run", f"{shared_s:.0f}", "1"),
        ("encoded by every run", f"{each_s + heads_s:.0f}", f"{(each_s + heads_s) / shared_s:.1f}"),
        ("of both, heads", f"{heads_s:.0f}", ""),
    ]
    usual = np.mean([len(_rows_of(run)) for run in runs])
    keep(
        "grid",
        f"Tables 3, 4 and 6 at `--scale {asked.scale} --seeds {asked.seeds}`: {len(runs)} of "
        f"{len(planned)} runs could be filled from {len(corpus)} utterances, {usual:.0f} a run; "
        f"{len(some)} runs encoded by themselves, the others are taken at their pace\n\n"
        + table(("way", "seconds", "times as long"), rows)
        + f"\n\n{versions('torch', 'transformers')}",
    )


def _asked() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--scale", type=float, default=0.004)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--runs", type=int, default=8, help="that encode by themselves")
    return parser.parse_args()


def _corpus(folder: Path) -> Corpus:
    """Every speaker reads every sentence in one emotion of four, in noise as long as real clips."""
    folder.mkdir()
    rng, rows = np.random.default_rng(0), ["audio,text,emotion,speaker"]
    for place in range(SPEAKERS * SCRIPTS):
        speaker, script = divmod(place, SCRIPTS)
        wave = rng.normal(0, 0.1, round(rng.uniform(*LENGTHS_S) * RATE_HZ))
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


def _heads(studies: Sequence[Study], corpus: Corpus, here: Path, store: Store) -> None:
    for study in studies:
        run_study(study, corpus, here / study.name, store=store, executor=Processes())


def _pace(run: Planned, corpus: Corpus, speech: str, text: str) -> float:
    """Seconds for an utterance where a run encodes its own, once its encoders are loaded."""
    ordered, rows = corpus.with_utterances(corpus.utterances.sort("id")), _rows_of(run)
    some = rows[:: max(1, len(rows) // TIMED)]
    own = ordered.with_utterances(ordered.utterances[some])
    loaded = _loaded(speech, text, run.sides)
    return seconds_of(lambda: extract(own, **loaded, store=None)) / len(some)


def _all_by_themselves(
    runs: Sequence[Planned], some: Sequence[Planned], paces: Sequence[float]
) -> float:
    """Seconds that all runs encode, each at the pace of the measured ones that take its sides."""
    total_s = 0.0
    for run in runs:
        alike = [pace for one, pace in zip(some, paces, strict=True) if one.sides == run.sides]
        total_s += len(_rows_of(run)) * float(np.mean(alike))
    return total_s


def _loaded(speech: str, text: str, sides: Sequence[str]) -> dict[str, Any]:
    engine = Engine()
    return {
        "speech": speech_encoders(speech, engine=engine) if "speech" in sides else (),
        "text": text_encoders(text, engine=engine) if "text" in sides else (),
    }


def _rows_of(run: Planned) -> np.ndarray:
    return np.unique(np.concatenate(list(run.needed())))


if __name__ == "__main__":
    main()
