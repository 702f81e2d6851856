"""timeline: a long recording over time."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from maeum.cli.console import JsonFlag, answer, answer_json, say
from maeum.cli.options import EngineOption, PrecisionOption, engine_of
from maeum.cli.using import (
    LanguageOption,
    RunFolder,
    SpeakerOption,
    TranscribeOption,
    recogniser_for,
)

if TYPE_CHECKING:
    from maeum.inference.timeline import Segment, Timeline


ChannelOption = Annotated[
    str, typer.Option(help="A channel from 0, `mean` of all, or `each` by itself.")
]
SmoothOption = Annotated[
    float, typer.Option(metavar="SECONDS", help="How far segments look around; 0: not at all.")
]
LongestOption = Annotated[
    float, typer.Option(metavar="SECONDS", help="No segment lasts longer, 2 to 60.")
]


def timeline(
    run: RunFolder,
    audio: Annotated[Path, typer.Argument(metavar="AUDIO", help="A recording of any length.")],
    transcript: Annotated[
        Path | None, typer.Option(help="What is said when: .srt, .vtt or .json.")
    ] = None,
    transcribe: TranscribeOption = None,
    language: LanguageOption = None,
    channel: ChannelOption = "mean",
    smooth: SmoothOption = 5.0,
    longest: LongestOption = 15.0,
    speaker: SpeakerOption = None,
    csv: Annotated[Path | None, typer.Option(help="Table of the segments to write.")] = None,
    picture: Annotated[
        Path | None, typer.Option(help="Picture to write, .png: probabilities over time.")
    ] = None,
    engine: EngineOption = None,
    precision: PrecisionOption = None,
    json_: JsonFlag = False,
) -> None:
    """Follow the emotions of a long recording: a call, an interview, a day.

    Speech is found, parted into segments, and each is answered; music and silence are skipped.
    Memory does not grow with the length. Takes `pip install 'maeum[long]'`.

    **Examples**

    `maeum timeline runs/first call.wav --picture call.png`

    `maeum timeline runs/first call.wav --channel each --csv call.csv`

    `maeum timeline runs/first talk.mp3 --transcript talk.srt --json > talk.json`

    `maeum timeline runs/first talk.mp3 --transcribe openai/whisper-small`
    """
    from maeum.corpus.transcripts import read_transcript
    from maeum.inference import classifier_of
    from maeum.inference.timeline import timeline as follow

    cues = () if transcript is None else read_transcript(transcript)
    model = classifier_of(run, engine=engine_of(engine, precision))
    found = follow(
        model,
        audio,
        transcript=cues,
        recogniser=recogniser_for(model, transcribe, language),
        channel=channel,
        voice=None if speaker is None else model.voice_in(speaker),
        smooth_s=smooth,
        longest_s=longest,
    )
    _write(found, csv, picture)
    if json_:
        answer_json(found.to_dict())
    else:
        for segment in found.segments:
            answer(_line(segment, found))
    for one in found.unused:
        say(f"not answered, {one.start_s:.1f} to {one.end_s:.1f} s: {one.error}")


def _write(found: Timeline, csv: Path | None, picture: Path | None) -> None:
    if csv is not None:
        from maeum.files import write_text
        from maeum.inference.timeline import as_table

        write_text(csv, as_table(found).write_csv())
        say(f"written: {csv}")
    if picture is not None:
        from maeum.evaluation.course import timeline_figure
        from maeum.evaluation.figures import png
        from maeum.files import written_aside

        with written_aside(picture) as aside:
            aside.write_bytes(png(timeline_figure(found, Path(found.audio).name)))
        say(f"written: {picture}")


def _line(segment: Segment, found: Timeline) -> str:
    """One segment for a person: when, who, what and how sure."""
    felt = found.emotions.parse(segment.prediction.emotion).label
    who = "" if segment.channel is None else f"  channel {segment.channel}"
    words = f"  {segment.prediction.text}" if segment.prediction.text else ""
    when = f"{_clock(segment.start_s)}-{_clock(segment.end_s)}"
    return f"{when}{who}  {felt} {segment.prediction.confidence:.0%}{words}"


def _clock(second: float) -> str:
    minutes, seconds = divmod(second, 60)
    hours, minutes = divmod(int(minutes), 60)
    return f"{hours}:{minutes:02}:{seconds:04.1f}"
