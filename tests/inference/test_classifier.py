"""One answer for one utterance, whichever way it is asked for."""

import json
import shutil
import subprocess
import sys
from collections import Counter

import numpy as np
import polars as pl
import pytest
import torch
from safetensors.torch import load_file, save_file

from maeum import EmotionClassifier, Prediction, train
from maeum.config import Settings
from maeum.encoders.builtin.acoustic import AcousticEncoder
from maeum.encoders.builtin.letters import LettersEncoder
from maeum.errors import AudioError, MaeumError, RunError, TextError
from maeum.evaluation import evaluate
from maeum.features import hearing
from maeum.features.normalize import voice_of
from maeum.inference import Failure, Query, classifier
from maeum.training.learn import Material

SAID = "정말 마음이 아프다"


@pytest.fixture(scope="session")
def model(made_run):
    return made_run.model


@pytest.fixture(scope="session")
def model_for(made_corpus, made_features):
    """A classifier from other settings, learnt in a moment."""

    def learn(**given):
        settings = Settings.of(epochs=2, batch_size=8, hidden_size=8, **given)
        material = Material.gather(made_corpus, settings, made_features)
        return material.learn(list(made_corpus.utterances["id"]))[0]

    return learn


@pytest.fixture(scope="session")
def recordings(made_corpus):
    return [str(made_corpus.audio_root / name) for name in made_corpus.utterances["audio"]]


def close(one, other):
    """Whether two predictions say the same, apart from what was given."""
    chances = [list(found.probabilities.values()) for found in (one, other)]
    np.testing.assert_allclose(*chances, atol=1e-6)
    return (one.emotion, one.modalities) == (other.emotion, other.modalities)


# -- one answer --------------------------------------------------------------------------------


def test_python_reads_as_the_design_says(made_corpus, tmp_path, recordings):
    run = train(
        made_corpus,
        tmp_path / "run",
        speech="builtin:acoustic",
        text="builtin:letters",
        split="speaker+script",
        seed=0,
        epochs=1,
    )
    assert run.model(recordings[0], text=SAID).emotion in ("Happy", "Angry", "Sad")


def test_a_prediction_is_the_likeliest_emotion_and_all_the_chances(model, recordings):
    found = model(recordings[0], text=SAID)
    assert isinstance(found, Prediction)
    assert list(found.probabilities) == ["Happy", "Angry", "Sad"]
    assert sum(found.probabilities.values()) == pytest.approx(1)
    assert found.confidence == max(found.probabilities.values())
    assert found.probabilities[found.emotion] == found.confidence
    assert found.modalities == ("speech", "text")
    assert (found.audio, found.text) == (recordings[0], SAID)
    assert json.loads(json.dumps(found.to_dict()))["modalities"] == ["speech", "text"]


def test_a_call_a_prediction_and_an_evaluation_give_one_answer(
    made_run, made_corpus, made_features, recordings
):
    rows = made_corpus.utterances
    asked = [Query(path, text) for path, text in zip(recordings, rows["text"], strict=True)]
    predicted = list(made_run.model.predict(asked))
    evaluated = evaluate(made_run, made_corpus, part="all").answers
    assert evaluated["id"].to_list() == rows["id"].to_list()
    assert evaluated["answer"].to_list() == [found.emotion for found in predicted]
    sure = [found.confidence for found in predicted]
    np.testing.assert_allclose(evaluated["confidence"], sure, atol=1e-6)
    for place in (0, 17, 35):
        assert close(made_run.model(recordings[place], text=rows["text"][place]), predicted[place])


@pytest.mark.parametrize("modality", ["speech", "text"])
def test_one_modality_alone_is_answered_as_an_evaluation_of_it(
    made_run, made_corpus, recordings, modality
):
    evaluated = evaluate(made_run, made_corpus, part="all", modality=modality).answers
    text = made_corpus.utterances["text"][3]
    found = made_run.model(recordings[3]) if modality == "speech" else made_run.model(text=text)
    assert found.modalities == (modality,)
    assert found.emotion == evaluated["answer"][3]
    assert found.confidence == pytest.approx(evaluated["confidence"][3], abs=1e-6)


def test_a_classifier_comes_back_from_its_folder_with_the_same_answers(
    made_run, recordings, tmp_path
):
    made_run.model.save_pretrained(tmp_path / "copy")
    back = EmotionClassifier.from_pretrained(str(tmp_path / "copy"))
    ask = {"audio": recordings[2], "text": SAID}
    assert back(**ask).probabilities == made_run.model(**ask).probabilities
    assert not [path for path in (tmp_path / "copy").iterdir() if path.name.startswith(".")]


def test_text_is_cleaned_as_the_corpus_was(model):
    assert (
        model(text="  정말\u200b 마음이\n 아프다 ").probabilities == model(text=SAID).probabilities
    )


