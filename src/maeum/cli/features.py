"""features: computing vectors ahead of training, and looking after those that are kept."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from maeum.cli.console import JsonFlag, answer, answer_json, say, table
from maeum.cli.options import OnOption, on_cluster, takes_settings
from maeum.config import Settings

if TYPE_CHECKING:
    from maeum.features import Kept, Store
    from maeum.features.store import Contents

USED = (
    "recipe",
    "modality",
    "speech",
    "text",
    "layers",
    "cut_s",
    "max_tokens",
    "engine",
    "precision",
    "normalize",
)
"""Settings that decide what vectors there are."""

UNUSED_DAYS = 30.0
"""What was not used for so long is pruned, unless told otherwise."""


@takes_settings(but=tuple(name for name in Settings.model_fields if name not in USED))
def features(
    corpus: Annotated[
        Path | None, typer.Argument(metavar="CORPUS", help="Folder of a corpus.")
    ] = None,
    frames: Annotated[
        bool, typer.Option("--frames", help="Keep vectors over time, as --fusion cross needs.")
    ] = False,
    prune: Annotated[bool, typer.Option("--prune", help="Delete what is kept.")] = False,
    older_than: Annotated[
        float | None,
        typer.Option(
            min=0,
            help="--prune: what was not used for so many days. [default: 30; with --encoder 0]",
        ),
    ] = None,
    encoder: Annotated[
        str | None, typer.Option(help="--prune: only what this encoder made.")
    ] = None,
    shared: Annotated[
        Path | None,
        typer.Option(
            metavar="FOLDER",
            help="Take what others put into this folder, and put there what is new; it may lie "
            "elsewhere (s3://BUCKET/FOLDER).",
        ),
    ] = None,
    on: OnOption = "local",
    json_: JsonFlag = False,
    **settings: Any,  # noqa: ANN401 - one per setting
) -> None:
    """Compute the vectors of a corpus and keep them; without CORPUS, list what is kept.

    Every command finds them there and computes what is missing; they lie in the user's cache
    folder, or in the one MAEUM_CACHE names. The exit status is 1 where recordings cannot be used.

    **Examples**

    `maeum features corpora/ko --speech facebook/wav2vec2-large-robust --modality speech`

    `maeum features corpora/ko --speech facebook/wav2vec2-large-robust --on ray`

    `maeum features s3://calls/corpus --speech models/wav2vec2 --shared s3://calls/vectors`

    `maeum features`

    `maeum features --prune --older-than 90`

    `maeum features --prune --encoder builtin:acoustic`
    """
    if not prune and (older_than is not None or encoder is not None):
        raise typer.BadParameter("goes with --prune", param_hint="--older-than, --encoder")
    if corpus is None and any(value is not None for value in settings.values()):
        raise typer.BadParameter("goes with a CORPUS", param_hint="a setting")
    if prune and corpus is not None:
        raise typer.BadParameter("takes no CORPUS", param_hint="--prune")
    if prune:
        _prune(encoder, older_than, json_)
    elif corpus is None:
        _list(json_)
    else:
        _compute(corpus, Settings.of(**settings), frames, shared, on, json_)


def _compute(
    folder: Path, settings: Settings, frames: bool, shared: Path | None, on: str, json_: bool
) -> None:
    from maeum.corpus import Corpus
    from maeum.encoders import Reading, speech_encoders, text_encoders
    from maeum.features import keep
    from maeum.features.sharing import sharing
    from maeum.features.space import ensure_room, needed_bytes, spoken

    corpus, store = Corpus.open(folder), _store()
    reading = Reading(settings.layers, settings.cut_s, settings.max_tokens)
    how = reading, settings.answering_engine
    what: dict[str, Any] = {
        "speech": speech_encoders(settings.speech, *how) if settings.hears_speech else (),
        "text": text_encoders(settings.text, *how) if settings.reads_text else (),
        "equal_loudness": settings.normalize == "recording",
        "store": store,
        "frames": frames,
    }
    needed = needed_bytes(corpus, **what, reading=reading)
    ensure_room(store, needed)
    if needed:
        say(f"up to {spoken(needed)} will be kept in {store.folder}")
    with on_cluster(on) as there, sharing(shared, corpus, **what):
        if there:
            from maeum.cluster.features import keep_on_ray

            kept = keep_on_ray(corpus, **what, reading=reading, engine=settings.answering_engine)
        else:
            kept = keep(corpus, **what)
    _tell(kept, [one.name for one in (*what["speech"], *what["text"])], store, json_)
    if kept.failures:
        raise typer.Exit(1)


def _tell(kept: Kept, encoders: list[str], store: Store, json_: bool) -> None:
    """What was found, encoded and refused; encoders that are never kept are named apart."""
    from maeum.features.space import spoken

    rows = {name: count._asdict() for name, count in kept.counts.items()}
    if json_:
        told = [{"encoder": name, **rows[name], "bytes": kept.size_bytes[name]} for name in rows]
        answer_json({"folder": str(store.folder), "encoders": told, "failures": kept.failures})
        return
    for name in encoders:
        if name not in rows:
            say(f"note: {name} is quicker than looking its vectors up; they are not kept")
    if rows:
        table(
            f"Vectors in {store.folder}",
            ("encoder", "found", "encoded", "failed", "on the disk"),
            [(name, *kept.counts[name], spoken(kept.size_bytes[name])) for name in rows],
        )


def _list(json_: bool) -> None:
    _show(_store(), _store().contents(), "kept", json_)


def _prune(encoder: str | None, older_than: float | None, json_: bool) -> None:
    usual_days = UNUSED_DAYS if encoder is None else 0.0
    unused_days = usual_days if older_than is None else older_than
    store = _store()
    freed = store.prune(encoder=encoder, unused_days=unused_days)
    if not freed and older_than is None and encoder is None:
        say(f"note: what was used in the last {UNUSED_DAYS:g} days stays, unless --older-than is 0")
    _show(store, freed, "freed", json_)


def _show(store: Store, found: list[Contents], what: str, json_: bool) -> None:
    """Drawers and their size in all, as `kept` or `freed`."""
    from maeum.features.space import spoken

    size = sum(one.size_bytes for one in found)
    if json_:
        drawers = [_plain(one) for one in found]
        answer_json({"folder": str(store.folder), f"{what}_bytes": size, "encoders": drawers})
        return
    if found:
        columns = ("encoder", "version", "kind", "vectors", "size", "last used")
        rows = [(*_named(one), one.vectors, spoken(one.size_bytes), _day(one)) for one in found]
        table(f"Vectors in {store.folder}", columns, rows)
    answer(f"{spoken(size)} {what} in {store.folder}")
    for one in found:
        if one.kind == "broken" and what == "kept":
            say(f"note: {one.path} is broken; delete this file")


def _plain(one: Contents) -> dict[str, Any]:
    return {
        "encoder": one.encoder,
        "version": one.version,
        "kind": one.kind,
        "vectors": one.vectors,
        "bytes": one.size_bytes,
        "last_used": datetime.fromtimestamp(one.used_s).astimezone().isoformat("T", "seconds"),
    }


def _named(one: Contents) -> tuple[str, str, str]:
    return one.encoder, one.version, one.kind


def _day(one: Contents) -> str:
    return datetime.fromtimestamp(one.used_s).strftime("%Y-%m-%d %H:%M")


def _store() -> Store:
    """The store in the cache folder.

    Raises:
        StoreError: that cannot be written to.
    """
    from maeum.errors import StoreError
    from maeum.features import usual_store

    store = usual_store()
    if store is None:
        raise StoreError("there is no folder to keep vectors in; name one in MAEUM_CACHE")
    return store
