"""An experiment as data: axes, the runs they make, and what was published of them.

title: how many recordings does it take?
asks: whether 40 recordings of each emotion do as well as 80
rows: [modality]
columns: size
settings: {speech: builtin:acoustic, text: builtin:letters}
blocks:
  - {modality: [speech, both], size: [10, 20, 40, 80]}
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from itertools import product
from math import ceil, prod
from pathlib import Path
from typing import Any, Literal, get_args

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator

from maeum.config import Settings, told, unknown
from maeum.errors import SettingsError, TextError
from maeum.files import read_yaml

Value = str | int | float | bool | None
"""Of an axis."""

Count = Literal["per_emotion", "total"]
Protocol = Literal["random", "speaker", "script", "speaker+script", "given"]

ALL = "all"
"""A size: everything there is."""

FEWEST = 2
"""Below this no size is scaled."""

LARGEST = 10**9
"""No size is beyond this."""

MOST_RUNS = 20_000
"""A grid beyond this is a slip of the pen."""

DECIDED = ("per_emotion", "total", "split", "allow_fewer", "start", "tensorboard")
"""Settings that have no place in a study: `size`, `count` and `protocol` say the first three; a
run starts from new weights, and what cannot be filled is a row that says so."""

GRID_AXES = ("size", "protocol")
"""Axes beside the settings."""


class Study(BaseModel):
    """What is to be run, and how it is to be looked at.

    Attributes:
        name: short, as `table6`.
        title: one line.
        asks: the question, in a sentence.
        rows: axes that make the rows of the table.
        columns: the axis across.
        count: what a size counts.
        distinct: where sentences that were seen before are dropped, with `distinct_text`: in the
            training part, or in the corpus before it is split.
        test_per_emotion: test and validation are sampled too; None: they are taken whole.
        folds: 0: one split; 2 and more: cross-validation; None: by the size of the corpus.
        scale: sizes are multiplied by this and rounded up.
        protocols: what test and training must not share.
        seeds: how often each cell is trained: seeds 0 to `seeds` - 1.
        settings: fixed for all runs.
        blocks: axis -> values; the products of a block are runs.
        published: axes and `accuracy`, in per cent, of what was published.
        labels: value of an axis -> what a table calls it.
        notes: sentences that belong beside the table.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str = Field("own", pattern=r"^[\w.-]{1,60}$")
    title: str
    asks: str
    rows: tuple[str, ...] = ()
    columns: str = "size"
    count: Count = "per_emotion"
    distinct: Literal["training", "corpus"] = "training"
    test_per_emotion: int | None = Field(None, ge=1, le=LARGEST)
    folds: int | None = Field(None, ge=0)
    scale: Decimal = Field(Decimal(1), gt=0, le=1000)
    protocols: tuple[Protocol, ...] = ("random", "speaker+script")
    seeds: int = Field(3, ge=1, le=1000)
    settings: dict[str, Value] = Field(default_factory=dict)
    blocks: tuple[dict[str, tuple[Value, ...]], ...] = Field(min_length=1)
    published: tuple[dict[str, Value], ...] = ()
    labels: dict[str, str] = Field(default_factory=dict)
    notes: tuple[str, ...] = ()

    @field_validator("blocks", mode="before")
    @classmethod
    def _lists(cls, blocks: Any) -> Any:  # noqa: ANN401 - anything YAML can hold
        """A single value stands for a list of it."""
        if not isinstance(blocks, list | tuple):
            return blocks
        return [
            {
                axis: values if isinstance(values, list | tuple) else [values]
                for axis, values in b.items()
            }
            if isinstance(b, dict)
            else b
            for b in blocks
        ]

    @classmethod
    def of(cls, **given: Any) -> Study:  # noqa: ANN401 - the fields
        """A study whose grid makes sense.

        Raises:
            SettingsError: a field, a setting or an axis is unknown or out of range, or an axis
                stands neither in the rows nor in the columns.
        """
        try:
            study = cls.model_validate(given)
        except ValidationError as error:
            raise SettingsError(told(error, known=list(cls.model_fields), what="field")) from error
        _refuse_what_is_no_grid(study)
        study.cells()
        return study

    @classmethod
    def load(cls, path: str | Path) -> Study:
        """The study a YAML file holds.

        Raises:
            SettingsError: it cannot be read, or is no study; the message says what to mend.
        """
        try:
            values = read_yaml(Path(path))
        except TextError as error:
            raise SettingsError(str(error)) from error
        if not isinstance(values, dict):
            raise SettingsError(
                f"{path} holds a {type(values).__name__}; expected a study, with title, asks, "
                "rows, columns and blocks (`maeum study list table6` shows one)"
            )
        try:
            return cls.of(**{"name": Path(path).stem, **values})
        except SettingsError as error:
            raise SettingsError(f"{path}: {error}") from error

    def changed(self, **fields: Any) -> Study:  # noqa: ANN401 - the fields
        """The same study with other fields; None leaves one as it is."""
        given = {name: value for name, value in fields.items() if value is not None}
        return type(self).of(**{**self.model_dump(), **given})

    def with_settings(self, **given: Value) -> Study:
        """The same study under other settings; None: not given.

        A setting that is an axis gets other values: text names several by commas.
        """
        stated = {name: value for name, value in given.items() if value is not None}
        blocks = [
            {
                axis: _listed(stated[axis]) if axis in stated else values
                for axis, values in b.items()
            }
            for b in self.blocks
        ]
        fixed = {name: v for name, v in stated.items() if name not in self.axes}
        return self.changed(blocks=blocks, settings={**self.settings, **fixed})

    @property
    def axes(self) -> list[str]:
        """Those of all blocks, in order."""
        return list(dict.fromkeys(axis for block in self.blocks for axis in block))

    @property
    def is_scaled(self) -> bool:
        """Whether its sizes are smaller than stated."""
        return self.scale < 1

    def scaled(self, size: Value) -> int | None:
        """What a size comes to; None: all.

        >>> study = Study(title="", asks="", blocks=[{"size": [300]}], scale="0.02")
        >>> study.scaled(300), study.scaled(50), study.scaled("all")
        (6, 2, None)
        """
        if size == ALL:
            return None
        if self.scale == 1:
            return int(size or 0)
        return max(FEWEST, ceil(Fraction(self.scale) * Fraction(str(size))))

    def cells(self) -> list[Cell]:
        """Every run of the grid once, in order.

        Raises:
            SettingsError: they are too many, or their settings contradict each other.
        """
        found: dict[tuple[Value, Settings], Cell] = {}
        for block in self.blocks:
            axes = {
                **block,
                "protocol": block.get("protocol", self.protocols),
                "seed": block.get("seed", tuple(range(self.seeds))),
            }
            if prod(map(len, axes.values())) > MOST_RUNS:
                raise SettingsError(f"the grid has more than {MOST_RUNS:,} runs; ask for less")
            for values in product(*axes.values()):
                cell = self._cell(dict(zip(axes, values, strict=True)))
                found.setdefault((cell.size, cell.settings), cell)
        return list(found.values())

    def published_of(self, values: Mapping[str, Value]) -> float | None:
        """The accuracy that was published for some values of axes, in per cent."""
        for entry in self.published:
            where = {axis: value for axis, value in entry.items() if axis != "accuracy"}
            if all(values.get(axis) == value for axis, value in where.items()):
                return float(entry["accuracy"] or 0)
        return None

    def row_label(self, values: Sequence[Value]) -> str:
        """What a row of the table is called; of plain numbers and switches with their axis."""
        named = [
            self.label(value) if isinstance(value, str) else f"{axis} {self.label(value)}"
            for axis, value in zip(self.rows, values, strict=True)
        ]
        return ", ".join(named) or self.name

    def label(self, value: Value) -> str:
        """What a table calls a value of an axis."""
        if isinstance(value, int) and not isinstance(value, bool):
            return f"{value:,}"
        return self.labels.get(str(value), str(value))

    def column_label(self, value: Value) -> str:
        """What heads a column; of a scaled size what it comes to as well."""
        if self.columns != "size" or self.scale == 1 or value == ALL:
            return self.label(value)
        return f"{self.label(value)} → {self.scaled(value):,}"

    def to_yaml(self) -> str:
        """As a file that `load` reads."""
        return yaml.safe_dump(self.to_dict(), sort_keys=False, allow_unicode=True, width=100)

    def to_dict(self) -> dict[str, Any]:
        """Plain values, for JSON and YAML."""
        return self.model_dump(mode="json")

    def _cell(self, at: Mapping[str, Value]) -> Cell:
        size = at.get("size", ALL)
        stated: dict[str, Any] = {
            **self.settings,
            **{axis: value for axis, value in at.items() if axis not in GRID_AXES},
            "split": at["protocol"],
            self.count: self.scaled(size),
        }
        settings = Settings.of(**stated)
        if self.is_scaled and stated.get("epochs") is None:
            settings = settings.model_copy(update={"epochs": None})
        return Cell(size, settings)


