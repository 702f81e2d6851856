import json
import re
import runpy
import sys
import unicodedata
from copy import deepcopy
from unittest.mock import Mock

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file
from transformers import CONFIG_MAPPING, MODEL_MAPPING, GPT2Config

from maeum.encoders import Reading, TextEncoder, Tunable, text_encoders
from maeum.encoders.pretrained import text as text_module
from maeum.encoders.pretrained.lora import add_adapter
from maeum.encoders.pretrained.text import PretrainedText
from maeum.encoders.pretrained.text_tower import (
    KINDS,
    TextTower,
    encoder_class,
    most_tokens,
    without_pooler,
)
from maeum.errors import EncoderError, TextError
from maeum.testing.text_checkpoints import TEXT_FAMILIES, make_text_checkpoint

SENTENCES = (
    "오늘 아침에 비가 많이 와서 학교에 늦었어요, 그래서 선생님께 혼났어요.",
    "응.",
    "정말 고마워, 덕분에 기분이 훨씬 나아졌어!",
    "뭐라고?",
    "시험에 떨어져서 하루 종일 울었어요",
)
LONG = "마음이 너무 아파서 아무 말도 하고 싶지 않아 " * 200  # 5,000 letters

UNLIKE = ("kcelectra", "kobert-skt", "klue-roberta")
"""Families that differ in code; `make test-slow` tries the others too."""

each_family = pytest.mark.parametrize(
    "family",
    [
        pytest.param(family, marks=[] if family in UNLIKE else pytest.mark.slow)
        for family in TEXT_FAMILIES
    ],
)


@pytest.fixture(scope="module")
def shelf(tmp_path_factory):
    """A folder with a checkpoint of every family, for reading only."""
    folder = tmp_path_factory.mktemp("encoders")
    for family in TEXT_FAMILIES:
        make_text_checkpoint(folder / family, family)
    return folder


@pytest.fixture
def load(shelf):
    return lambda family, **reading: PretrainedText.load(str(shelf / family), Reading(**reading))


def state(folder, **values):
    """Write values into the folder's `tokenizer_config.json`."""
    path = folder / "tokenizer_config.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | values))


# -- vectors ---------------------------------------------------------------------------------


@each_family
def test_a_sentence_has_the_same_vector_alone_and_among_longer_ones(load, family):
    encoder = load(family, layers="weighted")
    together = encoder.encode(SENTENCES)
    alone = np.concatenate([encoder.encode([sentence]) for sentence in SENTENCES])
    assert together.shape == (5, 3 * 32)
    assert np.abs(together - together.mean(axis=0)).max() > 0.1  # they do differ
    np.testing.assert_allclose(together, alone, atol=1e-5)


def test_vectors_come_in_the_order_of_the_sentences(load, monkeypatch):
    monkeypatch.setattr(text_module, "BATCH_TOKENS", 30)
    encoder = load("klue-bert")
    forwards, backwards = encoder.encode(SENTENCES), encoder.encode(SENTENCES[::-1])
    np.testing.assert_allclose(forwards, backwards[::-1], atol=1e-5)
    np.testing.assert_array_equal(
        [len(frames) for frames in encoder.frames(SENTENCES)],
        encoder.prepare(SENTENCES)["keep"].sum(dim=1),
    )


@each_family
def test_a_vector_is_the_mean_of_the_tokens(load, family):
    encoder = load(family)
    frames = encoder.frames(SENTENCES)
    assert {len(frame) for frame in frames} != {len(frames[0])}
    means = np.stack([frame.mean(axis=0) for frame in frames])
    np.testing.assert_allclose(means, encoder.encode(SENTENCES), atol=1e-5)


@each_family
def test_all_layers_side_by_side_are_the_single_ones(load, family):
    every = load(family, layers="weighted").encode(SENTENCES)
    single = [load(family, layers=layer).encode(SENTENCES) for layer in ("0", "1", "2")]
    np.testing.assert_allclose(every, np.concatenate(single, axis=1), atol=1e-5)
    np.testing.assert_allclose(load(family).encode(SENTENCES), single[2], atol=1e-5)
    assert np.abs(single[0] - single[1]).max() > 0.1


def test_a_layer_that_is_not_there_is_refused(load):
    with pytest.raises(EncoderError, match=r"layer 3 of .* expected a number from 0 to 2"):
        load("klue-bert", layers="3")


def test_frames_are_of_one_layer(load):
    with pytest.raises(EncoderError, match="choose layers=last"):
        load("klue-bert", layers="weighted").frames(SENTENCES)


