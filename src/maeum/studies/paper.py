"""The paper's experiments as data: its grids, its figures, and what it leaves open.

doi 10.3745/TKIPS.2024.13.4.174, Tables 3 to 6. `equal-n` is ours: the paper claims that both beat
text at one number of recordings, and compares different test sets.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from maeum.config import PAPER_TEXT
from maeum.errors import SettingsError
from maeum.studies.grid import ALL, Study, Value

RECIPE = "paper"

ENCODERS = {
    "skt/kobert-base-v1": "KoBERT",
    "monologg/koelectra-base-v3-discriminator": "KoELECTRA",
    "klue/bert-base": "KLUE-bert",
    "klue/roberta-small": "KLUE-roberta-small",
    "klue/roberta-large": "KLUE-roberta-large",
    PAPER_TEXT: "KcELECTRA",
}
"""The text encoders of Table 5 in its order, by the names the model hub has for them."""

TABLE_3_SIZES = (5000, 10000, 15000, 20000, 25000, 30000)
TABLE_3 = {
    "random": (79.20, 86.32, 89.33, 92.34, 92.06, 92.79),
    "short": (78.49, 85.89, 88.93, 89.82, 91.31, 92.25),
    "long": (82.90, 87.20, 89.51, 92.41, 92.46, 93.70),
}
TABLE_4_SIZES: tuple[Value, ...] = (50, 100, 150, 200, 300, 500, 1000, 1500, 2000, ALL)
TABLE_4 = (72.04, 75.04, 77.46, 78.92, 80.47, 83.93, 84.20, 84.61, 89.27, 94.53)
TABLE_5 = (92.57, 94.54, 95.44, 95.49, 96.41, 96.57)
TABLE_6_SIZES = (50, 100, 150, 200, 250, 300, 500)
TABLE_6 = {
    "short": (49.13, 56.35, 68.71, 72.23, 82.70, 83.61, 84.84),
    "long": (60.53, 82.61, 89.01, 89.86, 90.31, 94.68, 96.57),
}
LARGEST, LARGEST_ACCURACY = 5000, 96.93
"""The run of Table 6 whose order is not stated."""

EQUAL_SIZES = (50, 100, 150, 200, 300, 500)


@dataclass(frozen=True)
class Open:
    """Something the paper does not state.

    Attributes:
        asked: what is not stated.
        default: what a study does.
        option: how that is changed.
        studies: which it concerns.
    """

    asked: str
    default: str
    option: str
    studies: tuple[str, ...]


ALL_TABLES = ("table3", "table4", "table5", "table6", "equal-n")

OPEN: tuple[Open, ...] = (
    Open(
        "whether N counts utterances per emotion or in all",
        "per emotion, which Table 6 states and the text of Table 3 suggests",
        "`--count total`",
        ("table3",),
    ),
    Open(
        "whether the encoders were tuned or frozen",
        "frozen",
        "`--tune lora`, `--tune full`",
        ALL_TABLES,
    ),
    Open(
        "the learning rates",
        "0.002 of the network on frozen encoders; 0.001 with tuned ones, theirs 1e-05, of lora "
        "0.0002",
        "`--lr`, `--encoder-lr`",
        ALL_TABLES,
    ),
    Open(
        "how the vectors over time become one",
        "the mean over time of the last layer",
        "`--layers N`, `--layers weighted`",
        ALL_TABLES,
    ),
    Open("the hidden size", "128", "`--hidden-size`", ALL_TABLES),
    Open(
        "the test set of Table 4: 2,000 sentences of each emotion are 14,000 of 15,767, so that "
        "few are left that were not trained on",
        "repeated sentences are dropped in the training part after the corpus is split; the test "
        "keeps them, which under `random` are sentences of the training",
        "`--distinct corpus` drops them before the split",
        ("table4",),
    ),
    Open(
        "the order of Table 4's samples",
        "random",
        "`order` in a file of `maeum study list table4`",
        ("table4",),
    ),
    Open(
        "whether validation and test were sampled too",
        "they are taken whole",
        "`--test-per-emotion N`",
        ALL_TABLES,
    ),
    Open(
        "the number and order of Table 5's recordings",
        "500 of each emotion, longest first: its last figure is Table 6's",
        "`size` and `order` in a file of `maeum study list table5`",
        ("table5",),
    ),
    Open(
        "the order of the run on 5,000 of each emotion",
        "longest first",
        "`order` in a file of `maeum study list table6`",
        ("table6",),
    ),
    Open(
        "the spread: each figure is of one run",
        "several seeds, three unless told otherwise, and 95 % intervals",
        "`--seeds N`",
        ALL_TABLES,
    ),
    Open(
        "how new voices and new sentences fare: its split lets both into the training",
        "every cell a second time under `speaker+script`, where neither is",
        "`--split random` leaves that out",
        ALL_TABLES,
    ),
)
"""What the paper leaves open, what a study does, and how that is changed."""


def open_questions(study: Study) -> list[Open]:
    """What the paper leaves open of a study; nothing of studies that are not its."""
    return [question for question in OPEN if study.name in question.studies]


def _published(
    axis: str, figures: Mapping[str, Sequence[float]], sizes: Sequence[Value]
) -> Iterator[dict[str, Value]]:
    for value, row in figures.items():
        for size, accuracy in zip(sizes, row, strict=True):
            yield {axis: value, "size": size, "accuracy": accuracy}


def _table3() -> Study:
    return Study.of(
        name="table3",
        title="Table 3: speech alone, by number and length of the recordings",
        asks="How many recordings it takes without text, and whether long ones teach more.",
        rows=["order"],
        settings={"recipe": RECIPE},
        blocks=[{"modality": "speech", "order": list(TABLE_3), "size": TABLE_3_SIZES}],
        published=list(_published("order", TABLE_3, TABLE_3_SIZES)),
    )


def _table4() -> Study:
    return Study.of(
        name="table4",
        title="Table 4: text alone, by number of distinct sentences",
        asks="How many sentences it takes without speech.",
        rows=["modality"],
        settings={"recipe": RECIPE, "distinct_text": True},
        blocks=[{"modality": "text", "size": TABLE_4_SIZES}],
        published=list(_published("modality", {"text": TABLE_4}, TABLE_4_SIZES)),
    )


def _table5() -> Study:
    return Study.of(
        name="table5",
        title="Table 5: speech and text, by text encoder",
        asks="Which Korean text encoder goes best with the voice.",
        rows=["modality"],
        columns="text",
        settings={"recipe": RECIPE, "order": "long"},
        blocks=[{"modality": "both", "size": 500, "text": list(ENCODERS)}],
        published=[
            {"text": name, "size": 500, "accuracy": accuracy}
            for name, accuracy in zip(ENCODERS, TABLE_5, strict=True)
        ],
        labels=ENCODERS,
    )


def _table6() -> Study:
    return Study.of(
        name="table6",
        title="Table 6: speech and text, by number and length of the recordings",
        asks="How few recordings with their text do as well as many without.",
        rows=["order"],
        settings={"recipe": RECIPE},
        blocks=[
            {"modality": "both", "order": list(TABLE_6), "size": TABLE_6_SIZES},
            {"modality": "both", "order": "long", "size": LARGEST},
        ],
        published=[
            *_published("order", TABLE_6, TABLE_6_SIZES),
            {"size": LARGEST, "accuracy": LARGEST_ACCURACY},
        ],
    )


def _equal_n() -> Study:
    text = dict(zip(TABLE_4_SIZES, TABLE_4, strict=True))
    both = dict(zip(TABLE_6_SIZES, TABLE_6["long"], strict=True))
    return Study.of(
        name="equal-n",
        title="Speech, text and both, from the same recordings, on one test set",
        asks="Whether both beat either alone at one number of recordings: the paper claims it, "
        "and its tables compare different tests (60.53 of both, 72.04 of text, at 50).",
        rows=["modality"],
        settings={"recipe": RECIPE, "order": "long"},
        blocks=[{"modality": ["speech", "text", "both"], "size": EQUAL_SIZES}],
        published=[
            {"modality": modality, "size": size, "accuracy": figures[size]}
            for modality, figures in (("text", text), ("both", both))
            for size in EQUAL_SIZES
        ],
        notes=[
            "The paper's figures of text are Table 4's, of distinct sentences; those of both are "
            "Table 6's, longest first; of speech alone it has none at these sizes. They were not "
            "tested on one set, ours were."
        ],
    )


STUDIES = {study.name: study for study in (_table3(), _table4(), _table5(), _table6(), _equal_n())}
"""The studies that come with maeum, by name."""


def named(name: str | Path) -> Study:
    """A study that comes with maeum, or that of a YAML file.

    Raises:
        SettingsError: there is none of that name, or the file is no study.
    """
    known: Any = STUDIES.get(str(name))
    if known is not None:
        return known
    if Path(name).suffix in (".yaml", ".yml") or Path(name).is_file():
        return Study.load(name)
    meant = get_close_matches(str(name), STUDIES, n=1)
    hint = f" (did you mean {meant[0]}?)" if meant else ""
    raise SettingsError(
        f"no study {str(name)!r}{hint}; known: {', '.join(STUDIES)}, or a file of one's own, "
        "NAME.yaml"
    )
