"""Which label and which recording of AI-Hub 466 belong together, and what is there too often."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import compress
from typing import NamedTuple

from maeum.corpus.manifest import Rejection
from maeum.corpus.readers.aihub466_files import File, Found
from maeum.corpus.readers.aihub466_names import Home, bare


class Pair(NamedTuple):
    """A label with its recording.

    Attributes:
        id: of the utterance.
        label: the label file.
        recording: None where there is none.
        candidates: recordings of its name, where nothing tells which is its own.
    """

    id: str
    label: File
    recording: File | None
    candidates: int = 0

    @property
    def sign(self) -> tuple[object, ...]:
        """What changes when one of the files does."""
        return (self.id, *self.label, *(self.recording or ()))


@dataclass(frozen=True)
class Paired:
    """What belongs together, and what is left.

    Attributes:
        pairs: a label each, in order of folder and name.
        rejected: recordings without a label, and utterances that lie there twice.
    """

    pairs: list[Pair]
    rejected: list[Rejection]


def pair_up(found: Found) -> Paired:
    """Join labels and recordings by name, whatever their folders are called.

    Several utterances may share a short name (`PSB_00001`): of each emotion, style, speaker or part
    one. Then the folders tell them apart. What is there twice all the same counts once.
    """
    labels, recordings = _by_name(found.labels), _by_name(found.recordings)
    pairs: list[Pair] = []
    rejected: list[Rejection] = []
    for key, own in labels.items():
        heard = recordings.pop(key, [])
        if len(own) == 1 and len(heard) <= 1:
            pairs.append(Pair(bare(own[0].stem), own[0], heard[0] if heard else None))
            continue
        joined, left = _joined(own, heard)
        pairs += joined
        rejected += left
    for left_over in recordings.values():
        rejected += [_rejected(file, "label missing") for file in left_over]
    return Paired(sorted(pairs, key=lambda pair: pair.label), rejected)


def _by_name(files: Iterable[File]) -> dict[str, list[File]]:
    grouped: dict[str, list[File]] = defaultdict(list)
    for file in files:
        grouped[file.key].append(file)
    return grouped


def _by_home(files: Iterable[File]) -> dict[Home, list[File]]:
    grouped: dict[Home, list[File]] = defaultdict(list)
    for file in files:
        grouped[file.home].append(file)
    return dict(grouped)


def _joined(
    labels: Sequence[File], recordings: Sequence[File]
) -> tuple[list[Pair], list[Rejection]]:
    """Pairs of one name, and what is there too often."""
    homes, heard = _by_home(labels), _by_home(recordings)
    sounds = _matched(homes, heard)
    loose = [file for home, own in heard.items() if own not in sounds.values() for file in own]
    ids = _ids(bare(labels[0].stem), list(homes))
    pairs: list[Pair] = []
    rejected: list[Rejection] = []
    for home, own in homes.items():
        its = sounds.get(home, [])
        pairs.append(Pair(ids[home], own[0], its[0] if its else None, 0 if its else len(loose)))
        rejected += [_rejected(file, "id stands twice", own[0]) for file in own[1:]]
        rejected += [_rejected(file, "id stands twice", its[0]) for file in its[max(1, len(own)) :]]
    silent = len(homes) - len(sounds)
    rejected += [_rejected(file, "label missing") for file in loose[silent:]]
    return pairs, rejected


def _matched(
    homes: Mapping[Home, list[File]], heard: Mapping[Home, list[File]]
) -> dict[Home, list[File]]:
    """Home of a label -> the recordings that can only be its own."""
    found = {home: heard[home] for home in homes if home in heard}
    silent = [home for home in homes if home not in found]
    loose = [home for home in heard if home not in found]
    for home in silent:
        fitting = [other for other in loose if _agree(home, other)]
        if len(fitting) == 1 and sum(_agree(one, fitting[0]) for one in silent) == 1:
            found[home] = heard[fitting[0]]
    if len(silent) == len(loose) == 1:
        found[silent[0]] = heard[loose[0]]
    return found


def _agree(one: Home, other: Home) -> bool:
    """Whether nothing that both say differs."""
    return all(a == b or a is None or b is None for a, b in zip(one, other, strict=True))


def _ids(stem: str, homes: Sequence[Home]) -> dict[Home, str]:
    """The name, and behind it what differs between those who share it."""
    differing = [len(set(values)) > 1 for values in zip(*homes, strict=True)]
    return {
        home: "-".join([stem, *(part for part in compress(home, differing) if part)])
        for home in homes
    }


_DETAILS = {
    "label missing": "{path} has no label called {stem}.json",
    "id stands twice": "{path} is there as {first} too",
}


def _rejected(file: File, reason: str, first: File | None = None) -> Rejection:
    other = first.path if first else ""
    detail = _DETAILS[reason].format(path=file.path, stem=file.stem, first=other)
    return Rejection(bare(file.stem), reason, detail, file.path)
