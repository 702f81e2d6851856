import csv
import json

import pytest
import transformers

from maeum import sample
from maeum.encoders.pretrained.loading import read_config
from maeum.encoders.pretrained.tokens import read_tokens
from maeum.errors import EncoderError
from maeum.testing.text_checkpoints import TEXT_FAMILIES, make_text_checkpoint

WORD_PIECES = {"tokenizer_config.json", "special_tokens_map.json", "tokenizer.json", "vocab.txt"}
FILES = {
    "kcelectra": {"model.safetensors", *WORD_PIECES},
    "koelectra": {"pytorch_model.bin", "tokenizer_config.json", "vocab.txt"},
    "kobert-skt": {
        "pytorch_model.bin",
        "tokenizer_config.json",
        "special_tokens_map.json",
        "spiece.model",
    },
    "kobert-monologg": {
        "pytorch_model.bin",
        "tokenizer_config.json",
        "tokenizer_78b3253a26.model",
        "vocab.txt",
        "tokenization_kobert.py",
    },
    "klue-bert": {"model.safetensors", *WORD_PIECES},
    "klue-roberta": {"model.safetensors", *WORD_PIECES},
    "bert-like": {"model.safetensors", "tokenizer.json"},
}

each_family = pytest.mark.parametrize("family", TEXT_FAMILIES)


def contents(folder):
    return {path.name: path.read_bytes() for path in folder.iterdir()}


@each_family
def test_the_files_are_those_of_the_repository(tmp_path, family):
    folder = make_text_checkpoint(tmp_path / "made", family)
    assert set(contents(folder)) == {"config.json", *FILES[family]}


@each_family
def test_equal_seeds_give_equal_files_and_other_seeds_other_weights(tmp_path, family):
    one, same, other = (
        contents(make_text_checkpoint(tmp_path / name, family, seed=seed))
        for name, seed in (("one", 0), ("same", 0), ("other", 1))
    )
    assert one == same
    assert {name for name in one if one[name] != other[name]} <= {
        "model.safetensors",
        "pytorch_model.bin",
    }
    assert one != other


def test_making_one_leaves_chance_as_it_was(tmp_path):
    import torch

    torch.manual_seed(0)
    expected = torch.rand(3)
    torch.manual_seed(0)
    make_text_checkpoint(tmp_path / "made", "klue-bert")
    assert torch.equal(torch.rand(3), expected)


@each_family
def test_the_class_it_was_saved_from_reads_it(tmp_path, family):
    folder = make_text_checkpoint(tmp_path / "made", family)
    (name,) = json.loads((folder / "config.json").read_text())["architectures"]
    _, told = getattr(transformers, name).from_pretrained(str(folder), output_loading_info=True)
    assert not told["missing_keys"]
    assert not told["unexpected_keys"]


@each_family
def test_every_sentence_of_the_sample_is_read(tmp_path, family):
    folder = make_text_checkpoint(tmp_path / "made", family)
    tokens = read_tokens(folder, read_config(folder))
    with (sample.path() / "sample.csv").open(encoding="utf-8") as file:
        sentences = [row["text"] for row in csv.DictReader(file)]
    numbers = {number for row in tokens.numbers(sentences, 512) for number in row}
    assert tokens.unknown not in numbers
    assert max(numbers) < len(tokens.vocabulary)


def test_an_unknown_family_is_refused(tmp_path):
    with pytest.raises(EncoderError, match=r"'kobert' .* choose from kcelectra, koelectra"):
        make_text_checkpoint(tmp_path / "made", "kobert")
