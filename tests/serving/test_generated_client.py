"""A client that a program wrote from the OpenAPI document gets the classifier's own answers."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from importlib import import_module
from io import BytesIO
from pathlib import Path

import httpx
import pytest

from maeum.inference import Query

pytest.importorskip("openapi_python_client", reason="it comes with the extra dev")


@pytest.fixture(scope="module")
def client(address, tmp_path_factory):
    """What looks up a module of the client, and a connection of the client's."""
    folder = tmp_path_factory.mktemp("generated")
    document = folder / "openapi.json"
    document.write_bytes(httpx.get(f"{address}/openapi.json").content)
    command = [
        *(sys.executable, "-m", "openapi_python_client", "generate", "--meta", "none"),
        *("--path", str(document), "--output-path", str(folder / "maeum_client")),
        "--fail-on-warning",
    ]
    beside = {"PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"}
    ended = subprocess.run(command, capture_output=True, text=True, env=os.environ | beside)
    assert ended.returncode == 0, ended.stdout + ended.stderr
    sys.path.insert(0, str(folder))
    try:
        connection = import_module("maeum_client").Client(base_url=address, timeout=60)
        yield lambda name: import_module(f"maeum_client.{name}"), connection
    finally:
        sys.path.remove(str(folder))


def asked_by(module, query):
    """A recording with its words, as the client's form."""
    path = Path(query.audio)
    recording = module("types").File(BytesIO(path.read_bytes()), path.name, "audio/wav")
    return module("models").UtteranceForm(audio=recording, text=query.text)


def test_recordings_with_words(client, model, asked):
    module, connection = client
    for query in asked[:4]:
        found = module("api.answers.predict").sync(
            client=connection, body=asked_by(module, query), explain=True
        )
        (own,) = model.predict([query], explain=True)
        assert found.emotion == own.emotion
        assert found.modalities == ["speech", "text"]
        assert found.probabilities.to_dict() == pytest.approx(own.probabilities, abs=1e-6)
        assert found.contributions.to_dict() == pytest.approx(own.contributions, abs=1e-6)


def test_words_in_json_alone_and_in_a_batch(client, model):
    module, connection = client
    said = ["정말 마음이 아프다", "오늘 정말 행복해"]
    models = module("models")
    alone = module("api.answers.predict").sync(client=connection, body=models.Utterance(said[0]))
    both = module("api.answers.batch").sync(client=connection, body=models.Texts(said))
    assert [one.text for one in both] == said
    own = list(model.predict([Query(None, one) for one in (said[0], *said)]))
    for found, expected in zip([alone, *both], own, strict=True):
        assert found.probabilities.to_dict() == pytest.approx(expected.probabilities, abs=1e-6)


def test_a_call_with_a_transcript(client, model, call):
    module, connection = client
    start_s, end_s, _, text = call.said[0]
    cues = [{"start": start_s, "end": end_s, "text": text}]
    words = module("types").File(BytesIO(json.dumps(cues).encode()), "said.txt", "text/plain")
    recording = module("types").File(BytesIO(call.path.read_bytes()), "call.wav", "audio/wav")
    form = module("models").TimelineForm(audio=recording, transcript=words)
    found = module("api.answers.timeline").sync(client=connection, body=form, smooth_s=0.0)
    assert found.audio == "call.wav"
    first, *rest = found.segments
    assert (first.text, first.modalities) == (text, ["speech", "text"])
    assert {tuple(one.modalities) for one in rest} == {("speech",)}
    assert set(first.probabilities.to_dict()) == set(found.emotions) == set(model.emotions.names)


def test_a_refusal_is_a_problem(client):
    module, connection = client
    told = module("api.answers.predict").sync(client=connection, body=module("models").Utterance())
    assert (type(told).__name__, told.status) == ("Problem", 422)
    assert "neither text nor audio_base64 came" in told.detail
