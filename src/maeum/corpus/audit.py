"""What makes a number lie: leaks, faulty recordings and labels, found before anything is trained.

A corpus can be learnt without hearing it: where each sentence belongs to one emotion, a model that
remembers sentences looks as if it understood voices. `audit` says so, with the size of it, an
example and what to do. A check is a function in `AUDITS`; what is wrong with single recordings is
a row in `RECORDING_FAULTS`.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import Any, Literal

import numpy as np
import polars as pl
from numpy.typing import NDArray

from maeum.config import Protocol
from maeum.corpus.audio import (
    SILENCE_DBFS,
    clipped_share,
    content_digest,
    level_dbfs,
    load,
    read_header,
)
from maeum.corpus.corpus import Corpus
from maeum.corpus.splits import SET_ASIDE, Split
from maeum.corpus.splits import split as draw_split
from maeum.errors import AudioError, SplitError
from maeum.progress import track

Severity = Literal["leak", "fault", "note"]

SEVERITIES: dict[Severity, str] = {
    "leak": "a score on this corpus can come out right for the wrong reason",
    "fault": "a recording, a text or a label is broken or contradicts another",
    "note": "worth knowing before a number is believed",
}
"""How bad a finding is, worst first."""

CLIPPED_SHARE = 0.001
SHORT_S, LONG_S = 0.4, 30.0
TELEPHONE_HZ = 8_000
LENGTH_TOLERANCE_S = 0.1
"""How far a length may be off, as codecs round to whole packets."""
RARE = 10
"""With fewer utterances of an emotion, a tenth of them for the test is none."""
NEARLY_ALL = 0.9
"""Share of a speaker's utterances from which on the speaker counts as having one emotion."""
BEYOND_CHANCE_SIGMAS = 3.0


@dataclass(frozen=True)
class Finding:
    """One thing that makes a number lie.

    Attributes:
        kind: a few words, the same for all of a kind.
        severity: a key of `SEVERITIES`.
        title: one sentence with the size.
        size: utterances (or speakers, sentences, emotions, as the title says) concerned.
        of: out of how many.
        example: one of them.
        advice: what to do.
    """

    kind: str
    severity: Severity
    title: str
    size: int
    of: int
    example: str
    advice: str

    def to_dict(self) -> dict[str, Any]:
        """Plain values, for JSON."""
        return asdict(self)


@dataclass(frozen=True)
class Measurement:
    """What listening to one utterance tells; all but id and fault null where it cannot be read.

    Attributes:
        id: of the utterance.
        heard_s: seconds decoded.
        level_dbfs: root mean square, 0 at full scale.
        clipped_share: of the samples at full scale, in [0, 1].
        digest: equal where the samples are.
        fault: why it cannot be read.
    """

    id: str
    heard_s: float | None = None
    level_dbfs: float | None = None
    clipped_share: float | None = None
    digest: str | None = None
    fault: str | None = None


_MEASURED = pl.Schema(
    {
        "id": pl.String(),
        "heard_s": pl.Float64(),
        "level_dbfs": pl.Float64(),
        "clipped_share": pl.Float64(),
        "digest": pl.String(),
        "fault": pl.String(),
    }
)


@dataclass(frozen=True)
class Evidence:
    """What the checks look at.

    Attributes:
        corpus: as it was given.
        rows: its utterances beside the fields of `Measurement` (null where nobody listened),
            `length_s`, as heard or else as stated, and `sound`, equal where two utterances are
            the same sound as far as is known.
        splits: the split in use; or, where none is, splits one might draw.
        in_use: whether the split is in use.
    """

    corpus: Corpus
    rows: pl.DataFrame
    splits: tuple[Split, ...]
    in_use: bool

    @property
    def recorded(self) -> pl.DataFrame:
        """The rows with a recording."""
        return self.rows.filter(pl.col("audio").is_not_null())


Check = Callable[[Evidence], Iterator[Finding]]


def audit(corpus: Corpus, split: Split | None = None, *, listen: bool = True) -> list[Finding]:
    """Everything found, leaks first.

    Args:
        corpus: what is examined.
        split: looked at for what its parts share; None: the corpus' own parts, or where it names
            none what a `random` and a `speaker` split would share.
        listen: decode every recording once, for silence, clipping and duplicates.
    """
    evidence = gather(corpus, split, listen=listen)
    findings = [finding for check in AUDITS.values() for finding in check(evidence)]
    worst_first = list(SEVERITIES)
    return sorted(findings, key=lambda finding: worst_first.index(finding.severity))