def test_no_sentences_have_no_vectors(load):
    encoder = load("koelectra", layers="weighted")
    assert encoder.encode([]).shape == (0, 96)
    assert load("koelectra").frames([]) == []


def test_a_sentence_without_a_letter_is_refused(load):
    with pytest.raises(TextError, match="expected at least one letter"):
        load("klue-bert").encode(["응", " \n"])


def test_hangul_taken_apart_is_put_together_first(load):
    encoder = load("klue-bert")
    apart = [unicodedata.normalize("NFD", sentence) for sentence in SENTENCES]
    np.testing.assert_array_equal(encoder.encode(apart), encoder.encode(SENTENCES))


@each_family
def test_it_is_what_the_protocols_ask_for(load, family):
    encoder = load(family)
    assert isinstance(encoder, TextEncoder)
    assert isinstance(encoder, Tunable)
    assert (encoder.standardize, encoder.cheap, encoder.threaded) == ("each", False, False)
    assert encoder.at_once > 1  # sentences are computed together, on a processor too
    assert list(encoder.tower.convolutions()) == []


def test_text_encoders_finds_it_by_its_folder(shelf):
    built_in, pretrained = text_encoders(f"builtin:letters+{shelf / 'koelectra'}")
    assert (built_in.name, pretrained.dim) == ("builtin:letters", 32)
    assert pretrained.name == str(shelf / "koelectra")


# -- guards ----------------------------------------------------------------------------------


@each_family
def test_token_types_are_never_passed(load, family):
    encoder = load(family)
    given = []
    encoder.tower.model.register_forward_pre_hook(
        lambda _, places, names: given.append((places, set(names))), with_kwargs=True
    )
    encoder.encode(SENTENCES[:1])
    assert given == [((), {"input_ids", "attention_mask", "output_hidden_states"})]


@each_family
def test_a_sentence_of_five_thousand_letters_is_cut(load, family):
    assert len(LONG) >= 5000
    for most in (16, 512):
        encoder = load(family, max_tokens=most)
        assert encoder.prepare([LONG])["values"].shape == (1, most)
        assert np.isfinite(encoder.encode([LONG])).all()
        ends = encoder.prepare([LONG])["values"][0, [0, -1]].tolist()
        assert ends == encoder.prepare(["응"])["values"][0, [0, -1]].tolist()


@pytest.mark.parametrize(
    ("family", "positions", "most"), [("klue-bert", 40, 40), ("klue-roberta", 40, 38)]
)
def test_a_sentence_is_cut_at_what_the_model_has_positions_for(tmp_path, family, positions, most):
    folder = make_text_checkpoint(tmp_path / "short", family)
    weights = load_file(folder / "model.safetensors")
    (table,) = [name for name in weights if name.endswith("position_embeddings.weight")]
    weights[table] = weights[table][:positions].contiguous()
    save_file(weights, folder / "model.safetensors", metadata={"format": "pt"})
    config = json.loads((folder / "config.json").read_text())
    (folder / "config.json").write_text(json.dumps(config | {"max_position_embeddings": positions}))
    encoder = PretrainedText.load(str(folder), Reading(max_tokens=128))
    assert encoder.prepare([LONG])["values"].shape == (1, most)
    assert np.isfinite(encoder.encode([LONG])).all()


def test_weights_of_half_precision_are_read_as_whole(tmp_path):
    folder = make_text_checkpoint(tmp_path / "half", "klue-bert")
    whole = PretrainedText.load(str(folder), Reading()).encode(SENTENCES)
    weights = load_file(folder / "model.safetensors")
    halves = {name: values.half() for name, values in weights.items()}
    save_file(halves, folder / "model.safetensors", metadata={"format": "pt"})
    config = json.loads((folder / "config.json").read_text())
    (folder / "config.json").write_text(json.dumps(config | {"dtype": "float16"}))
    encoder = PretrainedText.load(str(folder), Reading())
    assert {values.dtype for values in encoder.tower.parameters()} == {torch.float32}
    np.testing.assert_allclose(encoder.encode(SENTENCES), whole, atol=0.02)


@pytest.mark.parametrize("family", ["koelectra", "klue-bert", "klue-roberta", "kcelectra"])
def test_a_vocabulary_that_takes_hangul_apart_is_refused(tmp_path, family):
    folder = make_text_checkpoint(tmp_path / "lower", family)
    state(folder, do_lower_case=True)
    with pytest.raises(
        EncoderError, match=r'100% of everyday words .* \[UNK\];.*"do_lower_case": false'
    ):
        PretrainedText.load(str(folder), Reading())
    state(folder, do_lower_case=False)
    assert PretrainedText.load(str(folder), Reading()).dim == 32