# -- many --------------------------------------------------------------------------------------


def test_answers_come_in_order_with_failures_where_they_stand(
    model, recordings, tmp_path, monkeypatch
):
    monkeypatch.setattr(classifier, "AT_ONCE", 4)
    missing = str(tmp_path / "none.wav")
    asked = [Query(path, SAID) for path in recordings[:11]]
    asked[1], asked[5], asked[8] = Query(missing), Query(None, "  "), Query()
    asked[4] = Query(None, SAID)
    found = list(model.predict(iter(asked)))
    kinds = [type(answer) is Failure for answer in found]
    assert [place for place, failed in enumerate(kinds) if failed] == [1, 5, 8]
    assert [(answer.audio, answer.text) for answer in found] == [(q.audio, q.text) for q in asked]
    for place in (0, 4, 10):
        assert close(found[place], model(asked[place].audio, text=asked[place].text))


def test_a_batch_of_failures_alone_does_not_stop_the_rest(model, monkeypatch):
    monkeypatch.setattr(classifier, "AT_ONCE", 2)
    found = list(model.predict([Query(None, " "), Query(), Query(None, SAID)]))
    assert [type(answer) for answer in found] == [Failure, Failure, Prediction]


def test_nothing_asked_is_nothing_answered(model):
    assert list(model.predict([])) == []


def test_answers_come_as_soon_as_their_batch_is_done(model, monkeypatch):
    monkeypatch.setattr(classifier, "AT_ONCE", 2)
    taken = []
    asked = (taken.append(number) or Query(None, SAID) for number in range(100))
    next(model.predict(asked))
    assert len(taken) == 2


def test_a_failure_says_what_it_was_asked():
    assert Failure("no", audio="a.wav", text="말").to_dict() == {"audio": "a.wav", "error": "no"}
    assert Failure("no", text="말").to_dict() == {"text": "말", "error": "no"}


# -- over time ---------------------------------------------------------------------------------


@pytest.fixture(scope="session")
def looking_closely(made_corpus):
    """A classifier that looks at frames and compares voices, learnt in a moment."""
    given = {"fusion": "cross", "normalize": "speaker"}
    settings = Settings.of(epochs=2, batch_size=8, hidden_size=8, **given)
    material = Material.gather(made_corpus, settings)
    return material.learn(list(made_corpus.utterances["id"]))[0]


def test_where_frames_are_read_a_query_is_still_decoded_and_encoded_once(
    looking_closely, one_voice, recordings, monkeypatch
):
    voice, calls = looking_closely.voice_in(one_voice), Counter()

    def counted(place, name):
        usual = getattr(place, name)

        def count(*given, **more):
            calls[place.__name__] += 1
            return usual(*given, **more)

        monkeypatch.setattr(place, name, count)

    counted(hearing, "load")
    counted(AcousticEncoder, "encode")
    counted(LettersEncoder, "encode")
    looking_closely(recordings[0], text=SAID, voice=voice)
    assert calls == {"maeum.features.hearing": 1, "AcousticEncoder": 1, "LettersEncoder": 1}


def test_where_frames_are_read_the_answer_is_that_of_an_evaluation(
    looking_closely, made_corpus, recordings, one_voice
):
    features = looking_closely.extract(made_corpus)
    speakers = made_corpus.utterances["speaker"].to_list()
    ready = looking_closely.with_known_voices(features, speakers)
    voice, text = looking_closely.voice_in(one_voice), made_corpus.utterances["text"][0]
    found = looking_closely(recordings[0], text=text, voice=voice)
    expected = looking_closely.probabilities(ready)[0]
    np.testing.assert_allclose(list(found.probabilities.values()), expected, atol=1e-4)
    assert close(next(looking_closely.predict([Query(recordings[0], text)], voice=voice)), found)


# -- what cannot be answered -------------------------------------------------------------------


@pytest.mark.parametrize("text", ["", "  ", "\u200b"])
def test_a_text_of_spaces_is_an_error_even_beside_a_recording(model, recordings, text):
    with pytest.raises(TextError, match="is empty; expected what was said"):
        model(text=text)
    with pytest.raises(TextError):
        model(recordings[0], text=text)


def test_neither_recording_nor_text_is_an_error(model):
    with pytest.raises(RunError, match="takes speech or text; none was given"):
        model()


def test_a_run_of_one_modality_cannot_answer_for_the_other(model_for, recordings):
    with pytest.raises(RunError, match="takes speech; none was given"):
        model_for(modality="speech")(text=SAID)
    with pytest.raises(RunError, match="takes text; none was given"):
        model_for(modality="text")(recordings[0])