def gather(corpus: Corpus, split: Split | None = None, *, listen: bool = True) -> Evidence:
    """Listen to the recordings and choose the splits to look at; see `audit`."""
    measured = measure(corpus) if listen else pl.DataFrame(schema=_MEASURED)
    rows = corpus.utterances.join(measured, on="id", how="left", maintain_order="left")
    rows = rows.with_columns(
        length_s=pl.coalesce("heard_s", "duration_s"), sound=pl.coalesce("digest", _PLACE)
    )
    in_use = (split,) if split else _drawn(corpus, "given")
    splits = in_use or _drawn(corpus, "random", "speaker")
    return Evidence(corpus, rows, splits, in_use=bool(in_use))


_PLACE = pl.col("audio") + pl.concat_str(
    pl.col("channel", "start_s", "duration_s").cast(pl.String).fill_null(""), separator="|"
)
"""Which sound is meant, for those nobody listened to."""


def _drawn(corpus: Corpus, *protocols: Protocol) -> tuple[Split, ...]:
    """The splits of these protocols that the corpus carries."""
    found = []
    for protocol in protocols:
        try:
            found.append(draw_split(corpus.utterances, protocol))
        except SplitError:
            continue
    return tuple(found)


def measure(corpus: Corpus) -> pl.DataFrame:
    """Listen to every recording once; one row per utterance with one, fields of `Measurement`."""
    wanted = corpus.utterances.filter(pl.col("audio").is_not_null())
    heard = track(_heard(wanted, corpus.audio_root or Path()), total=len(wanted), label="listening")
    return pl.DataFrame([vars(measurement) for measurement in heard], schema=_MEASURED)


def _heard(wanted: pl.DataFrame, root: Path) -> Iterator[Measurement]:
    stretches = wanted.select(
        "id", "audio", "channel", "start_s", "duration_s", "sample_rate_hz"
    ).iter_rows(named=True)
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        yield from pool.map(partial(_measure, root=root), stretches)


def _measure(stretch: Mapping[str, Any], root: Path) -> Measurement:
    """One decode, at the rate of the recording; a recording without a start is heard to its end."""
    path, start_s = root / stretch["audio"], stretch["start_s"]
    try:
        rate_hz = stretch["sample_rate_hz"] or read_header(path).rate_hz
        wave = load(
            path,
            rate_hz=rate_hz,
            channel=stretch["channel"],
            start_s=start_s or 0.0,
            duration_s=None if start_s is None else stretch["duration_s"],
        )
    except AudioError as error:
        return Measurement(stretch["id"], fault=str(error))
    return Measurement(
        id=stretch["id"],
        heard_s=len(wave) / rate_hz,
        level_dbfs=level_dbfs(wave),
        clipped_share=clipped_share(wave),
        digest=content_digest(wave),
    )


@dataclass(frozen=True)
class Decider:
    """A column that should not give the emotion away by itself.

    Attributes:
        kind: of the finding.
        column: the column; rows that share a value are a group.
        share: of a group's utterances that must have one emotion for it to count.
        says: what its utterances do, and the groups' name.
        example: filled from a row of `_groups`.
        advice: what to do.
    """

    kind: str
    column: str
    share: float
    says: str
    example: str
    advice: str


DECIDERS = (
    Decider(
        "text decides the emotion",
        "script",
        1.0,
        "read a sentence that occurs with one emotion only ({bound:,} of {groups:,} sentences, "
        "chance would give {chance:,.0f})",
        "“{text}”: all {utterances:,} utterances are {emotion}",
        "split by script or speaker+script, and compare with a model that is given speech alone",
    ),
    Decider(
        "a speaker decides the emotion",
        "speaker",
        NEARLY_ALL,
        "come from a speaker with one emotion, or nearly ({bound:,} of {groups:,} speakers, "
        "chance would give {chance:,.0f})",
        "{speaker}: {commonest:,} of {utterances:,} utterances are {emotion}",
        "split by speaker or speaker+script, or record these speakers in other emotions too",
    ),
)