def test_a_vocabulary_that_says_nothing_of_lower_case_is_refused(tmp_path):
    folder = make_text_checkpoint(tmp_path / "silent", "koelectra")
    (folder / "tokenizer_config.json").unlink()
    with pytest.raises(EncoderError, match=r"\[UNK\].*do_lower_case"):
        PretrainedText.load(str(folder), Reading())


@pytest.mark.parametrize("family", ["kobert-skt", "koelectra", "bert-like"])
def test_a_missing_vocabulary_is_refused(tmp_path, family):
    folder = make_text_checkpoint(tmp_path / "bare", family)
    for name in ("spiece.model", "vocab.txt", "tokenizer.json", "tokenizer_config.json"):
        (folder / name).unlink(missing_ok=True)
    with pytest.raises(EncoderError, match="next to no tokens: put the model's vocab"):
        PretrainedText.load(str(folder), Reading())


def test_sentence_pieces_without_their_model_are_refused(tmp_path):
    folder = make_text_checkpoint(tmp_path / "kobert", "kobert-monologg")
    (folder / "tokenizer_78b3253a26.model").unlink()
    with pytest.raises(EncoderError, match=r"\[UNK\].*put the SentencePiece model beside"):
        PretrainedText.load(str(folder), Reading())


def test_an_english_vocabulary_is_refused(tmp_path):
    folder = make_text_checkpoint(tmp_path / "english", "koelectra")
    words = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", ".", ",", "?"]
    words += [first + last for first in "abcdefghijkl" for last in "mnopqrstuv"]
    (folder / "vocab.txt").write_text("\n".join(words))
    with pytest.raises(EncoderError, match="knows no Hangul: take a Korean or a multilingual"):
        PretrainedText.load(str(folder), Reading())


def test_a_vocabulary_of_another_model_is_refused(tmp_path):
    folder = make_text_checkpoint(tmp_path / "mixed", "koelectra")
    known = len((folder / "vocab.txt").read_text().splitlines())
    with (folder / "vocab.txt").open("a") as file:
        file.write("\n".join(f"more{number}" for number in range(9)))
    with pytest.raises(EncoderError, match=out_of_range(known + 8, known)):
        PretrainedText.load(str(folder), Reading())


def out_of_range(largest, known):
    return f"up to {largest}, its model has vectors for 0 to {known - 1}; it is another model's"


def with_a_gap(described, beyond):
    """A token that no sentence needs to be read has a number beyond those of all others."""
    last = max(described["model"]["vocab"], key=described["model"]["vocab"].get)
    described["model"]["vocab"][last] = beyond


def with_a_token_added(described, beyond):
    template = described["added_tokens"][0]
    described["added_tokens"].append(template | {"id": beyond, "content": "[MOOD]"})


def with_an_end_beyond(described, beyond):
    described["post_processor"]["sep"] = ["[SEP]", beyond]


@pytest.mark.parametrize("change", [with_a_gap, with_a_token_added, with_an_end_beyond])
def test_a_number_that_the_model_has_no_vector_for_is_refused_however_few_tokens_there_are(
    tmp_path, change
):
    folder = make_text_checkpoint(tmp_path / "gap", "klue-bert")
    path = folder / "tokenizer.json"
    described = json.loads(path.read_text(encoding="utf-8"))
    known = len(described["model"]["vocab"])
    change(described, known)
    path.write_text(json.dumps(described), encoding="utf-8")
    with pytest.raises(EncoderError, match=out_of_range(known, known)):
        PretrainedText.load(str(folder), Reading())


def test_a_vocabulary_that_has_letters_for_some_words_is_refused(tmp_path):
    """Lower-casing leaves these words in letters and the others [UNK]: half of them."""
    folder = make_text_checkpoint(tmp_path / "letters", "koelectra")
    state(folder, do_lower_case=True)
    pieces = (folder / "vocab.txt").read_text().splitlines()
    letters = sorted(set(unicodedata.normalize("NFD", "".join(SENTENCES))) - {" "})
    spellings = [*letters, *(f"##{letter}" for letter in letters)]
    (folder / "vocab.txt").write_text("\n".join([*pieces[: -len(spellings)], *spellings]))
    with pytest.raises(EncoderError, match=r"everyday words .* \[UNK\]|pieces a syllable"):
        PretrainedText.load(str(folder), Reading())


@pytest.mark.parametrize("kind", ["convbert", "bart", "wav2vec2"])
def test_models_of_other_kinds_are_refused(tmp_path, kind):
    folder = make_text_checkpoint(tmp_path / "other", "klue-bert")
    (folder / "config.json").write_text(json.dumps({"model_type": kind}))
    with pytest.raises(EncoderError, match=f"of the kind {kind}, .* expected one of albert, bert"):
        PretrainedText.load(str(folder), Reading())


