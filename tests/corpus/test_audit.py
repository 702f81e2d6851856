"""The audit finds each thing that makes a number lie, and is quiet where nothing does."""

from __future__ import annotations

import json

import numpy as np
import polars as pl
import pytest

from maeum.corpus.audit import AUDITS, SEVERITIES, Evidence, Finding, audit, gather, listening
from maeum.corpus.manifest import Rejection, Utterance, rejection_table
from maeum.corpus.splits import split

EMOTIONS = ("Happy", "Angry", "Sad", "Neutrality")
SENTENCES = (
    "시험에 붙어서 정말 기뻐요",
    "약속을 또 어겨서 너무 화가 나요",
    "강아지를 잃어버려서 눈물이 나요",
    "책상을 창가로 옮기고 돌아왔어요",
    "선물을 받아서 하루 종일 웃었어요",
    "거짓말을 해서 도저히 못 참겠어요",
    "멀리 이사를 가서 하루하루가 슬퍼요",
    "시장에서 사과를 사서 집에 왔어요",
)


def told(id, emotion, **fields):
    return Utterance(id=id, emotion=emotion, **fields)


def acted(speakers=6, *, bound):
    """Every speaker reads every sentence: in its own emotion, or in all of them."""
    return [
        told(f"{speaker}-{number}-{emotion}", emotion, text=text, speaker=f"s{speaker}")
        for speaker in range(speakers)
        for number, text in enumerate(SENTENCES)
        for emotion in ([EMOTIONS[number % 4]] if bound else EMOTIONS)
    ]


def kinds(findings):
    return {finding.kind for finding in findings}


def only(findings, kind) -> Finding:
    [found] = [finding for finding in findings if finding.kind == kind]
    return found


def test_sentences_bound_to_an_emotion_are_a_leak_with_its_size(corpus_of):
    found = only(audit(corpus_of(*acted(bound=True))), "text decides the emotion")
    assert (found.severity, found.size, found.of) == ("leak", 48, 48)
    assert "48 of 48 utterances" in found.title
    assert "8 of 8 sentences" in found.title
    assert "all 6 utterances are" in found.example


def test_sentences_said_in_every_emotion_are_no_leak_but_a_note(corpus_of):
    findings = audit(corpus_of(*acted(bound=False)))
    assert "text decides the emotion" not in kinds(findings)
    title = only(findings, "text tells nothing").title
    assert title == "text can tell nothing: every sentence occurs in every emotion"


def test_a_sentence_missing_in_one_emotion_makes_nothing_into_little(corpus_of):
    sentences = [
        f"{number}번째 문장은 {'가나다라마바사아자차'[number] * 9}" for number in range(10)
    ]
    said = [
        told(f"{number}-{emotion}", emotion, text=text)
        for number, text in enumerate(sentences)
        for emotion in EMOTIONS
    ]
    found = only(audit(corpus_of(*said[:-1])), "text tells nothing")
    assert found.title == "text can tell little: 9 of 10 sentences occur in every emotion"


def test_sentences_that_agree_no_more_than_by_chance_are_no_leak(corpus_of):
    rng = np.random.default_rng(0)
    pairs = [
        told(f"{n}-{take}", EMOTIONS[rng.integers(2)], text="가나다라마바사아자차카타파하"[n] * 9)
        for n in range(14)
        for take in range(2)
    ]
    assert "text decides the emotion" not in kinds(audit(corpus_of(*pairs)))


def test_a_sentence_said_once_tells_nothing_either_way(corpus_of):
    once = [told(str(n), EMOTIONS[n % 4], text=text) for n, text in enumerate(SENTENCES)]
    assert not {"text decides the emotion", "text tells nothing"} & kinds(audit(corpus_of(*once)))


def test_sentences_that_recur_over_speakers_are_counted(corpus_of):
    found = only(audit(corpus_of(*acted(bound=True))), "sentences recur over speakers")
    assert found.title.startswith("the same 8 sentences recur over 6 speakers: a split by speaker")