def decided(evidence: Evidence) -> Iterator[Finding]:
    """Columns that give the emotion away, more often than chance would."""
    for decider in DECIDERS:
        recurring = _groups(evidence.rows, decider.column).filter(pl.col("utterances") > 1)
        chances = _chances(recurring["utterances"], evidence.rows["emotion"], decider.share)
        bound = recurring.filter(pl.col("commonest") >= decider.share * pl.col("utterances"))
        expected, spread = chances.sum(), np.sqrt((chances * (1 - chances)).sum())
        if len(bound) <= expected + BEYOND_CHANCE_SIGMAS * spread:
            continue
        size, of = _utterances(bound), _utterances(recurring)
        says = decider.says.format(bound=len(bound), groups=len(recurring), chance=expected)
        yield Finding(
            kind=decider.kind,
            severity="leak",
            title=f"{decider.kind}: {size:,} of {of:,} utterances {says}",
            size=size,
            of=of,
            example=decider.example.format(**bound.row(0, named=True)),
            advice=decider.advice,
        )


def _groups(rows: pl.DataFrame, column: str) -> pl.DataFrame:
    """One row per value of a column, largest first: how many utterances, emotions and speakers."""
    counted = rows.filter(pl.col(column).is_not_null()).group_by(column)
    found = counted.agg(
        pl.len().cast(pl.Int64).alias("utterances"),
        pl.col("emotion").n_unique().alias("emotions"),
        pl.col("speaker").drop_nulls().unique().alias("speakers"),
        pl.col("emotion").unique_counts().max().cast(pl.Int64).alias("commonest"),
        pl.col("emotion").mode().min().alias("emotion"),
        pl.col("text").drop_nulls().mode().min().alias("text"),
    )
    return found.sort("utterances", column, descending=[True, False])


def _utterances(groups: pl.DataFrame) -> int:
    return int(groups["utterances"].sum())


def _chances(utterances: pl.Series, emotion: pl.Series, share: float) -> NDArray[np.float64]:
    """(group,) chance that a group of that size has one emotion if groups told nothing."""
    from scipy.stats import binom

    shares = emotion.value_counts()["count"].to_numpy() / max(len(emotion), 1)
    sizes = utterances.to_numpy()[:, None]
    needed = np.ceil(share * sizes)
    chances: NDArray[np.float64] = binom.sf(needed - 1, sizes, shares).sum(axis=1).clip(0, 1)
    return chances


def text_tells_nothing(evidence: Evidence) -> Iterator[Finding]:
    """The reverse of a leak: sentences that occur in every emotion."""
    emotions = evidence.rows["emotion"].n_unique()
    sentences = _groups(evidence.rows, "script").filter(pl.col("utterances") > 1)
    everywhere = sentences.filter(pl.col("emotions") == emotions)
    if emotions < 2 or everywhere.is_empty() or len(everywhere) < NEARLY_ALL * len(sentences):
        return
    share = f"{len(everywhere):,} of {len(sentences):,} sentences occur"
    whole = len(everywhere) == len(sentences)
    title = "nothing: every sentence occurs" if whole else f"little: {share}"
    yield Finding(
        kind="text tells nothing",
        severity="note",
        title=f"text can tell {title} in every emotion",
        size=_utterances(everywhere),
        of=len(evidence.rows),
        example="“{text}” in {emotions} emotions".format(**everywhere.row(0, named=True)),
        advice="give speech alone; a model given text too has nothing to gain from it",
    )


def recurring_sentences(evidence: Evidence) -> Iterator[Finding]:
    """Sentences that several speakers read."""
    sentences = _groups(evidence.rows, "script").filter(pl.col("speakers").list.len() > 1)
    if sentences.is_empty():
        return
    first, speakers = sentences.row(0, named=True), sentences["speakers"].explode().n_unique()
    yield Finding(
        kind="sentences recur over speakers",
        severity="note",
        title=f"the same {len(sentences):,} sentences recur over {speakers:,} speakers: "
        "a split by speaker tests sentences it was trained on",
        size=_utterances(sentences),
        of=len(evidence.rows),
        example=f"“{first['text']}” is read by {len(first['speakers']):,} speakers",
        advice="split by speaker+script where sentences must be new as well as voices",
    )


