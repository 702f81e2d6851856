"""Configuration and weights are read whole and without running anything, or refused."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file
from transformers import (
    AutoModel,
    BertModel,
    ElectraConfig,
    ElectraForPreTraining,
    ElectraModel,
    Wav2Vec2Config,
    Wav2Vec2ForPreTraining,
    Wav2Vec2Model,
)
from transformers.utils import logging

from maeum.encoders.pretrained.loading import digests, fingerprint, read_config, read_weights
from maeum.errors import EncoderError

TINY = {
    "hidden_size": 16,
    "num_hidden_layers": 2,
    "num_attention_heads": 2,
    "intermediate_size": 16,
}
WEIGHTS = "model.safetensors"


@pytest.fixture(scope="session")
def electra(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A tiny ELECTRA in half precision, with the head it was pretrained with; to be copied."""
    folder = tmp_path_factory.mktemp("electra")
    torch.manual_seed(0)
    config = ElectraConfig(vocab_size=50, embedding_size=16, **TINY)
    ElectraForPreTraining(config).half().save_pretrained(folder)
    return folder


@pytest.fixture
def folder(electra: Path, tmp_path: Path) -> Path:
    """A copy of it, to be spoilt."""
    return Path(shutil.copytree(electra, tmp_path / "electra"))


@pytest.fixture
def configured(folder: Path) -> Callable[..., Path]:
    """Change settings in config.json: `configured(model_type="bert")`."""

    def change(**settings: object) -> Path:
        path = folder / "config.json"
        path.write_text(json.dumps(json.loads(path.read_text()) | settings))
        return folder

    return change


def read(folder: Path, model_class: object = ElectraModel) -> torch.nn.Module:
    """The model in a folder."""
    return read_weights(model_class, folder, read_config(folder))


def complaint(folder: Path, model_class: object = ElectraModel) -> str:
    """What is said of a folder that cannot be read: one sentence."""
    with pytest.raises(EncoderError) as error:
        read(folder, model_class)
    said = str(error.value)
    assert "\n" not in said
    return said


def as_pickle(folder: Path, tensors: object, **how: object) -> None:
    """Leave a folder with pickled weights alone."""
    (folder / WEIGHTS).unlink()
    torch.save(tensors, folder / "pytorch_model.bin", **how)


@pytest.mark.parametrize("model_class", [ElectraModel, AutoModel])
def test_weights_come_in_float32_ready_to_answer(electra, model_class):
    model = read(electra, model_class)
    stored = load_file(electra / WEIGHTS)
    given = model.state_dict()
    assert {tensor.dtype for tensor in given.values() if tensor.is_floating_point()} == {
        torch.float32
    }
    assert not model.training
    name = "encoder.layer.1.output.dense.weight"
    assert torch.equal(given[name], stored[f"electra.{name}"].float())


def test_reading_is_silent_and_leaves_the_library_as_it_was(electra, capfd):
    before = logging.get_verbosity(), logging.is_progress_bar_enabled()
    read(electra)
    assert capfd.readouterr() == ("", "")
    assert (logging.get_verbosity(), logging.is_progress_bar_enabled()) == before


def test_weights_in_several_files_are_put_together(folder, tmp_path):
    whole = read(folder)
    parts = tmp_path / "parts"
    ElectraForPreTraining.from_pretrained(folder).save_pretrained(parts, max_shard_size="2KB")
    assert len(list(parts.glob("model-*-of-*.safetensors"))) > 2
    assert_equal(read(parts), whole)
    next(parts.glob("model-00002-*")).unlink()
    assert "cannot be read (No such file" in complaint(parts)


@pytest.mark.parametrize("zipped", [True, False])
def test_pickled_weights_are_read_where_there_are_no_others(folder, zipped):
    whole = read(folder)
    as_pickle(folder, load_file(folder / WEIGHTS), _use_new_zipfile_serialization=zipped)
    assert_equal(read(folder), whole)


def test_safetensors_stand_before_pickles(folder):
    whole = read(folder)
    (folder / "pytorch_model.bin").write_bytes(b"never looked at")
    assert_equal(read(folder), whole)


