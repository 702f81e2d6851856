"""What has to be said beside a study's figures, in sentences."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from maeum.studies.grid import Study
from maeum.studies.showing import Shown

PAPER_CORPUS = "AI-Hub 466 (453,365 utterances)"


def whose(shown: Shown) -> list[str]:
    """Whose figures are whose, so that nobody takes ours for the paper's."""
    return [*_whose(shown), *shown.study.notes, *_scaled(shown.study)]


def how(shown: Shown) -> list[str]:
    """How ours came about: what was tested, what was left out, what the intervals say."""
    return [*_parted(shown), *_left_out(shown), *_spread(shown), *_blind(shown)]


def _whose(shown: Shown) -> list[str]:
    corpus, study = shown.card["corpus"], shown.study
    ours = (
        f"Ours: on a corpus of {corpus['utterances']:,} utterances and "
        f"{len(shown.emotions)} emotions (read by {corpus['reader']}), "
        f"with {encoders_of(study)}."
    )
    if not shown.has_published:
        return [ours]
    return [
        f"Paper: as published, on {PAPER_CORPUS} under a random split, one run each.",
        f"{ours} The two are not of one corpus unless yours is the paper's.",
    ]


def encoders_of(study: Study) -> str:
    """The encoders of a study's runs, in words."""
    cells = study.cells()
    heard = dict.fromkeys(c.settings.speech for c in cells if c.settings.hears_speech)
    read = dict.fromkeys(c.settings.text for c in cells if c.settings.reads_text)
    tuned = dict.fromkeys(c.settings.tune for c in cells)
    how = "/".join({"frozen": "frozen", "lora": "tuned by LoRA", "full": "tuned"}[t] for t in tuned)
    return f"{' and '.join(' / '.join(names) for names in (heard, read) if names)}, {how}"


def _scaled(study: Study) -> list[str]:
    if study.scale == 1:
        return []
    told = [
        f"Sizes are those stated times {study.scale.normalize():f}, rounded up, at least 2: "
        f"{_both_sizes(study)}."
    ]
    if study.is_scaled and "epochs" not in study.settings and "epochs" not in study.axes:
        told.append(
            "Ten epochs would be a few steps on so little: networks trained for as many epochs as "
            "make 1,000 steps, from 10 to 60 (`--epochs` changes it)."
        )
    return told


def _both_sizes(study: Study) -> str:
    """What was stated and what was trained on, where no column says it."""
    if study.columns == "size":
        return "columns say what was stated → what ours were trained on"
    cells = study.cells()
    return ", ".join(dict.fromkeys(f"{cell.size} → {cell.scaled}" for cell in cells if cell.scaled))


def _parted(shown: Shown) -> list[str]:
    told = []
    for protocol, split in shown.card["splits"].items():
        if split["failure"]:
            told.append(f"{protocol}: the corpus cannot be parted so ({split['failure']}).")
        elif split["folds"]:
            told.append(
                f"{protocol}: {_turns(protocol, split, chosen=shown.study.folds is not None)}; "
                "in each a network trains on a sample drawn from the turn's training utterances, "
                f"and all {split['tested']:,} are tested once "
                f"(fingerprint {split['fingerprint']})."
            )
        else:
            told.append(
                f"{protocol}: one split, {split['tested']:,} utterances tested "
                f"(fingerprint {split['fingerprint']})."
            )
    return told


def _turns(protocol: str, split: Mapping[str, Any], *, chosen: bool) -> str:
    """How many turns, of which folds, and why there are any where nobody asked for them."""
    folds = split["folds"]
    crossed = f" ({folds} folds of speakers x {folds} of scripts)" if "+" in protocol else ""
    why = "" if chosen else ", because one test part of so small a corpus tells nothing"
    return f"{_counted(split['turns'], 'turn')}{crossed}{why}"


def _left_out(shown: Shown) -> list[str]:
    corpus = shown.card["corpus"]
    reasons = {
        "lack a recording or text": corpus.get("lacking", 0),
        "cannot be heard or read": corpus.get("unheard", 0),
    }
    counted = [f"{count:,} {why}" for why, count in reasons.items() if count]
    if not counted:
        return []
    return [f"Left out of all runs, so that they test the same: {', '.join(counted)}."]


def _spread(shown: Shown) -> list[str]:
    over = sorted({entry.over for entry in shown.entries.values() if entry.over})
    if not over:
        return []
    what = {
        "speakers": "speakers, each drawn with its answers of all seeds",
        "utterances": "utterances, because fewer than six speakers were tested: for new voices "
        "expect wider ones",
    }
    seeds = max(entry.asked_seeds for entry in shown.entries.values())
    drawn = " or ".join(what[one] for one in over)
    return [
        f"Ours are means over {_counted(seeds, 'seed')}, which decide first weights, "
        f"order of batches and samples drawn at random; 95 % intervals are over {drawn}."
    ]


def _counted(count: int, what: str) -> str:
    return f"{count:,} {what}{'s' if count != 1 else ''}"


def _blind(shown: Shown) -> list[str]:
    return [] if shown.chance is None else [f"Chance is {shown.chance:.1%}."]
