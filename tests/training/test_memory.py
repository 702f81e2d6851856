"""What tuning will need is found out before, without needing it."""

import pytest
import torch

from maeum.config import Settings
from maeum.corpus import import_corpus
from maeum.encoders import Reading, speech_encoders, text_encoders
from maeum.encoders.pretrained.tuning import Tuning, make_tunable
from maeum.testing import make_corpus, make_speech_checkpoint, make_text_checkpoint
from maeum.training import memory
from maeum.training.clips import Clips
from maeum.training.memory import Example, Need, needed_by, tell_need

BATCH = 4


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    made = tmp_path_factory.mktemp("pair")
    make_speech_checkpoint(made / "speech", "wav2vec2-large-robust")
    make_text_checkpoint(made / "text", "kcelectra")
    return made


@pytest.fixture
def example(folder):
    def make(how="full", **more):
        encoder, *_ = speech_encoders(str(folder / "speech"), Reading())
        encoder.tower.model.config.apply_spec_augment = False
        make_tunable(encoder.tower, Tuning(how, rank=2, **more))
        return Example(encoder.tower, torch.zeros(1, 16_000), BATCH, "1 s")

    return make


def bytes_of(weights):
    return sum(weight.nbytes for weight in weights)


@pytest.mark.parametrize("how", ["full", "lora"])
def test_weights_are_counted_and_stay_as_they_are(how, example):
    one = example(how)
    before = [(weight.requires_grad, weight.sum().item()) for weight in one.tower.parameters()]
    need = needed_by(one, bf16=False)
    assert need.weights == bytes_of(one.tower.parameters())
    assert need.learning == bytes_of(w for w in one.tower.parameters() if w.requires_grad)
    after = [(weight.requires_grad, weight.sum().item()) for weight in one.tower.parameters()]
    assert after == before
    assert not any(weight.grad is not None for weight in one.tower.parameters())


@pytest.mark.parametrize("bf16", [True, False])
@pytest.mark.parametrize("how", ["full", "lora"])
def test_what_is_kept_for_the_way_back_is_what_torch_keeps(how, bf16, example):
    one = example(how)
    own = {weight.untyped_storage().data_ptr() for weight in one.tower.parameters()}
    kept = {}

    def keep(values):
        storage = values.untyped_storage()
        if storage.data_ptr() not in own:
            kept[storage.data_ptr()] = storage
        return values

    one.tower.train()
    with (
        torch.autograd.graph.saved_tensors_hooks(keep, lambda values: values),
        torch.autocast("cpu", torch.bfloat16, enabled=bf16),
    ):
        answer = one.tower.model(one.values.repeat(BATCH, 1)).last_hidden_state
    on_the_way_back = sum(storage.nbytes() for storage in kept.values())
    assert answer.requires_grad
    assert 0.9 * on_the_way_back < needed_by(one, bf16=bf16).passing < 2 * on_the_way_back


def test_checkpointing_and_lora_need_less(folder, example):
    def read(**more):
        encoder, *_ = text_encoders(str(folder / "text"))
        make_tunable(encoder.tower, Tuning("full", **more))
        sentence = torch.ones(1, 100, dtype=torch.long)
        return needed_by(Example(encoder.tower, sentence, BATCH, "100 tokens"), bf16=False)

    assert read(gradient_checkpointing=True).passing < read().passing
    full, lora = (needed_by(example(how), bf16=False) for how in ("full", "lora"))
    assert lora.learning < 0.5 * full.learning


def test_an_update_needs_gradients_and_what_adamw_keeps(monkeypatch):
    monkeypatch.setattr(memory, "BESIDE", 100)
    monkeypatch.setattr(memory, "HELD", 2)
    need = Need(weights=10, learning=8, passing=20) + Need(1, 1, 1)
    assert need.total(gradients_stay=False) == 100 + 11 + 2 * 21 + 2 * 9
    assert need.total(gradients_stay=True) == 100 + 11 + 2 * 21 + 3 * 9


@pytest.fixture
def told(folder, tmp_path, monkeypatch, caplog):
    """What is said before a run of all weights, on a machine of some size."""
    table = make_corpus(tmp_path / "made", speakers=2, scripts_per_emotion=1)
    clips = Clips(import_corpus("table", table, tmp_path / "corpus"))
    tuned = {
        "speech-0": speech_encoders(str(folder / "speech"))[0],
        "text-0": text_encoders(str(folder / "text"))[0],
    }
    for encoder in tuned.values():
        make_tunable(encoder.tower, Tuning("full"))

    def tell(there, **more):
        monkeypatch.setattr(memory, "_there", lambda: (there, "this machine"))
        with caplog.at_level("INFO", logger="maeum"):
            tell_need(tuned, clips, Settings.of(tune="full", batch_size=BATCH, **more))
        return [(record.levelname, record.getMessage()) for record in caplog.records]

    return tell


def test_little_is_not_worth_a_word(told):
    assert told(2**40) == []


@pytest.fixture
def needs(monkeypatch):
    """31 GB, with checkpointing 12, with LoRA 9."""

    def foreseen(examples, settings, change=None):
        others = {None: 31, memory._checkpointed: 12}
        return others.get(change, 9) * memory.GB

    monkeypatch.setattr(memory, "foreseen", foreseen)


def test_need_and_what_would_need_less_are_said(needs, told):
    assert told(64 * memory.GB, cut_s=0.5) == [
        (
            "INFO",
            "tuning needs about 31 GB (batch 4 of up to 0.5 s); "
            "with --gradient-checkpointing 12 GB, with --tune lora 9.0 GB",
        )
    ]


def test_too_little_is_a_warning(needs, told):
    assert told(24 * memory.GB, cut_s=0.5, gradient_checkpointing=True) == [
        (
            "WARNING",
            "tuning needs about 31 GB (batch 4 of up to 0.5 s) and this machine has 24 GB; "
            "with --tune lora 9.0 GB",
        )
    ]


def test_a_model_that_looks_at_numbers_is_tuned_all_the_same(told, monkeypatch):
    def fails(*_, **__):
        raise NotImplementedError("aten::nonzero\nand more")

    monkeypatch.setattr(memory, "needed_by", fails)
    assert told(2**40) == [
        ("INFO", "how much memory tuning needs cannot be foreseen: aten::nonzero")
    ]
