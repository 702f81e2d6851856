"""LoRA adapters are found where encoders are, and read as peft would, or refused."""

import json
import re
import shutil

import numpy as np
import pytest
import torch

from maeum.encoders import Reading, text_encoders
from maeum.encoders.pretrained import text as text_module
from maeum.encoders.pretrained.lora import add_adapter
from maeum.encoders.pretrained.text import PretrainedText
from maeum.errors import EncoderError
from maeum.testing import make_text_checkpoint

pytest.importorskip("peft")

SENTENCES = ("오늘 아침에 비가 많이 와서 학교에 늦었어요", "정말?")


@pytest.fixture(scope="module")
def learnt(tmp_path_factory):
    """The folder of an adapter, below one with nothing else, and the vectors it gives."""
    encoder = PretrainedText.load(
        str(make_text_checkpoint(tmp_path_factory.mktemp("base"), "klue-bert")), Reading()
    )
    add_adapter(encoder.tower.model, rank=2)
    with torch.no_grad():
        for name, values in encoder.tower.named_parameters():
            if "lora_B" in name:
                values.fill_(0.1)
    folder = tmp_path_factory.mktemp("encoders") / "text-0"
    encoder.save(folder)
    return folder, encoder.encode(SENTENCES)


@pytest.fixture
def stating(learnt, tmp_path):
    """A copy of the adapter that states something else."""

    def copy(**changed):
        folder = shutil.copytree(learnt[0], tmp_path / "changed")
        path = folder / "adapter_config.json"
        path.write_text(json.dumps(json.loads(path.read_text()) | changed))
        return str(folder)

    return copy


@pytest.mark.parametrize("name", ["text-0", "~/text-0", "/moved/away/text-0"])
def test_an_adapter_is_found_by_every_name_an_encoder_is(learnt, name, monkeypatch):
    folder, vectors = learnt
    monkeypatch.setenv("HOME" if name.startswith("~") else "MAEUM_ENCODERS", str(folder.parent))
    (encoder,) = text_encoders(name)
    assert encoder.name == name
    np.testing.assert_allclose(encoder.encode(SENTENCES), vectors, atol=1e-6)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("use_rslora", True),
        ("use_dora", True),
        ("fan_in_fan_out", True),
        ("rank_pattern", {"query": 4}),
        ("alpha_pattern", {"query": 4}),
        ("modules_to_save", ["pooler"]),
        ("bias", "all"),
        ("layers_to_transform", [0]),
        ("init_lora_weights", "pissa"),
        ("peft_type", "LOHA"),
        ("not_yet_invented", 0.5),
    ],
)
def test_what_may_change_vectors_and_is_not_followed_is_refused_by_name(stating, field, value):
    said = f"its {field} is {value!r}, which may change vectors and is not followed"
    with pytest.raises(EncoderError, match=re.escape(said)):
        text_encoders(stating(**{field: value}))


def test_what_changes_no_vector_is_passed_over(learnt, stating):
    folder = stating(
        lora_dropout=0.5,
        base_model_name_or_path="klue/bert-base",
        task_type="FEATURE_EXTRACTION",
        inference_mode=True,
        peft_version="1.0",
        rank_pattern=None,
        not_yet_invented=False,
    )
    (encoder,) = text_encoders(folder)
    np.testing.assert_allclose(encoder.encode(SENTENCES), learnt[1], atol=1e-6)


def test_weights_are_read_once_however_the_adapter_was_learnt(learnt, monkeypatch):
    read, as_it_is = [], text_module.read_weights

    def counted(*given, **named):
        read.append(given)
        return as_it_is(*given, **named)

    monkeypatch.setattr(text_module, "read_weights", counted)
    (other,) = text_encoders(str(learnt[0]), Reading(layers="weighted", max_tokens=64))
    assert len(read) == 1
    (same,) = text_encoders(str(learnt[0]))
    assert other.version != same.version


def test_the_version_tells_adapters_of_another_strength_apart(learnt, stating):
    (same,), (stronger,) = text_encoders(str(learnt[0])), text_encoders(stating(lora_alpha=40))
    assert same.version != stronger.version
    assert np.abs(same.encode(SENTENCES) - stronger.encode(SENTENCES)).max() > 1e-3


def test_an_adapter_that_learns_on_keeps_its_rank_and_says_so(learnt, caplog):
    (encoder,) = text_encoders(str(learnt[0]))
    add_adapter(encoder.tower.model, rank=2)
    assert not caplog.text
    add_adapter(encoder.tower.model, rank=16)
    assert "the adapter at hand has rank 2 and learns on, lora_rank=16 or not" in caplog.text


@pytest.mark.parametrize("beginning", [False, "gaussian", "orthogonal"])
def test_how_an_adapter_began_does_not_matter(learnt, stating, beginning):
    (encoder,) = text_encoders(stating(init_lora_weights=beginning))
    np.testing.assert_allclose(encoder.encode(SENTENCES), learnt[1], atol=1e-6)