def test_a_run_of_one_modality_takes_no_notice_of_the_other(model_for, recordings):
    hears, reads = model_for(modality="speech"), model_for(modality="text")
    assert hears(recordings[0], text="  ").probabilities == hears(recordings[0]).probabilities
    assert reads("none.wav", text=SAID).probabilities == reads(text=SAID).probabilities
    assert hears(recordings[0], text=SAID).modalities == ("speech",)


def test_a_recording_that_cannot_be_used_is_an_error(model, tmp_path, write_wav):
    write_wav("silent.wav", wave=np.zeros(16_000))
    for name in ("silent.wav", "none.wav"):
        with pytest.raises(AudioError, match=name):
            model(tmp_path / name)


# -- voices ------------------------------------------------------------------------------------


@pytest.fixture(scope="session")
def by_voice(model_for):
    return model_for(modality="speech", normalize="speaker")


@pytest.fixture
def one_voice(made_corpus, tmp_path):
    """A folder with all recordings of s01, one of them in a folder below, and a broken one."""
    folder = tmp_path / "voice"
    (folder / "more").mkdir(parents=True)
    own = made_corpus.select(pl.col("speaker") == "s01").utterances["audio"]
    for number, name in enumerate(own):
        shutil.copy(made_corpus.audio_root / name, folder / ("more" if number == 0 else ""))
    (folder / "broken.wav").write_bytes(b"RIFF")
    return folder


def test_a_voice_is_what_its_recordings_have_in_common(by_voice, made_features, one_voice):
    voice = by_voice.voice_in(one_voice)
    own = [name for name in made_features.ids if "s01" in name]
    usual = by_voice.network.side("speech").usual_spread.numpy()
    expected = voice_of(made_features.take(own).vectors("speech"), usual)
    np.testing.assert_allclose(voice.mean, expected.mean, rtol=1e-4, atol=1e-4)
    np.testing.assert_allclose(voice.spread, expected.spread, rtol=1e-4, atol=1e-4)


def test_with_the_voice_of_its_speaker_a_recording_is_answered_as_in_an_evaluation(
    by_voice, made_corpus, made_features, recordings, one_voice
):
    speakers = made_corpus.utterances["speaker"].to_list()
    ready = by_voice.with_known_voices(made_features, speakers)
    expected = by_voice.probabilities(ready)[0]
    voice = by_voice.voice_in(one_voice)
    found = by_voice(recordings[0], voice=voice)
    np.testing.assert_allclose(list(found.probabilities.values()), expected, atol=1e-4)
    assert close(next(by_voice.predict([Query(recordings[0])], voice=voice)), found)


def test_a_run_that_compares_voices_asks_for_one(by_voice, recordings):
    with pytest.raises(RunError, match="give a folder of them"):
        by_voice(recordings[0])
    assert isinstance(next(by_voice.predict([Query(recordings[0])])), Failure)


def test_a_voice_takes_two_recordings(by_voice, recordings, tmp_path):
    with pytest.raises(AudioError, match="holds no recording"):
        by_voice.voice_in(tmp_path)
    shutil.copy(recordings[0], tmp_path)
    with pytest.raises(AudioError, match=r"holds 1 usable recording.*at least 2"):
        by_voice.voice_in(tmp_path)


@pytest.mark.parametrize("settings", [{"modality": "text"}, {"modality": "speech"}, {}])
def test_a_run_that_compares_no_voices_refuses_to_learn_one(model_for, one_voice, settings):
    with pytest.raises(RunError, match="a voice is of no use to it"):
        model_for(**settings).voice_in(one_voice)


def test_a_voice_does_not_change_the_answer_of_a_run_that_compares_none(
    by_voice, model, recordings, one_voice
):
    voice = by_voice.voice_in(one_voice)
    assert model(recordings[0], voice=voice).probabilities == model(recordings[0]).probabilities


# -- loading -----------------------------------------------------------------------------------


@pytest.fixture
def copy(made_run, tmp_path):
    """The network of a run, to be broken."""
    folder = tmp_path / "copy"
    folder.mkdir()
    for name in ("config.json", "model.safetensors"):
        shutil.copy(made_run.folder / name, folder)
    return folder


def refused(folder):
    with pytest.raises(RunError) as error:
        EmotionClassifier.from_pretrained(folder)
    return str(error.value)


def test_a_folder_that_is_no_run_is_refused(tmp_path):
    assert "is no run (it has no config.json and model.safetensors)" in refused(tmp_path)


def test_an_unfinished_run_is_told_from_none(tmp_path):
    (tmp_path / "maeum.yaml").write_text("kind: run\n", encoding="utf-8")
    message = refused(tmp_path)
    assert "unfinished run" in message
    assert "same `maeum train`" in message


