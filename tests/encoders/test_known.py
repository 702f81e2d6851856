"""What is said of encoders before they are fetched."""

from __future__ import annotations

import runpy
from pathlib import Path
from typing import Any

import pytest

from maeum.config import RECIPES
from maeum.encoders import BUILTIN_SPEECH, BUILTIN_TEXT, speech_encoders, text_encoders
from maeum.encoders.known import KNOWN, closest

CHECKOUT = Path(__file__).parents[2]
PRETRAINED = [name for name, encoder in KNOWN.items() if not encoder.builtin]
NAMED_BY_THE_PAPER = (
    "facebook/wav2vec2-large-robust",
    "beomi/KcELECTRA-base-v2022",
    "skt/kobert-base-v1",
    "monologg/koelectra-base-v3-discriminator",
    "klue/bert-base",
    "klue/roberta-small",
    "klue/roberta-large",
)


@pytest.fixture(scope="module")
def tool() -> dict[str, Any]:
    """What tools/count_encoders.py defines."""
    return runpy.run_path(str(CHECKOUT / "tools" / "count_encoders.py"))


def of_side(side: str) -> list[str]:
    return [name for name, encoder in KNOWN.items() if encoder.side == side]


def test_the_built_in_ones_come_first_and_then_those_of_the_paper():
    assert of_side("speech")[:2] == ["builtin:acoustic", "facebook/wav2vec2-large-robust"]
    assert of_side("text")[:3] == ["builtin:letters", "builtin:starter", "builtin:korean"]
    assert of_side("text")[3] == "beomi/KcELECTRA-base-v2022"


def test_all_that_the_paper_and_the_recipes_name_are_known():
    recipes = {
        RECIPES[name][side] for name in ("paper", "benchmark") for side in ("speech", "text")
    }
    assert recipes | {*NAMED_BY_THE_PAPER} <= KNOWN.keys()


@pytest.mark.parametrize("name", [*BUILTIN_SPEECH, *BUILTIN_TEXT])
def test_of_built_in_encoders_the_truth_is_told(name):
    find = speech_encoders if name in BUILTIN_SPEECH else text_encoders
    assert KNOWN[name].builtin
    assert (KNOWN[name].dim, KNOWN[name].seconds) == (find(name)[0].dim, 0)


def test_every_pretrained_encoder_is_counted_by_the_tool(tool):
    assert list(tool["ARCHITECTURES"]) == PRETRAINED


@pytest.mark.parametrize(
    "name",
    ["facebook/wav2vec2-large-robust", "openai/whisper-small", "beomi/KcELECTRA-base-v2022"],
)
def test_sizes_and_costs_are_those_counted(tool, name):
    known = KNOWN[name]
    told = known.parameters_millions, known.stored_millions, known.gflop
    assert tool["count"](tool["ARCHITECTURES"][name]) == pytest.approx(told, abs=0.06)


@pytest.mark.parametrize("name", PRETRAINED)
def test_dimensions_and_layers_are_those_of_the_architecture(tool, name):
    import torch

    with torch.device("meta"):
        config = tool["ARCHITECTURES"][name].model().config
    assert (KNOWN[name].dim, KNOWN[name].layers) == (config.hidden_size, config.num_hidden_layers)
    assert KNOWN[name].family == config.model_type


def test_the_price_of_an_encoder_is_in_plain_units():
    robust = KNOWN["facebook/wav2vec2-large-robust"]
    assert robust.disk_mb == pytest.approx(1261.6)
    assert robust.seconds == pytest.approx(2.1, abs=0.05)


@pytest.mark.parametrize(
    ("typed", "side", "meant"),
    [
        ("facebook/wav2vec2-large-robst", "speech", "facebook/wav2vec2-large-robust"),
        ("wav2vec2-large-robust", "speech", "facebook/wav2vec2-large-robust"),
        ("acoustic", "speech", "builtin:acoustic"),
        ("beomi/kcelectra-base-v2022", "text", "beomi/KcELECTRA-base-v2022"),
        ("klue/robert-large", "text", "klue/roberta-large"),
    ],
)
def test_a_mistyped_name_is_recognized(typed, side, meant):
    assert closest(typed, side) == meant


@pytest.mark.parametrize(
    ("typed", "side"),
    [
        ("openai/whisper-large-v2", "speech"),
        ("facebook/wav2vec2-large", "speech"),
        ("facebook/wav2vec2-large-960h", "speech"),
        ("beomi/KcELECTRA-base", "text"),
        ("klue/bert-base", "speech"),
        ("klue/bert-base", "text"),
        ("", "text"),
    ],
)
def test_another_model_is_not_taken_for_a_mistyped_one(typed, side):
    assert closest(typed, side) is None