def test_a_speaker_with_one_emotion_or_nearly_is_a_leak_and_cannot_be_normalised(corpus_of):
    said = [
        told(f"{speaker}-{n}", EMOTIONS[speaker] if n else "Neutrality", speaker=f"s{speaker}")
        for speaker in range(4)
        for n in range(20)
    ]
    findings = audit(corpus_of(*said))
    found = only(findings, "a speaker decides the emotion")
    assert (found.severity, found.size, found.of) == ("leak", 80, 80)
    normal = only(findings, "speakers with one emotion")
    assert (normal.size, normal.of) == (1, 4)
    assert "cannot be normalised" in normal.title
    assert normal.example.startswith("s3: 20 utterances")


def test_speakers_with_all_emotions_are_no_leak(corpus_of):
    findings = audit(corpus_of(*acted(bound=False)))
    assert not {"a speaker decides the emotion", "speakers with one emotion"} & kinds(findings)


def test_without_a_split_it_says_what_would_be_shared(corpus_of):
    findings = audit(corpus_of(*acted(bound=True)))
    titles = [finding.title for finding in findings if finding.kind.startswith("shared")]
    assert any(title.startswith("shared voices under a random split") for title in titles)
    assert any(title.startswith("shared sentences under a speaker split") for title in titles)
    assert not any(title.startswith("shared voices under a speaker split") for title in titles)
    assert {f.severity for f in findings if f.kind.startswith("shared")} == {"note"}


def test_what_the_parts_of_a_split_in_use_share_is_a_leak(corpus_of):
    corpus = corpus_of(*acted(bound=True))
    findings = audit(corpus, split(corpus.utterances, "speaker"))
    found = only(findings, "shared sentences")
    assert found.severity == "leak"
    assert found.size == found.of
    assert "shared voices" not in kinds(findings)


def test_a_strict_split_shares_nothing(corpus_of):
    corpus = corpus_of(*acted(speakers=10, bound=False))
    drawn = split(corpus.utterances, "speaker+script")
    assert {kind for kind in kinds(audit(corpus, drawn)) if kind.startswith("shared")} == set()


def test_the_corpus_own_parts_are_what_is_looked_at(corpus_of):
    said = [
        told(f"{n}", EMOTIONS[n % 4], speaker="s1" if n < 3 else f"t{n}", part=part)
        for n, part in enumerate(["Training", "test", "valid", "train", "train", "train"])
    ]
    found = only(audit(corpus_of(*said)), "shared voices")
    assert (found.severity, found.size, found.of) == ("leak", 2, 2)
    assert found.example == "1 (test) and 0 (train)"


def test_equal_sound_under_two_names_is_found(corpus_of, write_wav):
    for name, seed in (("a.wav", 1), ("b.flac", 1), ("c.wav", 2)):
        write_wav(name, seed=seed)
    said = [
        told(n, "Sad", audio=a) for n, a in zip("abc", ("a.wav", "b.flac", "c.wav"), strict=True)
    ]
    found = only(audit(corpus_of(*said)), "duplicate recordings")
    assert (found.severity, found.size, found.of) == ("fault", 2, 3)
    assert found.example == "a (Sad) and b (Sad)"


def test_equal_sound_with_two_emotions_is_a_conflict_and_a_leak(corpus_of, write_wav):
    said = [
        told(name, emotion, audio=write_wav(f"{name}.wav", seed=1), text="같은 말", speaker="s")
        for name, emotion in (("a", "Sad"), ("b", "Angry"))
    ]
    findings = audit(corpus_of(*said))
    assert only(findings, "conflicting labels").severity == "leak"
    assert only(findings, "conflicting labels").example == "a (Sad) and b (Angry)"
    assert "duplicate recordings" not in kinds(findings)