@dataclass(frozen=True)
class Cell:
    """One run of a grid.

    Attributes:
        size: as stated, before any scale; `all`: everything.
        settings: of the run; `split` is the protocol, `per_emotion` or `total` the scaled size.
    """

    size: Value
    settings: Settings

    def value(self, axis: str) -> Value:
        """Where it stands on an axis."""
        if axis == "size":
            return self.size
        value: Value = getattr(self.settings, "split" if axis == "protocol" else axis)
        return value

    def values(self, axes: Iterable[str]) -> dict[str, Value]:
        """Where it stands on several."""
        return {axis: self.value(axis) for axis in axes}

    @property
    def scaled(self) -> int | None:
        """How many utterances, per emotion or in all, as the settings count; None: all."""
        own = self.settings
        return own.per_emotion if own.per_emotion is not None else own.total


def _listed(value: Value) -> tuple[Value, ...]:
    if not isinstance(value, str):
        return (value,)
    return tuple(part.strip() for part in value.split(",") if part.strip())


def _refuse_what_is_no_grid(study: Study) -> None:
    """Before the runs are made.

    Raises:
        SettingsError: an axis or setting is unknown or not a study's to choose, the table would
            mix runs that differ, or a size is none.
    """
    known = [name for name in Settings.model_fields if name not in DECIDED]
    for name in study.settings:
        if name not in known:
            raise SettingsError(unknown("setting", name, known))
    for axis in study.axes:
        if axis not in (*known, *GRID_AXES):
            raise SettingsError(unknown("axis", axis, (*GRID_AXES, *known)))
    strange = _met(study, "protocol") - set(get_args(Protocol))
    if strange:
        raise SettingsError(
            f"protocol is {strange.pop()!r}; expected one of {', '.join(get_args(Protocol))}"
        )
    if study.folds == 1:
        raise SettingsError("folds is 1; expected 0 for one split, or 2 and more")
    _refuse_what_no_table_shows(study)
    _refuse_what_are_no_sizes(study)


def _refuse_what_no_table_shows(study: Study) -> None:
    shown = (*study.rows, study.columns)
    for name in shown:
        if name not in study.axes:
            raise SettingsError(f"the table shows {name!r}, which is no axis of any block")
    pooled = (*shown, "protocol", "seed")
    hidden = [axis for axis in study.axes if axis not in pooled and len(_met(study, axis)) > 1]
    if hidden:
        raise SettingsError(f"the axis {hidden[0]!r} stands in neither rows nor columns; add it")


def _met(study: Study, axis: str) -> set[Value]:
    return {value for block in study.blocks for value in block.get(axis, ())}


def _refuse_what_are_no_sizes(study: Study) -> None:
    for size in _met(study, "size"):
        whole = isinstance(size, int) and not isinstance(size, bool) and 1 <= size <= LARGEST
        if size != ALL and not whole:
            raise SettingsError(
                f"a size is {size!r}; expected a number from 1 to {LARGEST:,}, or {ALL}"
            )
    wrong = [
        entry for entry in study.published if not isinstance(entry.get("accuracy"), int | float)
    ]
    if wrong:
        raise SettingsError(f"published has {wrong[0]}; expected axes and `accuracy` in per cent")