def one_emotion_speakers(evidence: Evidence) -> Iterator[Finding]:
    """Speakers whose mean and spread would be those of an emotion."""
    speakers = _groups(evidence.rows, "speaker")
    single = speakers.filter(pl.col("emotions") == 1)
    if single.is_empty() or evidence.rows["emotion"].n_unique() < 2:
        return
    yield Finding(
        kind="speakers with one emotion",
        severity="note",
        title=f"{len(single):,} of {len(speakers):,} speakers have one emotion only "
        "and cannot be normalised by speaker",
        size=len(single),
        of=len(speakers),
        example="{speaker}: {utterances:,} utterances, all {emotion}".format(
            **single.row(0, named=True)
        ),
        advice="normalise by recording or not at all, or leave these speakers out",
    )


@dataclass(frozen=True)
class Shared:
    """Something parts can have in common.

    Attributes:
        kind: of the finding.
        column: equal where it is the same.
        says: what utterances held out do.
        advice: what to do.
    """

    kind: str
    column: str
    says: str
    advice: str


SHARED = (
    Shared(
        "shared voices",
        "speaker",
        "are spoken by a voice of another part",
        "for scores on new voices split by speaker or speaker+script",
    ),
    Shared(
        "shared sentences",
        "script",
        "read a sentence of another part",
        "for scores on new sentences split by script or speaker+script",
    ),
    Shared(
        "shared recordings",
        "sound",
        "are a recording of another part",
        "take the copies out of the corpus and import again",
    ),
)


def shared_between_parts(evidence: Evidence) -> Iterator[Finding]:
    """Voices, sentences and recordings that one part has in common with another."""
    for drawn in evidence.splits:
        parts = drawn.parts.filter(pl.col("part") != SET_ASIDE)
        rows = evidence.rows.drop("part").join(parts, on="id", maintain_order="left")
        where = "" if evidence.in_use else f" under a {drawn.protocol} split"
        severity: Severity = "leak" if evidence.in_use else "note"
        for shared in SHARED:
            yield from _shared(rows, shared, where, severity)


def _shared(
    rows: pl.DataFrame, shared: Shared, where: str, severity: Severity
) -> Iterator[Finding]:
    in_two_parts = pl.col("part").n_unique().over(shared.column) > 1
    common = rows.filter(pl.col(shared.column).is_not_null() & in_two_parts)
    held_out = common.filter(pl.col("part") != "train")
    if held_out.is_empty():
        return
    size, of = len(held_out), len(rows.filter(pl.col("part") != "train"))
    yield Finding(
        kind=shared.kind,
        severity=severity,
        title=f"{shared.kind}{where}: {size:,} of {of:,} utterances held out {shared.says}",
        size=size,
        of=of,
        example=_shared_example(common, held_out.row(0, named=True), shared.column),
        advice=shared.advice,
    )


def _shared_example(common: pl.DataFrame, one: Mapping[str, Any], column: str) -> str:
    """An utterance held out beside one of another part that has the same in common."""
    same = (pl.col(column) == one[column]) & (pl.col("part") != one["part"])
    other = common.filter(same).row(0, named=True)
    return f"{one['id']} ({one['part']}) and {other['id']} ({other['part']})"


@dataclass(frozen=True)
class Twins:
    """Utterances that are one utterance several times.

    Attributes:
        kind, severity: of the finding.
        among: which rows are looked at.
        column: equal where they are the same.
        conflicting: whether their emotions differ.
        says: what they do.
        advice: what to do.
    """

    kind: str
    severity: Severity
    among: pl.Expr
    column: str
    conflicting: bool
    says: str
    advice: str


_AUDIBLE = pl.col("audio").is_not_null() & (pl.col("level_dbfs").fill_null(0.0) >= SILENCE_DBFS)
_TEXT_ALONE = pl.col("audio").is_null() & pl.col("text").is_not_null()

TWINS = (
    Twins(
        "conflicting labels",
        "leak",
        _AUDIBLE,
        "sound",
        True,
        "hold the same sound as another with a different emotion",
        "listen, keep the label that is right, and import again",
    ),
    Twins(
        "duplicate recordings",
        "fault",
        _AUDIBLE,
        "sound",
        False,
        "hold the same sound as another of the same emotion",
        "keep one of each and import again, or a test repeats what was trained on",
    ),
    Twins(
        "conflicting labels of texts",
        "fault",
        _TEXT_ALONE,
        "text",
        True,
        "have the same text as another with a different emotion",
        "keep the label that is right; where both are, text alone cannot tell them apart",
    ),
    Twins(
        "duplicate texts",
        "note",
        _TEXT_ALONE,
        "text",
        False,
        "have the same text as another of the same emotion",
        "split by script, or sample with distinct text",
    ),
)


