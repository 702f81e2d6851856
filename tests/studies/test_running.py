"""A study encodes once, repeats nothing, and ends with the same table wherever it was killed."""

import random
import shutil
import signal
import subprocess
import sys
import time
from collections import Counter

import polars as pl
import pytest
from polars.testing import assert_frame_equal
from tinystudies import BUILTIN, QUICK, small

from maeum.corpus import import_corpus
from maeum.corpus.splits import split
from maeum.encoders.builtin.acoustic import AcousticEncoder
from maeum.encoders.builtin.letters import LettersEncoder
from maeum.errors import EncoderError, RunError, SettingsError
from maeum.jobs import Processes
from maeum.studies import named
from maeum.studies.results import SCHEMA, read_results
from maeum.studies.running import run_study
from maeum.training import train

LEARN = "maeum.studies.trials.learn_and_answer"


@pytest.fixture
def encodings(monkeypatch):
    """Count what built-in encoders are given, by content."""
    counts = {"speech": Counter(), "text": Counter()}

    def watch(owner, side, content):
        encode = owner.encode

        def counted(self, given):
            counts[side].update(map(content, given))
            return encode(self, given)

        monkeypatch.setattr(owner, "encode", counted)

    watch(AcousticEncoder, "speech", lambda wave: wave.tobytes())
    watch(LettersEncoder, "text", str)
    return counts


@pytest.mark.parametrize("store", ["usual", pytest.param(None, marks=pytest.mark.slow)])
def test_a_study_over_forty_runs_encodes_each_utterance_once(
    made_corpus, encodings, store, tmp_path, monkeypatch
):
    monkeypatch.setenv("MAEUM_CACHE", str(tmp_path / "cache"))
    blocks = [{"modality": ["speech", "text", "both"], "size": [2, 3]}]
    study = small(
        blocks=blocks, protocols=["random", "speaker"], seeds=4, rows=["modality"], settings=QUICK
    )
    outcome = run_study(study, made_corpus, tmp_path / "study", store=store)
    assert len(outcome.results) == 48
    assert set(outcome.results["status"]) == {"done"}
    assert set(encodings["speech"].values()) == set(encodings["text"].values()) == {1}
    assert sum(encodings["text"].values()) == made_corpus.utterances["text"].n_unique()
    assert sum(encodings["speech"].values()) <= len(made_corpus)


def test_only_what_some_run_needs_is_encoded(made_corpus, encodings, tmp_path):
    study = small(
        blocks=[{"modality": "speech", "size": 2, "order": "short"}], protocols=["speaker"]
    )
    run_study(study, made_corpus, tmp_path / "study", store=None)
    tested = split(made_corpus.utterances, "speaker", seed=0).counts["test"]
    assert sum(encodings["speech"].values()) == 2 * 3 + tested < len(made_corpus)


def test_a_run_of_a_study_is_a_run_of_train(said, tmp_path):
    study = small(
        blocks=[{"modality": "text", "size": 6}], seeds=1, settings={**QUICK, "epochs": 3}
    )
    row = run_study(study, said, tmp_path / "study").results.row(0, named=True)
    run = train(
        said, tmp_path / "run", **{**QUICK, "epochs": 3}, modality="text", split="random",
        per_emotion=6, patience=0,
    )  # fmt: skip
    assert row["accuracy"] == run.metrics["accuracy"]
    assert [row["accuracy_low"], row["accuracy_high"]] == run.metrics["ci95"]["accuracy"]
    shared = run.metrics["leaks"]["scripts"]
    assert (row["shared_scripts"], row["tested_scripts"]) == (shared["shared"], shared["tested"])
    assert row["split"] == run.card["split"]["fingerprint"]


