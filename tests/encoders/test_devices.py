"""Where towers answer, and how exactly. The meta device stands for an accelerator: it computes
nothing, but what is moved to it lies there."""

import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import nullcontext
from threading import Barrier
from types import SimpleNamespace

import numpy as np
import pytest
import torch

from maeum.encoders import Reading
from maeum.encoders.pretrained import computing, exactness
from maeum.encoders.pretrained.computing import answer, answering, usual_device
from maeum.encoders.pretrained.exactness import exact_convolutions
from maeum.encoders.pretrained.frames import Frames
from maeum.encoders.pretrained.speech import PretrainedSpeech
from maeum.encoders.pretrained.text import PretrainedText
from maeum.encoders.pretrained.tower import Tower
from maeum.testing import make_speech_checkpoint, make_text_checkpoint

META = torch.device("meta")
RATE_HZ = 16_000
CLIPS = [
    np.random.default_rng(samples).normal(0, 0.1, samples).astype(np.float32)
    for samples in (9_000, 16_011, 6_000, 9_000, 7_321)
]
SENTENCES = ("오늘 아침에 비가 많이 와서 학교에 늦었어요", "응.", "정말 고마워!")


class Told(Tower):
    """A tower that remembers what it was given, and where that lay."""

    dim, layers = 4, 1

    def __init__(self):
        super().__init__(torch.nn.Linear(1, 1))
        self.told, self.moves = [], []

    def to(self, device):
        self.moves.append(device)
        time.sleep(0.02)
        return super().to(device)

    def forward(self, values, keep):
        self.told.append((len(values), values.device.type, keep.device.type))
        return Frames(torch.zeros(len(values), 1, 3, 4), torch.ones(len(values), 3).bool())

    @property
    def place(self):
        return self.model.weight.device


@pytest.fixture
def with_accelerator(monkeypatch):
    monkeypatch.setattr(computing, "usual_device", lambda: META)


@pytest.fixture
def speech(tmp_path):
    """A speech encoder whose tower computes nothing."""
    folder = make_speech_checkpoint(tmp_path / "hubert", "hubert")
    encoder = PretrainedSpeech.load(str(folder), Reading())
    encoder.tower = Told()
    return encoder


# Where


def test_a_tower_moves_when_it_first_answers_whoever_asks_and_stays(with_accelerator):
    tower, threads = Told(), 4
    assert tower.place.type == "cpu"
    together = Barrier(threads)

    def ask(_):
        together.wait()
        with answering(tower):
            return tower.place

    with ThreadPoolExecutor(threads) as pool:
        assert set(pool.map(ask, range(threads))) == {META}
    assert tower.moves == [META]
    assert tower.place == META


def test_a_tower_brought_back_after_training_moves_again(with_accelerator):
    tower = Told()
    with answering(tower):
        pass
    tower.to_empty(device="cpu")
    with answering(tower):
        assert tower.place == META
    assert tower.moves == [META, META]


def test_a_tower_that_was_put_on_an_accelerator_is_left_there():
    tower = Told().to(META)
    with answering(tower):
        assert tower.place == META
    assert tower.moves == [META]


def test_what_a_tower_is_given_follows_it():
    tower = Told().to(META)
    answer(tower, {"values": torch.zeros(2, 5), "keep": torch.ones(2, 5).bool()})
    assert tower.told == [(2, "meta", "meta")]


def test_a_processor_takes_clips_one_by_one(speech, monkeypatch):
    monkeypatch.setattr(computing, "usual_device", lambda: torch.device("cpu"))
    assert speech.at_once == 1
    speech.encode(CLIPS)
    assert speech.tower.told == [(1, "cpu", "cpu")] * len(CLIPS)
    assert speech.tower.moves == []


def test_an_accelerator_takes_clips_together(speech, with_accelerator):
    assert speech.at_once > len(CLIPS)  # before it has moved, too
    assert speech.encode(CLIPS).shape == (len(CLIPS), 4)
    assert speech.tower.told == [(len(CLIPS), "meta", "meta")]
    assert speech.tower.moves == [META]