def test_a_model_that_fails_as_it_computes_is_one_sentence(load, monkeypatch):
    encoder = load("klue-bert")
    causes = {
        "fails at what it is given (no such row)": IndexError("no such row"),
        "CUDA_VISIBLE_DEVICES= it computes on the processor": torch.OutOfMemoryError("full"),
    }
    for said, cause in causes.items():
        monkeypatch.setattr(encoder.tower, "forward", Mock(side_effect=cause))
        with pytest.raises(EncoderError, match=re.escape(said)):
            encoder.encode(["안녕하세요"])


def test_models_that_only_look_back_are_refused():
    with pytest.raises(EncoderError, match="of the kind gpt2"):
        encoder_class(GPT2Config(), "gpt")
    with pytest.raises(EncoderError, match="not read as a text encoder"):
        encoder_class(CONFIG_MAPPING["bert"](is_decoder=True), "decoder")


def test_code_that_comes_with_an_encoder_is_not_run(tmp_path):
    folder, harm = make_text_checkpoint(tmp_path / "kobert", "kobert-monologg"), tmp_path / "harm"
    code = folder / "tokenization_kobert.py"
    code.write_text(f"open({str(harm)!r}, 'w').close()\nclass KoBertTokenizer: pass\n")
    runpy.run_path(str(code))
    assert harm.is_file()  # it does what it is made for
    harm.unlink()
    PretrainedText.load(str(folder), Reading())
    (folder / "tokenizer_78b3253a26.model").unlink()  # transformers is asked, and told of the code
    with pytest.raises(EncoderError):
        PretrainedText.load(str(folder), Reading())
    assert not harm.exists()
    assert not [name for name in sys.modules if name.endswith("tokenization_kobert")]


# -- other models of their like --------------------------------------------------------------

TINY = {
    "hidden_size": 32,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "intermediate_size": 48,
    "vocab_size": 100,
    "max_position_embeddings": 66,
    "pad_token_id": 1,
    "bos_token_id": 2,
    "eos_token_id": 3,
}
OWN = {
    "albert": {"embedding_size": 16},
    "deberta": {
        "relative_attention": True,
        "pos_att_type": ["c2p"],
        "position_biased_input": False,
    },
    "deberta-v2": {"relative_attention": True, "pos_att_type": ["c2p"], "position_buckets": 16},
    "distilbert": {"dim": 32, "n_layers": 2, "n_heads": 4, "hidden_dim": 48},
    "electra": {"embedding_size": 16},
    "eurobert": {"mask_token_id": 4},
    "modernbert": {"local_attention": 8, "cls_token_id": 2, "sep_token_id": 3},
    "rembert": {"input_embedding_size": 16},
}


@pytest.mark.parametrize("kind", KINDS)
def test_no_kind_lets_padding_in_or_runs_out_of_positions(kind):
    config = CONFIG_MAPPING[kind](**(TINY | OWN.get(kind, {})))
    model_class = encoder_class(config, kind)
    assert model_class is MODEL_MAPPING[type(config)]
    torch.manual_seed(0)
    model = model_class(config, **without_pooler(model_class))
    for values in model.parameters():
        torch.nn.init.normal_(values, std=0.2)
    tower = TextTower(model, "weighted", kind).eval()
    most = most_tokens(model) or 80
    rows = [torch.randint(5, 100, (length,)) for length in (7, most)]
    values = torch.nn.utils.rnn.pad_sequence(rows, True, 1)
    keep = torch.arange(most) < torch.tensor([[7], [most]])
    with torch.no_grad():
        together = tower(values, keep).mean()
        alone = torch.cat(
            [tower(row[None], torch.ones(1, len(row), dtype=bool)).mean() for row in rows]
        )
    assert together.shape == (2, tower.layers * tower.dim) == (2, 96)
    assert not any("pooler" in name for name, _ in model.named_parameters())
    torch.testing.assert_close(together, alone, atol=1e-5, rtol=0)
    half = deepcopy(tower)
    tower.hasten(torch.float32, packed=True)
    half.hasten(torch.bfloat16, packed=True)
    with torch.no_grad():
        packed, packed_half = tower(values, keep).mean(), half(values, keep).mean().float()
    torch.testing.assert_close(packed, together, atol=1e-5, rtol=0)
    assert torch.cosine_similarity(packed_half, together).min() > 0.999


# -- version, saving -------------------------------------------------------------------------