def test_the_table_has_a_row_per_run_in_the_order_of_the_grid(finished):
    results = finished.results
    assert results.schema == SCHEMA
    places = results.select("size", "protocol", "seed").rows()
    assert places == [
        (size, protocol, seed)
        for size in ("2", "4")
        for protocol in ("random", "speaker+script")
        for seed in (0, 1)
    ]
    assert results["asked"].to_list() == results["found"].to_list() == [6] * 4 + [12] * 4
    apart = results.filter(protocol="speaker+script")
    assert set(apart["shared_speakers"]) == set(apart["shared_scripts"]) == {0}
    assert_frame_equal(read_results(finished.folder), results)


def test_the_same_command_again_trains_and_encodes_nothing(finished, said, calls_of, encodings):
    learnt = calls_of(LEARN)
    again = run_study(small(protocols=["random", "speaker+script"]), said, finished.folder)
    assert_frame_equal(again.results, finished.results)
    assert learnt == []
    assert not encodings["text"]


class StopError(KeyboardInterrupt):
    """Stands for Ctrl-C, and for a kill at that moment."""


MOMENTS = {
    "before the first network": (LEARN, 1),
    "in the middle": (LEARN, 4),
    "as answers are put in place": ("maeum.training.turns.write_table", 3),
    "as a row is put in place": ("maeum.studies.results.write_json", 2),
    "as the table is put in place": ("maeum.studies.results.write_table", 3),
    "as the card is written": ("maeum.studies.folder.write_text", 1),
    "as what cannot be heard is written": ("maeum.studies.folder.write_table", 1),
}


@pytest.mark.parametrize(("place", "call"), MOMENTS.values(), ids=MOMENTS)
def test_a_study_stopped_anywhere_goes_on_and_ends_with_the_same_file(
    finished, said, tmp_path, monkeypatch, place, call
):
    from pkgutil import resolve_name

    study, folder = small(protocols=["random", "speaker+script"]), tmp_path / "study"
    function, calls = resolve_name(place), 0

    def stopping(*args, **kwargs):
        nonlocal calls
        calls += 1
        if calls == call:
            raise StopError
        return function(*args, **kwargs)

    with monkeypatch.context() as patched:
        patched.setattr(place, stopping)
        with pytest.raises(StopError):
            run_study(study, said, folder)
    before = {path: path.stat().st_mtime_ns for path in folder.glob("runs/*/row.json")}
    run_study(study, said, folder)
    assert whole(folder) == whole(finished.folder)
    assert {path: path.stat().st_mtime_ns for path in before} == before


def whole(folder):
    """The table, byte for byte."""
    return (folder / "results.parquet").read_bytes()


KILLED = """
import sys
from maeum.corpus import Corpus
sys.path.insert(0, sys.argv[3])
from tinystudies import small
from maeum.studies.running import run_study
run_study(small(protocols=["random", "speaker+script"]), Corpus.open(sys.argv[1]), sys.argv[2])
"""


@pytest.mark.skipif(sys.platform == "win32", reason="signals differ")
@pytest.mark.slow
def test_a_study_killed_outright_ends_with_the_same_file(finished, said, tmp_path, request):
    said.save(tmp_path / "corpus")
    folder = tmp_path / "study"
    words = [tmp_path / "corpus", folder, request.path.parent]
    with subprocess.Popen([sys.executable, "-c", KILLED, *map(str, words)]) as process:
        patience_s = time.monotonic() + 60
        while len(list(folder.glob("runs/*/row.json"))) < 2 and time.monotonic() < patience_s:
            time.sleep(random.Random(0).uniform(0.01, 0.05))
        process.send_signal(signal.SIGKILL)
    assert process.returncode == -signal.SIGKILL
    (folder / ".results.parquet.x8.parquet").write_bytes(b"half")
    assert whole(run_study(small(protocols=["random", "speaker+script"]), said, folder).folder) == (
        whole(finished.folder)
    )
    assert not list(folder.rglob(".*"))


def spoil_answers(folder):
    next(folder.glob("runs/*/0000.parquet")).write_bytes(b"PAR1 and no more")


def lose_answers(folder):
    next(folder.glob("runs/*/0000.parquet")).unlink()


def spoil_row(folder):
    next(folder.glob("runs/*/row.json")).write_text('{"key": "x", "status": "do', encoding="utf-8")