def test_a_conflict_is_shown_by_two_copies_that_differ(corpus_of, write_wav):
    name = write_wav("a.wav")
    said = [
        told(n, emotion, audio=name)
        for n, emotion in zip("abc", ("Sad", "Sad", "Angry"), strict=True)
    ]
    found = only(audit(corpus_of(*said)), "conflicting labels")
    assert found.example == "a (Sad) and c (Angry)"


def test_the_same_text_by_one_speaker_in_two_emotions_is_no_conflict(corpus_of, write_wav):
    said = [
        told(name, emotion, audio=write_wav(f"{name}.wav", seed=ord(name)), text="말", speaker="s")
        for name, emotion in (("a", "Sad"), ("b", "Angry"))
    ]
    assert not any("conflict" in kind for kind in kinds(audit(corpus_of(*said))))


def test_silent_recordings_are_silent_and_not_duplicates(corpus_of, write_wav):
    said = [told(n, "Sad", audio=write_wav(f"{n}.wav", wave=np.zeros(16_000))) for n in "ab"]
    findings = audit(corpus_of(*said))
    assert only(findings, "silence").size == 2
    assert "duplicate recordings" not in kinds(findings)


def test_rows_of_text_alone_that_repeat_or_conflict_are_found(corpus_of):
    said = [
        told("1", "Sad", text="눈물이 나"),
        told("2", "Sad", text="눈물이 나"),
        told("3", "Happy", text="그래"),
        told("4", "Angry", text="그래"),
        told("5", "Angry", text="또 그래"),
    ]
    findings = audit(corpus_of(*said))
    assert only(findings, "duplicate texts").size == 2
    conflict = only(findings, "conflicting labels of texts")
    assert (conflict.severity, conflict.size) == ("fault", 2)


CLIPPED = np.where(np.arange(16_000) % 100 == 0, 1.0, 0.1 * np.sin(np.arange(16_000)))
BAD = {
    "clipping": {"wave": CLIPPED},
    "very short": {"duration_s": 0.3},
    "very long": {"duration_s": 31, "rate_hz": 16_000},
    "telephone quality": {"rate_hz": 8_000},
    "wrong rates": {"rate_hz": 48_000},
}


@pytest.mark.parametrize("kind", BAD)
def test_a_bad_recording_among_good_ones_is_named(kind, corpus_of, write_wav):
    settings = {"a": {"seed": 1}, "b": {"seed": 2}, "bad": BAD[kind]}
    said = [
        told(
            name,
            "Sad",
            audio=write_wav(f"{name}.wav", **how),
            sample_rate_hz=how.get("rate_hz", 16_000),
        )
        for name, how in settings.items()
    ]
    found = only(audit(corpus_of(*said)), kind)
    assert (found.size, found.of) == (1, 3)
    assert found.example.startswith("bad (")


def test_good_recordings_have_no_fault(corpus_of, write_wav):
    said = [
        told(
            n,
            EMOTIONS[i % 4],
            audio=write_wav(f"{n}.wav", seed=i),
            duration_s=0.5,
            sample_rate_hz=16_000,
        )
        for i, n in enumerate("abcd")
    ]
    assert kinds(audit(corpus_of(*said))) <= {"missing speakers", "missing texts", "rare emotions"}


def test_a_broken_recording_is_a_finding_and_the_rest_is_heard(corpus_of, write_wav, tmp_path):
    (tmp_path / "broken.wav").write_bytes(b"RIFF and then nothing")
    said = [
        told("a", "Sad", audio=write_wav("a.wav", wave=np.zeros(16_000))),
        told("b", "Sad", audio="broken.wav"),
        told("c", "Sad", audio="gone.wav"),
    ]
    findings = audit(corpus_of(*said))
    assert only(findings, "unreadable recordings").size == 2
    assert "broken.wav" in only(findings, "unreadable recordings").example
    assert only(findings, "silence").size == 1


@pytest.mark.parametrize("stated_s", [1.5, 0.5])
def test_a_recording_shorter_or_longer_than_stated_is_found(stated_s, corpus_of, write_wav):
    said = [told("a", "Sad", audio=write_wav("a.wav", duration_s=1), duration_s=stated_s)]
    found = only(audit(corpus_of(*said)), "length disagrees")
    assert found.example == f"a ({stated_s:.2f} s stated, 1.00 s heard)"