def repeated(evidence: Evidence) -> Iterator[Finding]:
    """Recordings and texts that stand in the corpus several times."""
    for twins in TWINS:
        among = evidence.rows.filter(twins.among)
        differ = pl.col("emotion").n_unique().over(twins.column) > 1
        kept = differ if twins.conflicting else ~differ
        found = among.filter((pl.len().over(twins.column) > 1) & kept)
        if found.is_empty():
            continue
        first = found.filter(pl.col(twins.column) == found[twins.column][0])
        shown = zip(first["id"].head(2), first.sort("id")["emotion"].head(2), strict=True)
        yield Finding(
            kind=twins.kind,
            severity=twins.severity,
            title=f"{twins.kind}: {len(found):,} of {len(among):,} utterances {twins.says}",
            size=len(found),
            of=len(among),
            example=" and ".join(f"{id} ({emotion})" for id, emotion in shown),
            advice=twins.advice,
        )


@dataclass(frozen=True)
class RecordingFault:
    """What can be wrong with a recording.

    Attributes:
        kind, severity: of the finding.
        found: whether a row has it.
        worst: sorts the worst first.
        says: what such utterances do.
        example: filled from the worst row.
        advice: what to do.
    """

    kind: str
    severity: Severity
    found: pl.Expr
    worst: pl.Expr
    says: str
    example: str
    advice: str


_DISAGREES_S = (pl.col("heard_s") - pl.col("duration_s")).abs()

RECORDING_FAULTS = (
    RecordingFault(
        "unreadable recordings",
        "fault",
        pl.col("fault").is_not_null(),
        pl.col("id"),
        "cannot be decoded",
        "{fault}",
        "copy or export them again, then import again; those still broken are left out",
    ),
    RecordingFault(
        "silence",
        "fault",
        pl.col("level_dbfs") < SILENCE_DBFS,
        pl.col("level_dbfs"),
        f"are silent, under {SILENCE_DBFS:.0f} dBFS",
        "{id} ({level_dbfs:.0f} dBFS)",
        "leave them out, or choose another channel",
    ),
    RecordingFault(
        "clipping",
        "note",
        pl.col("clipped_share") > CLIPPED_SHARE,
        -pl.col("clipped_share"),
        f"have more than {CLIPPED_SHARE:.1%} of their samples at full scale",
        "{id} ({clipped_share:.1%} of the samples)",
        "see that clipping does not go with one emotion; record with less gain",
    ),
    RecordingFault(
        "length disagrees",
        "fault",
        _DISAGREES_S > LENGTH_TOLERANCE_S,
        -_DISAGREES_S,
        f"last longer or shorter than stated, by more than {LENGTH_TOLERANCE_S:g} s",
        "{id} ({duration_s:.2f} s stated, {heard_s:.2f} s heard)",
        "copy them again; they were cut off, or changed since the import",
    ),
    RecordingFault(
        "very short",
        "note",
        pl.col("length_s") < SHORT_S,
        pl.col("length_s"),
        f"last less than {SHORT_S:g} s",
        "{id} ({length_s:.2f} s)",
        "listen whether a word is left; train on the longest first where it is not",
    ),
    RecordingFault(
        "very long",
        "note",
        pl.col("length_s") > LONG_S,
        -pl.col("length_s"),
        f"last more than {LONG_S:g} s",
        "{id} ({length_s:.1f} s)",
        "cut them into utterances; one emotion rarely lasts so long, and memory may not suffice",
    ),
    RecordingFault(
        "telephone quality",
        "note",
        pl.col("sample_rate_hz") <= TELEPHONE_HZ,
        pl.col("sample_rate_hz"),
        f"were recorded at {TELEPHONE_HZ:,} Hz or less",
        "{id} ({sample_rate_hz:,} Hz)",
        "test on recordings of the same kind as those the model will hear",
    ),
)


