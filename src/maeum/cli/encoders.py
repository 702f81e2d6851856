"""encoders: what can be named as --speech and --text, what it costs, and where it is."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from maeum.cli.console import JsonFlag, answer, answer_json
from maeum.engine import is_pretrained
from maeum.errors import EncoderError

if TYPE_CHECKING:
    from maeum.encoders.known import KnownEncoder

COLUMNS = {"size": 5, "files": 6, "licence": 12, "GFLOP": 5, "s": 5, "here": 4}
"""Titles and widths of what stands behind a name; a line fits into 80."""

NAME_WIDTH, GAP = 31, "  "

LEGEND = """\
size: parameters of the encoder; files: what they take in float32
GFLOP: billions of operations for such a clip or sentence; s: the seconds one
core takes for them at {gflops:.0f} GFLOP/s, the pace of torch with wav2vec2-large on a
server; other machines differ, and a graphics card is far quicker
weights are looked for in this order:"""

UNITS = {"speech": "clip of 4 s", "text": "32 tokens"}
"""What the cost of an encoder is counted for."""


def encoders(
    name: Annotated[
        str | None, typer.Argument(metavar="NAME", help="One encoder; all are listed without.")
    ] = None,
    json_: JsonFlag = False,
) -> None:
    """List encoders: size, licence, cost, and whether they are on this machine.

    Any other model of these families works too, by its name on the model hub or its folder.

    **Examples**

    `maeum encoders`

    `maeum encoders klue/bert-base --json`
    """
    from maeum.encoders.known import KNOWN
    from maeum.encoders.pretrained.places import places

    chosen = list(KNOWN.values()) if name is None else [_known(name)]
    if json_:
        answer_json({"encoders": [_as_dict(one) for one in chosen], "looked_for_in": places()})
    elif name is None:
        _print(_listed(chosen, places()))
    else:
        _print(_told(chosen[0]))


def _known(name: str) -> KnownEncoder:
    from maeum.encoders.known import KNOWN, closest

    if name in KNOWN:
        return KNOWN[name]
    likely = closest(name, "speech") or closest(name, "text")
    hint = f"did you mean {likely}?" if likely else "maeum encoders lists those that are"
    raise EncoderError(
        f"{name!r} is not described here ({hint}); "
        "it can be named as --speech or --text all the same"
    )


def _folder_of(encoder: KnownEncoder) -> Path | None:
    from maeum.encoders.pretrained.places import local_folder

    return local_folder(encoder.name, encoder.side) if is_pretrained(encoder.name) else None


def _as_dict(encoder: KnownEncoder) -> dict[str, Any]:
    folder = _folder_of(encoder)
    return {
        "name": encoder.name,
        "modality": encoder.side,
        "family": encoder.family,
        "parameters_millions": encoder.parameters_millions,
        "disk_mb": round(encoder.disk_mb),
        "dim": encoder.dim,
        "layers": encoder.layers,
        "licence": encoder.licence,
        "gflop": encoder.gflop,
        "core_seconds": round(encoder.seconds, 3),
        "here": encoder.builtin or folder is not None,
        "folder": None if folder is None else str(folder),
        "note": encoder.note,
    }


def _listed(encoders: list[KnownEncoder], places: Iterable[str]) -> Iterator[str]:
    """All of them as a table for 80 columns, and what its columns mean."""
    from maeum.encoders.known import CORE_GFLOPS

    for side, unit in UNITS.items():
        yield from _line(f"{side}, per {unit}", *COLUMNS)
        for encoder in encoders:
            if encoder.side == side:
                yield from _line(encoder.name, *_cells(encoder))
        yield ""
    yield LEGEND.format(gflops=CORE_GFLOPS)
    yield from (f"  {number}. {place}" for number, place in enumerate(places, start=1))


def _line(name: str, *cells: str) -> Iterator[str]:
    """A line of the table; a name too long for its column gets one of its own."""
    if len(name) > NAME_WIDTH:
        yield name
        name = ""
    padded = (
        cell.ljust(width) if title == "licence" else cell.rjust(width)
        for cell, (title, width) in zip(cells, COLUMNS.items(), strict=True)
    )
    yield GAP.join((name.ljust(NAME_WIDTH), *padded))


def _cells(encoder: KnownEncoder) -> tuple[str, ...]:
    if not is_pretrained(encoder.name):
        return "-", "-", encoder.licence, "-", "-", "yes"
    return (
        f"{encoder.parameters_millions:.0f} M",
        _as_size(encoder.disk_mb),
        encoder.licence,
        f"{encoder.gflop:.{0 if encoder.gflop >= 100 else 1}f}",
        f"{round(encoder.seconds, 3):.2g}",
        "yes" if _folder_of(encoder) else "no",
    )


def _as_size(megabytes: float) -> str:
    """Megabytes in the unit that keeps them short.

    >>> _as_size(1261.6), _as_size(270.0)
    ('1.3 GB', '270 MB')
    """
    return f"{megabytes / 1000:.1f} GB" if megabytes >= 1000 else f"{megabytes:.0f} MB"


def _told(encoder: KnownEncoder) -> Iterator[str]:
    """One of them, a fact a line."""
    from maeum.encoders.known import CORE_GFLOPS

    yield f"{encoder.name}: {encoder.note}"
    layers = f"each of {encoder.layers} layers gives" if encoder.layers else "gives"
    yield f"  {encoder.side} encoder ({encoder.family}); {layers} a vector of {encoder.dim:,}"
    if is_pretrained(encoder.name):
        yield (
            f"  {encoder.parameters_millions} million parameters; files of "
            f"{_as_size(encoder.disk_mb)} in float32"
        )
        yield (
            f"  {encoder.gflop} GFLOP per {UNITS[encoder.side]}, {encoder.seconds:.2g} s of one "
            f"core at {CORE_GFLOPS:.0f} GFLOP/s"
        )
        yield f"  {_folder_of(encoder) or 'not on this machine'}"
    yield f"  licence: {encoder.licence}"
    yield f"  maeum train CORPUS --{encoder.side} {encoder.name}"


def _print(lines: Iterable[str]) -> None:
    for line in lines:
        answer(line)