def spoil_row_otherwise(folder):
    next(folder.glob("runs/*/row.json")).write_text("[1, 2]", encoding="utf-8")


def spoil_table(folder):
    (folder / "results.parquet").write_bytes(b"")


def spoil_card(folder):
    (folder / "study.yaml").write_text("study: [", encoding="utf-8")


def spoil_left_out(folder):
    (folder / "left_out.parquet").write_bytes(b"\0" * 9)


@pytest.mark.parametrize(
    "spoil",
    [spoil_answers, lose_answers, spoil_row, spoil_row_otherwise, spoil_table, spoil_card,
     spoil_left_out],
)  # fmt: skip
def test_a_broken_file_is_noticed_and_made_again(finished, said, tmp_path, spoil):
    folder = tmp_path / "study"
    shutil.copytree(finished.folder, folder)
    spoil(folder)
    run_study(small(protocols=["random", "speaker+script"]), said, folder)
    assert whole(folder) == whole(finished.folder)
    assert (folder / "study.yaml").read_text() == (finished.folder / "study.yaml").read_text()


def test_a_folder_of_another_study_is_refused_with_what_differs(finished, said, tmp_path):
    both = ["random", "speaker+script"]
    with pytest.raises(
        RunError, match=r"holds a study that differs in seeds \('2', now '5'\).*--over"
    ):
        run_study(small(protocols=both, seeds=5), said, finished.folder)
    other = said.select(pl.col("speaker") != "s0")
    with pytest.raises(RunError, match="differs in corpus fingerprint"):
        run_study(small(protocols=both), other, finished.folder)
    (tmp_path / "mine.txt").write_text("mine")
    with pytest.raises(RunError, match="holds other files; --to expects a new folder or a study"):
        run_study(small(), said, tmp_path)
    folder = tmp_path / "copy"
    shutil.copytree(finished.folder, folder)
    replaced = run_study(small(seeds=1), said, folder, overwrite=True)
    assert len(replaced.results) == 2
    assert len(list(folder.glob("runs/*"))) == 2


def test_a_folder_of_before_a_field_was_known_is_gone_on_with(finished, said, tmp_path, calls_of):
    import yaml

    folder = tmp_path / "study"
    shutil.copytree(finished.folder, folder)
    card = yaml.safe_load((folder / "study.yaml").read_text(encoding="utf-8"))
    del card["study"]["notes"]
    (folder / "study.yaml").write_text(yaml.safe_dump(card), encoding="utf-8")
    learnt = calls_of(LEARN)
    run_study(small(protocols=["random", "speaker+script"]), said, folder)
    assert learnt == []


def test_a_run_that_fails_is_a_row_and_tried_again(said, tmp_path, monkeypatch):
    from maeum.studies import trials

    calls, learn = 0, trials.learn_and_answer

    def failing(*args, **kwargs):
        nonlocal calls
        calls += 1
        if calls == 2:
            raise SettingsError("the weights ran away")
        return learn(*args, **kwargs)

    with monkeypatch.context() as patched:
        patched.setattr(LEARN, failing)
        first = run_study(small(), said, tmp_path / "study")
    assert first.results["status"].to_list() == ["done", "failed", "done", "done"]
    assert first.failed["message"].to_list() == ["the weights ran away"]
    again = run_study(small(), said, tmp_path / "study")
    assert again.results["status"].to_list() == ["done"] * 4
    assert again.failed.is_empty()


def test_cells_that_cannot_be_filled_are_said_before_anything_is_trained(
    said, tmp_path, calls_of, caplog, monkeypatch
):
    study = small(
        blocks=[{"modality": "text", "size": [2, 500]}], settings={**QUICK, "distinct_text": True}
    )
    said_before = []
    learnt = calls_of(LEARN)
    monkeypatch.setattr(
        "maeum.studies.running.Shared.encode",
        _then(lambda: said_before.extend(r.getMessage() for r in caplog.records), learnt),
    )
    results = run_study(study, said, tmp_path / "study").results
    assert any(
        "asked for 500 distinct sentences per emotion, found 6 of Angry" in w for w in said_before
    )
    assert results["status"].to_list() == ["done", "done", "short", "short"]
    short = results.filter(status="short")
    assert (short["asked"].to_list(), short["found"].to_list()) == ([1500] * 2, [18] * 2)
    assert short["accuracy"].null_count() == 2