def recording_faults(evidence: Evidence) -> Iterator[Finding]:
    """What is wrong with single recordings."""
    recorded = evidence.recorded
    for fault in RECORDING_FAULTS:
        found = recorded.filter(fault.found).sort(fault.worst, "id")
        if found.is_empty():
            continue
        yield Finding(
            kind=fault.kind,
            severity=fault.severity,
            title=f"{fault.kind}: {len(found):,} of {len(recorded):,} recordings {fault.says}",
            size=len(found),
            of=len(recorded),
            example=fault.example.format(**found.row(0, named=True)),
            advice=fault.advice,
        )


def wrong_rates(evidence: Evidence) -> Iterator[Finding]:
    """Recordings at another rate than most: how high a voice is cut off can tell the emotion."""
    known = evidence.recorded.filter(pl.col("sample_rate_hz").is_not_null())
    rates = known["sample_rate_hz"].value_counts().sort("count", "sample_rate_hz", descending=True)
    if len(rates) < 2:
        return
    usual_hz = rates.row(0)[0]
    others = known.filter(pl.col("sample_rate_hz") != usual_hz)
    yield Finding(
        kind="wrong rates",
        severity="note",
        title=f"wrong rates: {len(others):,} of {len(known):,} recordings are not at "
        f"{usual_hz:,} Hz as the rest",
        size=len(others),
        of=len(known),
        example="{id} ({sample_rate_hz:,} Hz)".format(**others.row(0, named=True)),
        advice="see that a rate does not go with one emotion; all are resampled to one",
    )


def scarce_emotions(evidence: Evidence) -> Iterator[Finding]:
    """Emotions of the set with few utterances or none."""
    found = dict(evidence.rows["emotion"].value_counts().iter_rows())
    counts = {name: found.get(name, 0) for name in evidence.corpus.emotions.names}
    absent = [name for name, count in counts.items() if count == 0]
    rare = [f"{name} ({count})" for name, count in counts.items() if 0 < count < RARE]
    for kind, names, says in (
        ("absent emotions", absent, "have no utterance"),
        ("rare emotions", rare, f"have fewer than {RARE} utterances"),
    ):
        if names:
            yield Finding(
                kind=kind,
                severity="note",
                title=f"{kind}: {len(names)} of {len(counts)} emotions {says}",
                size=len(names),
                of=len(counts),
                example=", ".join(names),
                advice="leave these emotions out of the set, or find more utterances of them",
            )


MISSING = {
    "speaker": ("missing speakers", "name no speaker", "a split cannot keep voices apart"),
    "text": ("missing texts", "have no text", "a model gets speech alone for them"),
    "audio": ("missing recordings", "have no recording", "a model gets text alone for them"),
}
"""Columns whose gaps matter: kind, what the utterances do, what follows."""


def missing(evidence: Evidence) -> Iterator[Finding]:
    """Utterances without a speaker, a text or a recording."""
    for column, (kind, says, advice) in MISSING.items():
        without = evidence.rows.filter(pl.col(column).is_null())
        if without.is_empty():
            continue
        size, of = len(without), len(evidence.rows)
        yield Finding(
            kind=kind,
            severity="note",
            title=f"{kind}: {size:,} of {of:,} utterances {says}",
            size=size,
            of=of,
            example=without["id"][0],
            advice=advice,
        )


def left_out(evidence: Evidence) -> Iterator[Finding]:
    """What the import rejected, by reason."""
    rejected = evidence.corpus.rejected
    of = len(evidence.corpus) + len(rejected)
    reasons = rejected.group_by("reason").agg(pl.len().alias("size"), pl.col("detail").first())
    for reason, size, detail in reasons.sort(["size", "reason"], descending=[True, False]).rows():
        yield Finding(
            kind="left out",
            severity="note",
            title=f"left out: {size:,} of {of:,} utterances ({reason})",
            size=size,
            of=of,
            example=detail,
            advice="rejected.parquet of the corpus names each; mend the source and import again",
        )


AUDITS: dict[str, Check] = {
    "decided": decided,
    "repeated": repeated,
    "shared": shared_between_parts,
    "faults": recording_faults,
    "rates": wrong_rates,
    "text tells nothing": text_tells_nothing,
    "recurring": recurring_sentences,
    "one emotion": one_emotion_speakers,
    "scarce": scarce_emotions,
    "missing": missing,
    "left out": left_out,
}
"""Every check; a new one adds a row."""
