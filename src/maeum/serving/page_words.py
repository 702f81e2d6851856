"""Every word of the page, Korean and English beside each other."""

from __future__ import annotations

from typing import NamedTuple

from markupsafe import Markup, escape

LANGUAGES = {"ko": "한국어", "en": "English"}
"""Code of a language -> what it calls itself; the first is the page's own."""


class Word(NamedTuple):
    """One thing the page says, in each of `LANGUAGES`; `{name}` is filled in."""

    ko: str
    en: str

    def filled(self, **values: object) -> Word:
        """The same with its places filled.

        >>> Word("{n}초", "{n} s").filled(n=3).en
        '3 s'
        """
        return Word(*(text.format(**values) for text in self))

    @property
    def markup(self) -> Markup:
        """Both, one of which the page's language hides."""
        return Markup("").join(
            Markup('<span class="in-{0}" lang="{0}">{1}</span>').format(language, text)
            for language, text in zip(LANGUAGES, self, strict=True)
        )


WORDS: dict[str, Word] = {
    "title": Word("마음", "maeum"),
    "lead": Word(
        "어떻게 말했는지, 무슨 말을 했는지에서 감정을 읽습니다.",
        "What is felt, from how it is said and from what is said.",
    ),
    "language": Word("언어", "Language"),
    "skip": Word("본문으로 건너뛰기", "Skip to the page"),
    "told_apart": Word("구별하는 감정", "Told apart"),
    # one utterance
    "tab_one": Word("한마디", "One utterance"),
    "recording": Word("목소리: 녹음하거나 파일을 올리세요", "Voice: record it or upload a file"),
    "text": Word("한 말 (비워 두어도 됩니다)", "What was said (may stay empty)"),
    "text_alone": Word("한 말", "What was said"),
    "text_hint": Word("예: 정말 마음이 아프다", "e.g. 정말 마음이 아프다"),
    "unsure_below": Word(
        "확신이 이보다 낮으면 답하지 않기 (%, 0이면 끔)",
        "Do not answer below this confidence (%, 0 is off)",
    ),
    "ask": Word("감정 읽기", "Read the emotion"),
    "voices": Word(
        "같은 사람의 다른 녹음 (두 개 이상)", "Other recordings of the same voice (two or more)"
    ),
    "voices_why": Word(
        "이 모델은 목소리를 같은 사람의 다른 녹음과 비교합니다. "
        "감정이 서로 다른 녹음이면 더 좋습니다.",
        "This model compares a voice with other recordings of the same person, best in several "
        "moods.",
    ),
    "voice_ready": Word(
        "비교할 녹음 {n}개를 들었습니다.", "{n} recordings to compare with were heard."
    ),
    "waiting": Word(
        "녹음하거나 글을 적은 다음 ‘감정 읽기’를 누르세요.",
        "Record or type something, then press “Read the emotion”.",
    ),
    "waiting_speech": Word(
        "녹음하거나 파일을 올린 다음 ‘감정 읽기’를 누르세요.",
        "Record something or upload a file, then press “Read the emotion”.",
    ),
    "waiting_text": Word(
        "글을 적은 다음 ‘감정 읽기’를 누르세요.",
        "Type something, then press “Read the emotion”.",
    ),
    "nothing_given": Word(
        "들은 것도 읽은 것도 없습니다. 녹음하거나, 파일을 올리거나, 글을 적어 주세요.",
        "Nothing was heard or read: record, upload a file or type what was said.",
    ),
    "nothing_given_speech": Word(
        "들은 것이 없습니다. 녹음하거나 파일을 올려 주세요.",
        "Nothing was heard: record or upload a file.",
    ),
    "nothing_given_text": Word(
        "읽은 것이 없습니다. 글을 적어 주세요.", "Nothing was read: type what was said."
    ),
    "text_too_long": Word(
        "글이 {n:,}자입니다. {most:,}자까지 읽습니다.",
        "The text has {n:,} characters; up to {most:,} are read.",
    ),
    "failed": Word("답할 수 없습니다", "No answer"),
    "broke": Word(
        "서비스에 문제가 생겼습니다. 잠시 뒤 다시 해 보세요.",
        "Something failed in the service; try again in a while.",
    ),
    "most_likely": Word("가장 그럴듯한 감정", "Most likely felt"),
    "unsure": Word("잘 모르겠습니다", "Unsure"),
    "unsure_why": Word(
        "가장 그럴듯한 감정도 확률이 {at_most} %로, 정한 기준 {least} %보다 낮습니다.",
        "Even the most likely emotion has {at_most} %, below the {least} % asked for.",
    ),
    "all_emotions": Word("모든 감정의 확률", "Probability of every emotion"),
    "rests_on": Word("무엇을 보고 답했나", "What the answer rests on"),
    "speech": Word("목소리", "Voice"),
    "text_side": Word("말", "Words"),
    "used_speech": Word("들었습니다", "heard"),
    "used_text": Word("읽었습니다", "read"),
    "contribution": Word("{points} %p", "{points} points"),
    "contribution_why": Word(
        "그것이 없을 때와 견주어, 가장 그럴듯한 감정의 확률이 바뀐 크기입니다.",
        "How far each moves the probability of the most likely emotion, against an answer "
        "without it.",
    ),
    "announced": Word("{emotion}, {percent} 퍼센트", "{emotion}, {percent} percent"),
    "history": Word("이번에 본 결과", "Results of this visit"),
    "history_why": Word(
        "이 창에서만 보이고, 창을 닫으면 사라집니다.",
        "Seen in this window alone, and gone when it is closed.",
    ),
    "own_recording": Word("녹음", "Recording"),
    # a long recording
    "tab_long": Word("긴 녹음", "Long recording"),
    "long_recording": Word("통화나 회의 녹음 파일", "Recording of a call or a meeting"),
    "follow": Word("흐름 보기", "Follow the course"),
    "long_waiting": Word(
        "긴 녹음을 올리면 감정이 시간에 따라 어떻게 흐르는지 보여 줍니다.",
        "Upload a long recording to see what was felt when.",
    ),
    "no_recording": Word(
        "녹음이 없습니다. 파일을 올리거나 녹음해 주세요.",
        "There is no recording: upload a file or record one.",
    ),
    "course": Word("감정의 흐름", "Course of the emotions"),
    "course_said": Word(
        "{duration} 동안 말한 구간 {n}개. "
        "평균 확률이 가장 높은 감정은 {emotion}({percent} %)입니다.",
        "{n} stretches of speech in {duration}; the highest mean probability is {emotion}’s "
        "({percent} %).",
    ),
    "course_how": Word(
        "각 칸의 높이가 그 구간에서 각 감정의 확률입니다. 말이 없는 곳은 비어 있습니다.",
        "The height of each colour is an emotion’s probability in that stretch; where nobody "
        "speaks it is empty.",
    ),
    "course_scroll": Word(
        "감정의 흐름, 옆으로 밀어 보기", "Course of the emotions, scrolls sideways"
    ),
    "whole_length": Word("전체", "The whole"),
    "mean": Word("평균 확률", "Mean probability"),
    "segments": Word("구간", "Stretches of speech"),
    "segments_cut": Word("처음 {shown}개만 보입니다 (전체 {n}개).", "The first {shown} of {n}."),
    "when": Word("시간", "When"),
    "channel": Word("채널", "Channel"),
    "felt": Word("감정", "Emotion"),
    "sure": Word("확률", "Probability"),
    "said": Word("한 말", "Words"),
    "without_answer": Word(
        "말한 구간 {n}개에는 답하지 못했습니다.", "{n} stretches of speech gave no answer."
    ),
    # what Gradio says of itself and does not say anew when the language changes
    "gradio_record": Word("녹음", "Record"),
    "gradio_stop": Word("중지", "Stop"),
    "gradio_pause": Word("일시정지", "Pause"),
    "gradio_play": Word("재생", "Play"),
    "gradio_resume": Word("재개", "Resume"),
    "gradio_drop": Word("오디오를 여기에 드롭", "Drop Audio Here"),
    "gradio_drop_file": Word("파일을 여기에 드롭", "Drop File Here"),
    "gradio_or": Word("- 또는 -", "- or -"),
    "gradio_click": Word("클릭하여 업로드", "Click to Upload"),
    "gradio_upload": Word("파일 올리기", "Upload file"),
    "gradio_microphone": Word("마이크로 녹음", "Record audio"),
    "gradio_clear": Word("지우기", "Clear"),
    "privacy": Word(
        "녹음은 이 서버에만 잠시 머물고 {minutes}분이 지나면 지워집니다. "
        "밖으로 나가는 것은 없습니다.",
        "Recordings stay on this server alone and are deleted after {minutes} minutes; nothing "
        "leaves it.",
    ),
    "estimate": Word(
        "확률은 모델의 추정입니다. 사람의 마음을 판정하는 근거로 쓰지 마세요.",
        "Probabilities are a model’s estimates; nobody should be judged by them.",
    ),
}
"""Key -> what it says."""


def say(key: str, **values: object) -> Markup:
    """A word in both languages, its places filled, for markup."""
    return WORDS[key].filled(**values).markup


def names(first: Word) -> Markup:
    """An emotion's name in the page's language, the other one after it, quieter.

    Args:
        first: the name in each language.
    """
    if first.ko == first.en:
        return escape(first.en)
    ways = {"ko": (first.ko, "en", first.en), "en": (first.en, "ko", first.ko)}
    return Markup("").join(
        Markup('<span class="in-{0}" lang="{0}">{1} <small lang="{2}">{3}</small></span>').format(
            language, *way
        )
        for language, way in ways.items()
    )


def translations() -> dict[str, dict[str, str]]:
    """Language -> key -> text, as Gradio takes them."""
    return {
        language: {f"maeum_{key}": word[place] for key, word in WORDS.items()}
        for place, language in enumerate(LANGUAGES)
    }