def test_only_the_stretch_of_a_long_recording_is_heard(corpus_of, write_wav):
    wave = np.concatenate([np.zeros(16_000), np.random.default_rng(0).uniform(-0.3, 0.3, 16_000)])
    name = write_wav("call.wav", wave=wave)
    said = [told(str(s), "Sad", audio=name, start_s=float(s), duration_s=1.0) for s in (0, 1)]
    findings = audit(corpus_of(*said))
    assert only(findings, "silence").example.startswith("0 (")
    assert not {"duplicate recordings", "length disagrees"} & kinds(findings)


def test_each_recording_is_decoded_once(corpus_of, write_wav, monkeypatch):
    heard = []
    real = listening.load
    monkeypatch.setattr(
        listening, "load", lambda path, **how: heard.append(path.name) or real(path, **how)
    )
    audit(corpus_of(*(told(n, "Sad", audio=write_wav(f"{n}.wav")) for n in "abc")))
    assert sorted(heard) == ["a.wav", "b.wav", "c.wav"]


def test_not_listening_opens_nothing_and_still_finds_the_same_file_twice(corpus_of, monkeypatch):
    monkeypatch.setattr(listening, "load", lambda *_, **__: pytest.fail("it listened"))
    said = [told(n, "Sad", audio="gone.wav") for n in "ab"]
    findings = audit(corpus_of(*said), listen=False)
    assert "duplicate recordings" in kinds(findings)
    assert "unreadable recordings" not in kinds(findings)


def test_scarce_emotions_and_gaps_are_notes(corpus_of):
    said = [told(f"{n}", "Sad", text=f"{n}") for n in range(12)] + [told("x", "Happy", text="하")]
    findings = audit(corpus_of(*said))
    assert only(findings, "absent emotions").example == "Angry, Neutrality"
    assert only(findings, "rare emotions").example == "Happy (1)"
    assert only(findings, "missing speakers").title.endswith("13 of 13 utterances name no speaker")
    assert only(findings, "missing recordings").size == 13


def test_what_was_left_out_is_told_by_reason(corpus_of):
    rejections = [Rejection(str(n), "recording missing", f"{n}.wav is gone") for n in range(3)]
    rejections.append(Rejection("x", "no emotion", "row 9 names no emotion"))
    corpus = corpus_of(told("a", "Sad", text="말"), rejected=rejection_table(rejections))
    titles = [finding.title for finding in audit(corpus) if finding.kind == "left out"]
    assert titles == [
        "left out: 3 of 5 utterances (recording missing)",
        "left out: 1 of 5 utterances (no emotion)",
    ]


def test_leaks_come_first_and_findings_are_plain_values(corpus_of):
    findings = audit(corpus_of(*acted(bound=True)))
    places = [list(SEVERITIES).index(finding.severity) for finding in findings]
    assert places == sorted(places)
    assert json.loads(json.dumps([f.to_dict() for f in findings]))[0]["severity"] == "leak"
    assert all(0 < finding.size <= finding.of for finding in findings)


@pytest.mark.parametrize("name", AUDITS)
def test_every_check_bears_a_corpus_of_nothing(name, corpus_of):
    nothing = gather(corpus_of(), listen=True)
    assert isinstance(nothing, Evidence)
    assert {finding.kind for finding in AUDITS[name](nothing)} <= {"absent emotions"}


def test_the_rows_listened_to_stay_in_their_order(corpus_of, write_wav):
    corpus = corpus_of(*(told(n, "Sad", audio=write_wav(f"{n}.wav", seed=ord(n))) for n in "abcd"))
    evidence = gather(corpus)
    assert evidence.rows["id"].to_list() == list("abcd")
    assert evidence.rows.select(pl.col("heard_s").null_count()).item() == 0