class Malice:
    """Makes a file when it is unpickled."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[object, tuple[str, str]]:
        return open, (str(self.path), "w")


def test_a_pickle_that_runs_code_is_refused_and_does_not(folder, tmp_path):
    harm = tmp_path / "harm"
    as_pickle(folder, {"embeddings.word_embeddings.weight": Malice(harm)})
    torch.load(folder / "pytorch_model.bin", weights_only=False)
    assert harm.is_file()  # it does what it is made for
    harm.unlink()
    assert "are broken, or come with code, which is never run" in complaint(folder)
    assert not harm.exists()


@pytest.mark.parametrize(
    "content", [b"", b"<html>not found</html>" * 9, bytes(8) + b"{}", b"\xff" * 64]
)
def test_broken_weights_are_one_sentence(folder, content):
    (folder / WEIGHTS).write_bytes(content)
    assert complaint(folder).startswith(f"the weights in {folder} cannot be read (")


def test_weights_cut_off_are_one_sentence(folder):
    content = (folder / WEIGHTS).read_bytes()
    (folder / WEIGHTS).write_bytes(content[:-100])
    assert complaint(folder).endswith("; fetch them and config.json again")


def test_a_pointer_of_git_lfs_is_told_from_weights(folder):
    (folder / WEIGHTS).write_text("version https://git-lfs.github.com/spec/v1\noid sha256:00\n")
    assert f"{folder / WEIGHTS} only points to the weights; run `git lfs pull`" in complaint(folder)


def test_weights_that_lack_a_layer_are_refused(folder):
    tensors = load_file(folder / WEIGHTS)
    save_file({k: v for k, v in tensors.items() if "layer.1." not in k}, folder / WEIGHTS)
    assert complaint(folder) == (
        f"{folder} holds another model or half of one: it lacks "
        "encoder.layer.1.attention.output.LayerNorm.bias and 15 more"
    )


def test_weights_of_another_model_are_refused(folder):
    assert "holds another model or half of one" in complaint(folder, BertModel)


def test_weights_of_other_shapes_are_refused(configured):
    said = complaint(configured(vocab_size=51))
    assert "embeddings.word_embeddings.weight is (50, 16), expected (51, 16)" in said


def test_a_pooler_may_be_missing_and_is_never_random(tmp_path):
    config = ElectraConfig(vocab_size=50, **TINY).to_dict() | {"model_type": "bert"}
    bert = BertModel(BertModel.config_class(**config), add_pooling_layer=False)
    bert.save_pretrained(tmp_path)
    assert not any(tensor.any() for tensor in read(tmp_path, BertModel).pooler.parameters())


@pytest.fixture
def wav2vec2(tmp_path: Path) -> Path:
    """A tiny wav2vec 2.0 as `.bin`, its tensors named as those of 2021 on the hub are."""
    front = {"conv_dim": (16, 16), "conv_kernel": (10, 3), "conv_stride": (5, 2)}
    codes = {"codevector_dim": 16, "proj_codevector_dim": 16, "num_codevectors_per_group": 4}
    around = {"num_conv_pos_embeddings": 16, "num_conv_pos_embedding_groups": 2}
    model = Wav2Vec2ForPreTraining(Wav2Vec2Config(**TINY, **front, **codes, **around))
    model.save_pretrained(tmp_path)
    old = {"parametrizations.weight.original0": "weight_g"}
    old["parametrizations.weight.original1"] = "weight_v"
    tensors = load_file(tmp_path / WEIGHTS)
    for new, name in old.items():
        tensors = {key.replace(new, name): tensor for key, tensor in tensors.items()}
    del tensors["wav2vec2.masked_spec_embed"]
    as_pickle(tmp_path, tensors)
    return tmp_path


def test_names_of_older_weights_are_understood(wav2vec2):
    stored = torch.load(wav2vec2 / "pytorch_model.bin", weights_only=True)
    model = read(wav2vec2, Wav2Vec2Model)
    convolution = model.encoder.pos_conv_embed.conv.parametrizations.weight
    position = "wav2vec2.encoder.pos_conv_embed.conv"
    assert torch.equal(convolution.original0, stored[f"{position}.weight_g"])
    assert torch.equal(convolution.original1, stored[f"{position}.weight_v"])
    assert not model.masked_spec_embed.any()


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"{not json", "is no JSON (Expecting property name"),
        (b"\xff\xfe", "is no JSON ('utf-8' codec can't decode"),
        (b"[]", "states no kind"),
        (b'{"hidden_size": 16}', "states no kind"),
        (b'{"model_type": ["bert"]}', "states no kind"),
        (b'{"model_type": "oracle"}', "is of the unknown kind 'oracle'; take another encoder"),
        (
            b'{"model_type": "oracle", "auto_map": {"AutoConfig": "oracle.Config"}}',
            "needs code of its own; no such code is run; take another encoder",
        ),
        (b'{"model_type": "bert", "hidden_size": "wide"}', "describes no bert (Validation error"),
    ],
)
def test_a_broken_configuration_is_one_sentence(folder, content, said):
    (folder / "config.json").write_bytes(content)
    assert f"{folder / 'config.json'} " in complaint(folder)
    assert said in complaint(folder)


@pytest.mark.parametrize("setting", ["attn_implementation", "_attn_implementation"])
def test_code_that_computes_attention_is_refused(configured, setting):
    said = complaint(configured(**{setting: "someone/kernels"}))
    assert "wants attention computed by code from the model hub; no such code is run" in said


def test_code_of_a_known_kind_is_ignored(configured):
    folder = configured(auto_map={"AutoModel": "modeling.Model", "AutoConfig": "modeling.Config"})
    (folder / "modeling.py").write_text("raise SystemExit")
    assert type(read(folder, AutoModel)) is ElectraModel


def test_quantized_weights_are_refused(configured):
    said = complaint(configured(quantization_config={"quant_method": "gptq", "bits": 4}))
    assert "is of a quantized model" in said


@pytest.mark.parametrize(
    "settings",
    [
        {"num_attention_heads": 0},
        {"hidden_act": "x"},
        {"vocab_size": -1},
    ],
)
def test_numbers_that_make_no_model_are_one_sentence(configured, settings):
    assert "cannot be read (" in complaint(configured(**settings))


def test_more_layers_than_are_asked_for_are_refused(configured):
    assert "more layers than its config.json describes" in complaint(
        configured(num_hidden_layers=1)
    )


@pytest.mark.parametrize(
    "names", [["classifier.layers.1.weight"], ["decoder.layers.0.bias", "decoder.layers.3.bias"]]
)
def test_layers_of_a_head_or_a_decoder_are_no_half_of_the_model(folder, names):
    tensors = load_file(folder / WEIGHTS)
    more = {name: torch.zeros(2) for name in names}
    save_file(tensors | more, folder / WEIGHTS, metadata={"format": "pt"})
    assert read(folder)


@pytest.mark.parametrize("depth", [0, -1, 10_000_000, "2"])
def test_a_depth_that_cannot_be_is_refused(configured, depth):
    said = complaint(configured(num_hidden_layers=depth))
    assert f"has num_hidden_layers={depth!r}, expected 1 to 1000" in said


def test_what_changes_the_form_of_answers_is_not_followed(configured, electra):
    model = read(configured(return_dict=False, chunk_size_feed_forward=7))
    sentence = torch.tensor([[2, 5, 6, 3]])
    with torch.no_grad():
        assert torch.equal(
            model(sentence).last_hidden_state, read(electra)(sentence).last_hidden_state
        )


def test_the_reason_is_told_with_the_value(configured):
    assert "'x'" in complaint(configured(layer_norm_eps="x"))


def version(folder, *salt):
    return fingerprint(digests(folder), *salt)


def test_a_fingerprint_stays_where_the_folder_goes(folder, electra):
    assert version(folder) == version(electra)
    (folder / "README.md").write_text("nobody reads this")
    (folder / "pytorch_model.bin").write_text("nor this")
    assert version(folder) == version(electra)
    assert len(version(folder)) == 16
    assert int(version(folder), 16) > 0


def test_a_fingerprint_changes_with_one_weight(folder, electra):
    content = bytearray((folder / WEIGHTS).read_bytes())
    content[-1] ^= 1
    (folder / WEIGHTS).write_bytes(content)
    assert version(folder) != version(electra)


@pytest.mark.parametrize("name", ["config.json", "preprocessor_config.json", "vocab.txt"])
def test_a_fingerprint_changes_with_what_is_read_beside_the_weights(folder, electra, name):
    with (folder / name).open("a") as file:
        file.write(" ")
    assert version(folder) != version(electra)


def test_a_fingerprint_changes_with_its_salt(electra):
    salted = [(), ("last",), ("1",), ("last", "1"), ("last1",)]
    assert len({version(electra, *salt) for salt in salted}) == len(salted)


def assert_equal(model: torch.nn.Module, other: torch.nn.Module) -> None:
    """Both have the same weights."""
    mine, others = model.state_dict(), other.state_dict()
    assert mine.keys() == others.keys()
    assert all(torch.equal(mine[name], others[name]) for name in mine)