def test_the_version_says_what_the_vectors_depend_on(load, shelf, tmp_path):
    base = load("klue-bert")
    same = make_text_checkpoint(tmp_path / "elsewhere", "klue-bert")
    assert PretrainedText.load(str(same), Reading()).version == base.version
    others = [
        load("klue-bert", layers="1"),
        load("klue-bert", max_tokens=64),
        load("klue-roberta"),
        PretrainedText.load(
            str(make_text_checkpoint(tmp_path / "seed", "klue-bert", seed=1)), Reading()
        ),
        PretrainedText.load(str(make_text_checkpoint(tmp_path / "kcbert", "klue-bert")), Reading()),
    ]
    assert len({base.version, *(other.version for other in others)}) == 6
    assert len(base.version) == 16


@each_family
def test_what_is_saved_gives_equal_vectors(load, tmp_path, family):
    encoder = load(family)
    encoder.save(tmp_path / "kept")
    again = PretrainedText.load(str(tmp_path / "kept"), Reading())
    laughing = [*SENTENCES, "아 진짜ㅋㅋㅋㅋㅋㅋ 웃겨…"]
    np.testing.assert_array_equal(again.encode(laughing), encoder.encode(laughing))
    kept = {path.name for path in (tmp_path / "kept").iterdir()}
    assert {"config.json", "model.safetensors"} <= kept
    assert not any(name.endswith(".py") or name.startswith(".") for name in kept)


def test_saving_again_into_its_own_folder_changes_no_vector(tmp_path):
    folder = make_text_checkpoint(tmp_path / "own", "kobert-monologg")
    encoder = PretrainedText.load(str(folder), Reading())
    encoder.save(folder)
    again = PretrainedText.load(str(folder), Reading())
    np.testing.assert_array_equal(again.encode(SENTENCES), encoder.encode(SENTENCES))


def test_what_cannot_be_saved_whole_is_not_saved(load, tmp_path, monkeypatch):
    def full(*_):
        raise OSError(28, "No space left on device")

    encoder = load("klue-bert")
    monkeypatch.setattr(text_module.shutil, "copyfile", full)
    with pytest.raises(OSError, match="No space left"):
        encoder.save(tmp_path / "kept")
    assert list((tmp_path / "kept").iterdir()) == []


def test_an_adapter_is_saved_alone_and_put_back(load, shelf, tmp_path):
    pytest.importorskip("peft")
    encoder = load("klue-bert")
    before = encoder.encode(SENTENCES)
    add_adapter(encoder.tower.model, rank=2)
    with torch.no_grad():
        for name, values in encoder.tower.named_parameters():
            if "lora_B" in name:
                values.fill_(0.1)
    tuned = encoder.encode(SENTENCES)
    encoder.save(tmp_path / "adapter")
    assert not (tmp_path / "adapter" / "model.safetensors").exists()
    (again,) = text_encoders(str(tmp_path / "adapter"))
    assert np.abs(tuned - before).max() > 0.1
    assert again.version != encoder.version
    np.testing.assert_allclose(again.encode(SENTENCES), tuned, atol=1e-6)
    again.save(tmp_path / "second")
    (third,) = text_encoders(str(tmp_path / "second"))
    np.testing.assert_allclose(third.encode(SENTENCES), tuned, atol=1e-6)


# -- learning --------------------------------------------------------------------------------


def test_answering_leaves_a_tower_as_it_was_and_is_without_noise(load):
    encoder = load("klue-bert")
    quiet = encoder.encode(SENTENCES)
    encoder.tower.train()
    np.testing.assert_array_equal(encoder.encode(SENTENCES), quiet)
    assert encoder.tower.training
    assert encoder.tower.model.training


@each_family
def test_a_tower_learns_forty_sentences_by_heart(load, family):
    from maeum.testing import made_scripts

    emotions = ("Happy", "Sad", "Angry", "Fear")
    sentences = [text for emotion in emotions for text in made_scripts(emotion, 10)]
    labels = torch.arange(4).repeat_interleave(10)
    encoder = load(family)
    encoder.tower.thaw()
    inputs = encoder.prepare(sentences)
    torch.manual_seed(0)
    head = torch.nn.Linear(encoder.dim, 4)
    learner = torch.optim.Adam([*encoder.tower.parameters(), *head.parameters()], lr=3e-3)
    for _ in range(30):
        loss = torch.nn.functional.cross_entropy(head(encoder.tower(**inputs).mean()), labels)
        learner.zero_grad()
        loss.backward()
        learner.step()
    vectors = torch.from_numpy(encoder.encode(sentences))
    assert (head(vectors).argmax(dim=1) == labels).all()
