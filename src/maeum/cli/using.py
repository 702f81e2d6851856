"""predict: what to do with a run."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from maeum.cli.console import JsonFlag, answer, answer_json, say
from maeum.cli.options import EngineOption, OnOption, PrecisionOption, engine_of

if TYPE_CHECKING:
    from maeum.emotions import EmotionSet
    from maeum.inference import Classifier, Failure, Prediction, Query
    from maeum.inference.transcribing import Recogniser

RunFolder = Annotated[
    str,
    typer.Argument(
        metavar="RUN",
        help="Folder of a run or of an exported one, builtin:starter, or an audio classifier of "
        "the model hub.",
    ),
]


SpeakerOption = Annotated[
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
        help="Speech recogniser that writes down recordings without text: a folder, or a name "
        "on the model hub such as openai/whisper-small.",
    ),
]

LanguageOption = Annotated[
    str | None,
    typer.Option(help="What --transcribe is told to expect, as `en`. [default: ko]"),
]


AbstainOption = Annotated[
    float | None,
    typer.Option(help="Confidence from 0 to 1 below which an answer is: unsure."),
]

ExplainFlag = Annotated[
    bool, typer.Option("--explain", help="Say how much speech and text each contributed.")
]


AudioArgument = Annotated[
    list[Path] | None,
    typer.Argument(metavar="AUDIO", help="Recordings, folders of them, or a corpus (with --to)."),
]
TextOption = Annotated[
    str | None, typer.Option("--text", help="What is said in the one recording given.")
]
TextsOption = Annotated[
    Path | None,
    typer.Option(
        "--texts", help="Table with columns audio and text, or one sentence a line (.txt)."
    ),
]
AnswersOption = Annotated[
    Path | None,
    typer.Option(
        "--to", help="Folder to keep the answers in as Parquet, and to go on from; for many."
    ),
]


def predict(
    run: RunFolder,
    audio: AudioArgument = None,
    text: TextOption = None,
    texts: TextsOption = None,
    transcribe: TranscribeOption = None,
    language: LanguageOption = None,
    speaker: SpeakerOption = None,
    abstain: AbstainOption = None,
    explain: ExplainFlag = False,
    engine: EngineOption = None,
    precision: PrecisionOption = None,
    to: AnswersOption = None,
    on: OnOption = "local",
    json_: JsonFlag = False,
) -> None:
    """Name the emotion of recordings, sentences, or both.

    A file that cannot be used is reported and the rest go on; the exit status is then 1.

    **Examples**

    `maeum predict runs/first take3.wav --text "정말 마음이 아프다"`

    `maeum predict runs/first calls/ --texts calls.csv --json > felt.jsonl`

    `maeum predict runs/first --text "오늘 정말 행복해"`

    `maeum predict runs/first take3.wav --text "정말 마음이 아프다" --abstain 0.6 --explain`

    `maeum predict runs/paper calls/ --precision bfloat16`

    `maeum predict builtin:starter --text "너무 무섭고 불안해요"`

    `maeum predict superb/hubert-base-superb-er calls/`

    `maeum predict runs/both calls/ --transcribe openai/whisper-small`

    `maeum predict runs/first corpora/calls --to felt --on ray`
    """
    from maeum.inference import classifier_of
    from maeum.inference.bulk import Bulk
    from maeum.inference.prediction import refuse_no_confidence
    from maeum.inference.queries import queries

    refuse_no_confidence(abstain)
    if to is not None or on != "local":
        from maeum.cli.bulk import predict_into

        bulk = Bulk(run, engine_of(engine, precision), abstain, explain, transcribe, language)
        predict_into(to, bulk, (audio or [], text, texts), speaker=speaker, on=on, json_=json_)
        return
    asked = queries(audio or [], text=text, texts=texts)
    model = classifier_of(run, engine=engine_of(engine, precision))
    voice = None if speaker is None else model.voice_in(speaker)
    if model.context:
        say("note: this run looks at previous utterances of a dialogue; here each stands alone")
    spoken = _with_words(asked, model, transcribe, language)
    answers = model.predict(spoken, voice=voice, explain=explain)
    if not _all_told(answers, model.emotions, abstain, as_json=json_):
        raise typer.Exit(1)


def _all_told(
    answers: Iterable[Prediction | Failure],
    emotions: EmotionSet,
    abstain: float | None,
    *,
    as_json: bool,
) -> bool:
    """Tell each as it comes; whether none failed."""
    from maeum.inference import Failure

    good = True
    for found in answers:
        good &= not isinstance(found, Failure)
        told = found if isinstance(found, Failure) else found.or_unsure(abstain)
        _tell(told, emotions, as_json=as_json)
    return good


def _with_words(
    asked: Iterable[Query], model: Classifier, transcribe: str | None, language: str | None
) -> Iterable[Query]:
    """What is asked, with what recordings without text say, where a recogniser is named."""
    recogniser = recogniser_for(model, transcribe, language)
    if recogniser is None:
        return asked
    from maeum.inference.transcribing import with_words

    return with_words(asked, recogniser)


def recogniser_for(
    model: Classifier, transcribe: str | None, language: str | None
) -> Recogniser | None:
    """The one that was named, if the run reads what it writes down."""
    if transcribe is None:
        return None
    if "text" not in model.sides:
        say("note: this run does not read text, so --transcribe is of no use and ignored")
        return None
    from maeum.inference.transcribing import Recogniser

    return Recogniser.load(transcribe, language=language)


def _tell(found: Prediction | Failure, emotions: EmotionSet, *, as_json: bool) -> None:
    from maeum.inference import Failure

    if as_json:
        answer_json(found.to_dict(), indent=None)
    elif isinstance(found, Failure):
        say(f"failed: {found.error}")
    else:
        answer(_line(found, emotions))


def _line(found: Prediction, emotions: EmotionSet) -> str:
    """One prediction for a person: the answer, how sure, the runners-up, and what it rests on."""
    from maeum.inference.prediction import UNSURE, UNSURE_KOREAN

    ranked = sorted(found.probabilities.items(), key=lambda entry: -entry[1])
    first, *others = (f"{name} {chance:.0%}" for name, chance in ranked[:3])
    heard = " and ".join(found.modalities)
    if found.contributions is not None:
        heard = ", ".join(f"{side} {share:+.2f}" for side, share in found.contributions.items())
    what = found.audio or found.text
    if found.unsure:
        return f"{what}: {UNSURE} {UNSURE_KOREAN} ({', '.join((first, *others))}; from {heard})"
    felt = emotions.parse(found.emotion).label
    return f"{what}: {felt} {found.confidence:.0%} ({', '.join(others)}; from {heard})"
