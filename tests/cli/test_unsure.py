"""--abstain and --explain, the way a person types them."""

from __future__ import annotations

import json

import pytest

SAID = "정말 마음이 아프다"


@pytest.fixture(scope="module")
def recording(calls):
    return sorted(calls.parent.rglob("*.wav"))[0]


def test_an_answer_below_the_confidence_is_unsure(maeum, run):
    asked = ("predict", run, "--text", SAID)
    (sure,) = maeum(*asked, "--abstain", 0, "--json").lines
    (unsure,) = maeum(*asked, "--abstain", 1, "--json").lines
    assert unsure == {**sure, "emotion": "unsure"}
    assert sure["emotion"] in sure["probabilities"]
    assert f"{SAID}: unsure 모름 (" in maeum(*asked, "--abstain", 1).out


def test_what_each_side_contributed_is_said(maeum, run, recording):
    asked = ("predict", run, recording, "--text", SAID, "--explain")
    (found,) = maeum(*asked, "--json").lines
    speech, text = (found["contributions"][side] for side in ("speech", "text"))
    assert f"from speech {speech:+.2f}, text {text:+.2f})" in maeum(*asked).out
    (plain,) = maeum(*asked[:-1], "--json").lines
    assert plain == {name: value for name, value in found.items() if name != "contributions"}
    (alone,) = maeum("predict", run, "--text", SAID, "--explain", "--json").lines
    assert "contributions" not in alone


def test_an_evaluation_says_what_leaving_the_unsure_out_gains(maeum, run, corpus):
    asked = ("evaluate", run, corpus, "--part", "all", "--abstain", "0.5")
    found = maeum(*asked, "--json").json
    assert found["abstain"]["least"] == 0.5
    assert 0 <= found["abstain"]["coverage"] <= 1
    assert "answering where it is 50% sure" in maeum(*asked).out
    plain = maeum(*asked[:-2], "--json").json
    assert "abstain" not in plain
    assert json.dumps(plain) == json.dumps({k: v for k, v in found.items() if k != "abstain"})


@pytest.mark.parametrize("value", ["1.5", "-0.1", "nan"])
def test_what_is_no_confidence_is_one_sentence(maeum, run, corpus, value):
    for command in (("predict", run, "--text", SAID), ("evaluate", run, corpus)):
        complaint = maeum(*command, f"--abstain={value}").complaint
        assert "expected a share from 0 to 1, as 0.6" in complaint
