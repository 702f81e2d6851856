"""predict: what to do with a run."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from maeum.cli.console import JsonFlag, answer, answer_json, say
from maeum.cli.options import EngineOption, PrecisionOption, engine_of

if TYPE_CHECKING:
    from maeum.emotions import EmotionSet
    from maeum.inference import Classifier, Prediction, Query

RunFolder = Annotated[
    str,
    typer.Argument(
        metavar="RUN",
        help="Folder of a run or of an exported one, or an audio classifier of the model hub.",
    ),
]

SpeakerFolder = Annotated[
    Path | None,
    typer.Option(
        exists=True,
        file_okay=False,
        help="Folder of other recordings of the voice, for --normalize speaker runs.",
    ),
]

TranscribeOption = Annotated[
    str | None,
    typer.Option(
        metavar="MODEL",
        help="Speech recogniser that writes down recordings without text: a folder, or a name on "
        "the model hub such as openai/whisper-small.",
    ),
]

LanguageOption = Annotated[
    str | None, typer.Option(help="What --transcribe is told to expect, as `en`. [default: ko]")
]


def predict(
    run: RunFolder,
    audio: Annotated[
        list[Path] | None,
        typer.Argument(metavar="AUDIO", help="Recordings, or folders of them."),
    ] = None,
    text: Annotated[
        str | None, typer.Option(help="What is said in the one recording given.")
    ] = None,
    texts: Annotated[
        Path | None,
        typer.Option(help="Table with columns audio and text, or one sentence a line (.txt)."),
    ] = None,
    transcribe: TranscribeOption = None,
    language: LanguageOption = None,
    speaker: SpeakerFolder = None,
    engine: EngineOption = None,
    precision: PrecisionOption = None,
    json_: JsonFlag = False,
) -> None:
    """Name the emotion of recordings, sentences, or both.

    A file that cannot be used is reported and the rest go on; the exit status is then 1.

    **Examples**

    `maeum predict runs/first take3.wav --text "정말 마음이 아프다"`

    `maeum predict runs/first calls/ --texts calls.csv --json > felt.jsonl`

    `maeum predict runs/first --text "오늘 정말 행복해"`

    `maeum predict runs/paper calls/ --precision bfloat16`

    `maeum predict superb/hubert-base-superb-er calls/`

    `maeum predict runs/both calls/ --transcribe openai/whisper-small`
    """
    from maeum.inference import Failure, classifier_of
    from maeum.inference.queries import queries

    asked = queries(audio or [], text=text, texts=texts)
    model = classifier_of(run, engine=engine_of(engine, precision))
    voice = None if speaker is None else model.voice_in(speaker)
    if model.context:
        say("note: this run looks at previous utterances of a dialogue; here each stands alone")
    failed = 0
    for found in model.predict(_with_words(asked, model, transcribe, language), voice=voice):
        failed += isinstance(found, Failure)
        if json_:
            answer_json(found.to_dict(), indent=None)
        elif isinstance(found, Failure):
            say(f"failed: {found.error}")
        else:
            answer(_line(found, model.emotions))
    if failed:
        raise typer.Exit(1)


def _with_words(
    asked: Iterable[Query], model: Classifier, transcribe: str | None, language: str | None
) -> Iterable[Query]:
    """What is asked, with what recordings without text say, where a recogniser is named."""
    if transcribe is None:
        return asked
    if "text" not in model.sides:
        say("note: this run does not read text, so --transcribe is of no use and ignored")
        return asked
    from maeum.inference.transcribing import Recogniser, with_words

    return with_words(asked, Recogniser.load(transcribe, language=language))


def _line(found: Prediction, emotions: EmotionSet) -> str:
    """One prediction for a person: the answer, how sure, and the runners-up."""
    ranked = sorted(found.probabilities.items(), key=lambda entry: -entry[1])
    others = ", ".join(f"{name} {chance:.0%}" for name, chance in ranked[1:3])
    heard = " and ".join(found.modalities)
    what = found.audio or found.text
    felt = emotions.parse(found.emotion).label
    return f"{what}: {felt} {found.confidence:.0%} ({others}; from {heard})"