def test_without_cuda_towers_answer_on_the_processor(monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    assert usual_device() == torch.device("cpu")


def test_with_cuda_towers_answer_on_the_device_in_use(monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "current_device", lambda: 1)
    assert usual_device() == torch.device("cuda:1")


# How exactly


@pytest.fixture
def convolutions():
    """The setting of torch, put back afterwards."""
    setting = torch.backends.cudnn.conv
    before = setting.fp32_precision
    yield setting
    setting.fp32_precision = before


@pytest.mark.parametrize("usual", ["tf32", "ieee", "none"])
def test_answers_are_whole_float32_and_the_setting_is_put_back(convolutions, usual, monkeypatch):
    monkeypatch.setattr(computing, "_lies_on", lambda tower: torch.device("cuda"))
    convolutions.fp32_precision = usual
    with answering(Told()):
        assert convolutions.fp32_precision == "ieee"
    assert convolutions.fp32_precision == usual
    with pytest.raises(KeyError):
        fail_while_answering()
    assert convolutions.fp32_precision == usual


def fail_while_answering():
    with answering(Told()):
        raise KeyError


def test_no_other_setting_is_touched(convolutions, monkeypatch):
    monkeypatch.setattr(torch.backends.cudnn, "benchmark", True)
    names = ("enabled", "benchmark", "deterministic")
    before = [getattr(torch.backends.cudnn, name) for name in names]
    with exact_convolutions():
        assert [getattr(torch.backends.cudnn, name) for name in names] == before
        assert torch.get_float32_matmul_precision() == "highest"


def test_the_last_who_answers_puts_the_setting_back(convolutions):
    convolutions.fp32_precision = "tf32"
    one, other = exact_convolutions(), exact_convolutions()
    one.__enter__()
    other.__enter__()
    one.__exit__(None, None, None)
    assert convolutions.fp32_precision == "ieee"
    other.__exit__(None, None, None)
    assert convolutions.fp32_precision == "tf32"


def test_older_versions_of_torch_have_the_setting_elsewhere(monkeypatch):
    cudnn = SimpleNamespace(allow_tf32=True)
    old_torch = SimpleNamespace(backends=SimpleNamespace(cudnn=cudnn))
    monkeypatch.setattr(exactness, "torch", old_torch)
    with exact_convolutions():
        assert cudnn.allow_tf32 is False
    assert cudnn.allow_tf32 is True


# On a real one


on_cuda = pytest.mark.skipif(not torch.cuda.is_available(), reason="there is no CUDA here")


@on_cuda
@pytest.mark.parametrize("family", ["xls-r", "wavlm", "hubert", "w2v-bert"])
def test_vectors_of_clips_are_the_same_on_a_gpu_alone_and_together(tmp_path, family, monkeypatch):
    folder = str(make_speech_checkpoint(tmp_path / family, family))
    check_on_gpu(lambda: PretrainedSpeech.load(folder, Reading()), CLIPS, monkeypatch)


@on_cuda
def test_vectors_of_sentences_are_the_same_on_a_gpu_alone_and_together(tmp_path, monkeypatch):
    folder = str(make_text_checkpoint(tmp_path / "klue-bert", "klue-bert"))
    check_on_gpu(lambda: PretrainedText.load(folder, Reading()), SENTENCES, monkeypatch)


def check_on_gpu(load, items, monkeypatch):
    with monkeypatch.context() as patched:
        patched.setattr(computing, "usual_device", lambda: torch.device("cpu"))
        on_processor = load().encode(items)
    encoder = load()
    together = encoder.encode(items)
    assert next(encoder.tower.parameters()).device.type == "cuda"
    alone = np.concatenate([encoder.encode([item]) for item in items])
    np.testing.assert_allclose(together, alone, atol=1e-5)
    np.testing.assert_allclose(together, on_processor, atol=1e-4)


def test_a_tower_that_does_not_fit_is_whole_again(monkeypatch):
    tower = Told()

    def to(device):
        tower.moves.append(str(device))
        if str(device) == "meta":
            raise torch.OutOfMemoryError("full")
        return tower

    monkeypatch.setattr(computing, "usual_device", lambda: META)
    monkeypatch.setattr(tower, "to", to)
    with pytest.raises(torch.OutOfMemoryError), answering(tower):
        pass
    assert tower.moves == ["meta", "cpu"]


def test_on_a_processor_no_setting_is_touched(monkeypatch):
    asked = []
    monkeypatch.setattr(computing, "exact_convolutions", lambda: asked.append(1) or nullcontext())
    with answering(Told()):
        assert not asked
    monkeypatch.setattr(computing, "_lies_on", lambda tower: torch.device("cuda"))
    with answering(Told()):
        assert asked


def test_whisper_computes_with_all_of_its_window(tmp_path):
    heard = {}
    for family in ("whisper", "hubert"):
        folder = make_speech_checkpoint(tmp_path / family, family)
        inputs = PretrainedSpeech.load(str(folder), Reading())._inputs
        heard[family] = inputs.computed(CLIPS[0])
    assert heard == {"whisper": 30 * RATE_HZ, "hubert": len(CLIPS[0])}