def _then(told, learnt):
    """Shared.encode, but first looks at what was said, and that nothing was trained."""
    from maeum.studies.encoding import Shared

    encode = Shared.encode

    def watched(self, *args):
        assert not learnt
        told()
        return encode(self, *args)

    return watched


def test_recordings_that_cannot_be_heard_are_left_out_of_all_runs(
    made_corpus, tmp_path, encodings, calls_of
):
    tested = split(made_corpus.utterances, "random", seed=0)
    deaf = tested.rows(made_corpus.utterances, "test").row(0, named=True)
    audio = tmp_path / "audio"
    shutil.copytree(made_corpus.audio_root, audio)
    (audio / deaf["audio"]).write_bytes(b"RIFF and no more")
    from dataclasses import replace

    corpus = replace(made_corpus, audio_root=audio)
    blocks = [{"modality": ["speech", "text"], "size": [2, 4]}]
    study = small(blocks=blocks, rows=["modality"], seeds=1)
    results = run_study(study, corpus, tmp_path / "study", store=None).results
    assert set(results["tested"]) == {tested.counts["test"] - 1}
    assert max(encodings["speech"].values()) == 1
    kept = pl.read_parquet(tmp_path / "study" / "left_out.parquet")
    assert kept["id"].to_list() == [deaf["id"]]
    learnt = calls_of(LEARN)
    again = run_study(study, corpus, tmp_path / "study", store=None)
    assert learnt == []
    assert_frame_equal(again.results, results)


def test_the_sample_is_drawn_again_where_one_of_it_cannot_be_heard(made_corpus, tmp_path):
    from dataclasses import replace

    parts = split(made_corpus.utterances, "random", seed=0)
    longest = parts.rows(made_corpus.utterances, "train").sort("duration_s").row(-1, named=True)
    audio = tmp_path / "audio"
    shutil.copytree(made_corpus.audio_root, audio)
    (audio / longest["audio"]).write_bytes(b"")
    study = small(blocks=[{"modality": "speech", "size": 2, "order": "long"}], rows=[], seeds=1)
    corpus = replace(made_corpus, audio_root=audio)
    (row,) = run_study(study, corpus, tmp_path / "study").results.to_dicts()
    assert (row["status"], row["found"]) == ("done", 6)


def test_utterances_that_take_the_place_of_others_are_encoded_where_they_are_needed(
    made_corpus, tmp_path
):
    """A speech run is filled with an utterance that no run of texts has looked at."""
    from dataclasses import replace

    from maeum.studies.encoding import Shared
    from maeum.studies.planning import plan

    parts = split(made_corpus.utterances, "random", seed=0)
    train = parts.rows(made_corpus.utterances, "train")
    angry = train.filter(emotion="Angry").sort("duration_s", "id", descending=[True, False])
    audio = tmp_path / "audio"
    shutil.copytree(made_corpus.audio_root, audio)
    (audio / angry["audio"][1]).write_bytes(b"")
    corpus = replace(made_corpus, audio_root=audio)
    blocks = [
        {"modality": "speech", "size": 2, "order": "long", "fusion": "concat"},
        {"modality": "text", "size": 1, "order": "long", "fusion": "concat"},
        {"modality": "both", "size": 1, "order": "long", "fusion": ["concat", "cross"]},
    ]
    study = small(blocks=blocks, rows=["modality", "fusion"], seeds=1)
    first = plan(study, corpus)
    shared = Shared(first.corpus, None)
    unheard = shared.encode(first, first.runs)
    assert list(unheard) == [angry["id"][1]]
    again = plan(study, corpus, unheard)
    assert shared.encode(again, again.runs) == {}
    assert shared.encode(again, again.runs) == {}
    for run in again.runs:
        features = shared.material(run.cell.settings).features
        for side in run.sides:
            for rows in run.needed():
                assert features.take(again.ids(rows)).present(side).all()