def test_a_file_is_refused(copy):
    assert "is a file; expected the folder of a run" in refused(copy / "config.json")


@pytest.mark.parametrize("name", ["none", "/none/at/all", "a/b/c", "./none"])
def test_a_folder_that_does_not_exist_is_refused(name):
    assert "does not exist" in refused(name)


def test_a_name_of_the_hub_that_cannot_be_fetched_is_refused_in_one_sentence():
    message = refused("someone/some-run")
    assert message.startswith("someone/some-run ")
    assert "\n" not in message


def test_weights_that_would_run_code_are_not_read(copy, made_run):
    torch.save(made_run.model.network.state_dict(), copy / "pytorch_model.bin")
    (copy / "model.safetensors").unlink()
    assert "is no run" in refused(copy)


@pytest.mark.parametrize("kept", [0, 100, 20_000])
def test_weights_cut_short_are_refused(copy, kept):
    path = copy / "model.safetensors"
    path.write_bytes(path.read_bytes()[:kept])
    assert "cannot be loaded as a run" in refused(copy)


def test_a_configuration_that_is_no_json_is_refused(copy):
    (copy / "config.json").write_text("{", encoding="utf-8")
    assert "cannot be loaded as a run" in refused(copy)


def test_weights_of_half_a_network_are_refused_and_not_made_up(copy):
    path = copy / "model.safetensors"
    weights = load_file(path)
    del weights["fusion.output.weight"]
    save_file(weights, path, metadata={"format": "pt"})
    assert "another model or half of one: it lacks fusion.output.weight" in refused(copy)


def test_weights_of_another_size_are_refused(copy):
    path = copy / "config.json"
    card = json.loads(path.read_text(encoding="utf-8"))
    path.write_text(json.dumps({**card, "hidden_size": 9}), encoding="utf-8")
    assert "cannot be loaded as a run" in refused(copy)


@pytest.mark.filterwarnings("ignore:Initializing zero-element")
def test_another_kind_of_model_is_refused(tmp_path):
    from transformers import BertConfig, BertModel

    tiny = {"hidden_size": 4, "num_hidden_layers": 1, "num_attention_heads": 1}
    BertModel(BertConfig(**tiny, intermediate_size=4, vocab_size=9)).save_pretrained(tmp_path)
    assert "holds another model" in refused(tmp_path)


def test_a_run_trained_with_another_version_of_an_encoder_is_refused(copy, monkeypatch):
    monkeypatch.setattr(LettersEncoder, "version", "99")
    model = EmotionClassifier.from_pretrained(copy)
    with pytest.raises(RunError, match=r"builtin:letters version 1, this is version 99"):
        model(text=SAID)
    with pytest.raises(RunError, match="train it again"):
        next(model.predict([Query(None, SAID)]))


def test_a_run_of_an_encoder_this_version_lacks_is_refused(copy):
    path = copy / "config.json"
    card = json.loads(path.read_text(encoding="utf-8"))
    card["text"][0]["name"] = "builtin:words"
    path.write_text(json.dumps(card), encoding="utf-8")
    with pytest.raises(MaeumError, match="builtin:words"):
        EmotionClassifier.from_pretrained(copy)(text=SAID)


@pytest.mark.parametrize(
    "more",
    [
        {"attn_implementation": "author/kernel"},
        {"_attn_implementation": "author/kernel"},
        {"quantization_config": {"quant_method": "bitsandbytes", "load_in_8bit": True}},
    ],
    ids=str,
)
def test_nothing_in_a_runs_configuration_calls_for_code(copy, more):
    path = copy / "config.json"
    stated = json.loads(path.read_text(encoding="utf-8"))
    path.write_text(json.dumps(stated | more), encoding="utf-8")
    config = EmotionClassifier.from_pretrained(copy).network.config
    assert not more.keys() & vars(config).keys()


def test_what_was_loaded_is_saved_as_it_was(copy, tmp_path):
    loaded = EmotionClassifier.from_pretrained(copy)
    loaded.save_pretrained(tmp_path / "again")
    again = EmotionClassifier.from_pretrained(tmp_path / "again")
    assert again(text=SAID) == loaded(text=SAID)
    stated, before = (
        json.loads((folder / "config.json").read_text(encoding="utf-8"))
        for folder in (tmp_path / "again", copy)
    )
    assert stated | before == before  # Trainer adds what it never uses


def test_a_small_run_answers_without_transformers(copy):
    script = (
        "import sys\n"
        "from maeum.inference import EmotionClassifier\n"
        f"print(EmotionClassifier.from_pretrained({str(copy)!r})(text={SAID!r}).emotion)\n"
        "sys.exit('transformers' in sys.modules)\n"
    )
    ended = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True)
    assert ended.returncode == 0, ended.stderr