def test_an_encoder_that_is_nowhere_is_one_sentence_before_anything_is_trained(said, tmp_path):
    study = small(settings={**QUICK, "text": "author/unheard-of"})
    with pytest.raises(
        EncoderError, match=r"text encoder 'author/unheard-of' is not on this machine"
    ):
        run_study(study, said, tmp_path / "study")
    assert not list(tmp_path.glob("study/runs/*"))


def test_an_encoder_that_is_a_column_fails_by_itself(said, tmp_path):
    study = small(
        blocks=[{"modality": "text", "size": 2, "text": ["author/unheard-of", "builtin:letters"]}],
        columns="text",
        settings={"epochs": 1},
    )
    outcome = run_study(study, said, tmp_path / "study")
    assert outcome.results["status"].to_list() == ["failed"] * 2 + ["done"] * 2
    assert "author/unheard-of" in outcome.failed["message"][0]


def test_built_in_encoders_have_nothing_to_tune(said, tmp_path):
    with pytest.raises(SettingsError, match="builtin:letters have nothing to tune"):
        run_study(small(settings={**QUICK, "tune": "full"}), said, tmp_path / "study")


def test_validation_is_looked_at_only_where_patience_asks(said, tmp_path, calls_of):
    learnt = calls_of("maeum.training.learn.Material.learn")
    run_study(small(seeds=1), said, tmp_path / "a")
    run_study(small(seeds=1, settings={**QUICK, "patience": 2}), said, tmp_path / "b")
    assert [bool(args[2]) for args in learnt] == [False, False, True, True]


def test_voices_and_dialogues_are_told_by_the_whole_corpus(made_corpus, tmp_path):
    blocks = [{"modality": "speech", "size": 2}]
    study = small(blocks=blocks, settings={**QUICK, "normalize": "speaker"}, seeds=1)
    (row,) = run_study(study, made_corpus, tmp_path / "study").results.to_dicts()
    run = train(
        made_corpus, tmp_path / "run", **QUICK, modality="speech", split="random", patience=0,
        per_emotion=2, normalize="speaker",
    )  # fmt: skip
    assert (row["status"], row["accuracy"]) == ("done", run.metrics["accuracy"])


def test_vectors_over_time_serve_studies_too(made_corpus, tmp_path):
    blocks = [{"modality": "both", "size": 2, "fusion": ["concat", "cross", "late"]}]
    results = run_study(
        small(blocks=blocks, rows=["fusion"], seeds=1), made_corpus, tmp_path / "study"
    ).results
    assert results.select("fusion", "status").rows() == [
        ("concat", "done"),
        ("cross", "done"),
        ("late", "done"),
    ]


@pytest.mark.slow
def test_more_recordings_teach_more(tmp_path):
    """The packaged sample, speech, unseen voices and sentences: the curve rises with N."""
    from maeum import sample
    from maeum.emotions import PAPER

    corpus = import_corpus("table", sample.path() / "sample.csv", emotions=PAPER)
    study = named("table6").changed(scale="0.02", seeds=1, protocols=["random"], folds=3)
    blocks = [{"modality": "speech", "order": "long", "size": [50, 500]}]
    study = study.changed(blocks=blocks).with_settings(**BUILTIN)
    few, many = run_study(study, corpus, tmp_path / "study").results["accuracy"]
    assert many > few + 0.1


@pytest.mark.slow
def test_runs_beside_each_other_end_with_the_same_file(finished, said, tmp_path):
    study = small(protocols=["random", "speaker+script"])
    run_study(study, said, tmp_path / "study", executor=Processes(2))
    results = "results.parquet"
    assert (tmp_path / "study" / results).read_bytes() == (finished.folder / results).read_bytes()
