"""Where an encoder is found, what is fetched of it, and what is said where it cannot be had."""

from __future__ import annotations

import json
import socket
import threading
import time
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from huggingface_hub import constants

from maeum.encoders.pretrained import places
from maeum.encoders.pretrained.places import find, local_folder, weights_in
from maeum.errors import EncoderError

REVISIONS = ("main", "v2")
COMMIT = "0123456789abcdef0123456789abcdef01234567"
NAME = "someone/listener"
WHOLE = ("config.json", "model.safetensors", "vocab.txt")

Fill = Callable[..., Path]


@pytest.fixture
def fill(tmp_path: Path) -> Fill:
    """Make a folder of empty files: `fill("shelf/listener", "config.json")`."""

    def make(folder: str, *names: str) -> Path:
        for name in names:
            path = tmp_path / folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.touch()
        return tmp_path / folder

    return make


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty cache of the model hub."""
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"


@pytest.fixture
def cached(cache: Path, fill: Fill) -> Callable[..., Path]:
    """Put files of `NAME` into the cache, as a download leaves them."""

    def put(*names: str) -> Path:
        repository = cache / "models--someone--listener"
        (repository / "refs").mkdir(parents=True)
        (repository / "refs" / "main").write_text(COMMIT)
        return fill(f"cache/{repository.name}/snapshots/{COMMIT}", *names)

    return put


@pytest.fixture(autouse=True)
def alone(cache: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """No cache, no shelf, and a working folder of its own."""
    monkeypatch.delenv(places.VARIABLE, raising=False)
    monkeypatch.chdir(tmp_path)


class Hub(ThreadingHTTPServer):
    """A model hub with one model; remembers what it was asked for."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Answer)
        self.files: dict[str, bytes] = {}
        self.refusal = ""
        self.asked: list[str] = []

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"

    @property
    def fetched(self) -> set[str]:
        """Names of the files it gave away."""
        return {path.rpartition("/")[2] for path in self.asked if path.startswith("GET /someone")}


class _Answer(BaseHTTPRequestHandler):
    server: Hub

    def do_HEAD(self) -> None:
        self._answer()

    def do_GET(self) -> None:
        self._answer()

    def _answer(self) -> None:
        path = self.path.partition("?")[0]
        self.server.asked.append(f"{self.command} {path}")
        if path == f"/api/models/{NAME}" or path in map(_info, REVISIONS):
            siblings = [{"rfilename": name} for name in self.server.files]
            self._give(json.dumps({"id": NAME, "sha": COMMIT, "siblings": siblings}).encode())
        elif path == f"/api/models/{NAME}/tree/{COMMIT}":
            tree = [_entry(name, content) for name, content in self.server.files.items()]
            self._give(json.dumps(tree).encode())
        elif path.startswith(f"/{NAME}/resolve/{COMMIT}/") and not self.server.refusal:
            self._give(self.server.files[path.removeprefix(f"/{NAME}/resolve/{COMMIT}/")])
        elif path.startswith(_info("")):
            self._refuse("RevisionNotFound")
        else:
            self._refuse(self.server.refusal or "RepoNotFound")

    def _give(self, content: bytes) -> None:
        self.send_response(200)
        self.send_header("Content-Length", str(len(content)))
        self.send_header("ETag", f'"{hash(content)}"')
        self.send_header("X-Repo-Commit", COMMIT)
        self.end_headers()
        if self.command == "GET":
            self.wfile.write(content)

    def _refuse(self, code: str) -> None:
        self.send_response(403 if code == "GatedRepo" else 404)
        self.send_header("X-Error-Code", code)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Nothing on standard error."""


def _info(revision: str) -> str:
    return f"/api/models/{NAME}/revision/{revision}"


def _entry(name: str, content: bytes) -> dict[str, object]:
    return {"type": "file", "path": name, "size": len(content), "oid": str(hash(content))}


@pytest.fixture
def hub(reach: Callable[[str], None]) -> Iterator[Hub]:
    """A model hub that can be reached."""
    with Hub() as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        reach(server.url)
        yield server
        server.shutdown()
        thread.join()


@pytest.fixture
def reach(monkeypatch: pytest.MonkeyPatch) -> Callable[[str], None]:
    """Say where the model hub is, and go online."""

    def online(url: str) -> None:
        monkeypatch.setattr(constants, "HF_HUB_OFFLINE", False)
        monkeypatch.setattr(constants, "ENDPOINT", url)
        template = url + "/{repo_id}/resolve/{revision}/{filename}"
        monkeypatch.setattr(constants, "HUGGINGFACE_CO_URL_TEMPLATE", template)

    return online


def complaint(name: str = NAME, side: places.Side = "speech") -> str:
    """What is said where an encoder cannot be had: one sentence."""
    with pytest.raises(EncoderError) as error:
        find(name, side)
    said = str(error.value)
    assert "\n" not in said
    return said


def test_a_folder_is_found_by_its_path(fill, tmp_path):
    folder = fill("mine", *WHOLE)
    assert find(str(folder), "text") == folder
    assert find("mine", "text").samefile(folder)
    assert find("./mine/", "text").samefile(folder)


def test_the_home_folder_may_be_a_tilde(fill, monkeypatch, tmp_path):
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("USERPROFILE", str(tmp_path))
    folder = fill("mine", *WHOLE)
    assert find("~/mine", "text") == folder


@pytest.mark.parametrize("place", [f"shelf/{NAME}", "shelf/listener"])
def test_a_name_is_found_below_the_folder_of_encoders(fill, monkeypatch, tmp_path, place):
    monkeypatch.setenv(places.VARIABLE, str(tmp_path / "shelf"))
    folder = fill(place, *WHOLE)
    assert find(NAME, "text") == folder


def test_a_folder_stands_before_the_shelf_and_the_shelf_before_the_cache(
    fill, cached, monkeypatch, tmp_path
):
    in_the_cache = cached(*WHOLE)
    assert find(NAME, "text") == in_the_cache
    monkeypatch.setenv(places.VARIABLE, str(tmp_path / "shelf"))
    on_the_shelf = fill(f"shelf/{NAME}", *WHOLE)
    assert find(NAME, "text") == on_the_shelf
    in_a_folder = fill(NAME, *WHOLE)
    assert find(NAME, "text").samefile(in_a_folder)


@pytest.mark.parametrize(
    ("names", "lacking"),
    [
        (["model.safetensors"], "config.json"),
        (["config.json"], "weights"),
        (["config.json", "tf_model.h5", "flax_model.msgpack"], "weights"),
        (["config.json", "model.safetensors.index.json"], "weights"),
        (
            ["config.json", "model-00001-of-00002.safetensors", "model.safetensors.index.json"],
            "some of its weights",
        ),
    ],
)
def test_a_folder_without_what_it_takes_is_named_with_what_it_lacks(fill, names, lacking):
    folder = fill("mine", *names)
    assert f"{folder} holds no encoder, it lacks {lacking};" in complaint(str(folder))
    assert local_folder(str(folder), "speech") is None


@pytest.mark.parametrize(
    "name", ["./mine", "/nowhere/mine", "~/nowhere/mine", "~nobody/mine", "models/de/mine"]
)
def test_a_path_that_leads_nowhere_is_no_matter_for_the_hub(name, hub):
    assert complaint(name).startswith(f"{name} does not exist; expected the folder")
    assert hub.asked == []


def test_a_file_in_the_place_of_a_folder_is_said_to_be_one(fill, tmp_path):
    fill("mine", "model.safetensors")
    said = complaint(str(tmp_path / "mine" / "model.safetensors"))
    assert "model.safetensors is a file; expected the folder" in said


def test_offline_says_how_to_do_without_the_hub():
    assert complaint() == (
        "speech encoder 'someone/listener' is not on this machine, and HF_HUB_OFFLINE is set, so "
        "the model hub was not asked; name its folder (--speech FOLDER), put it below "
        "$MAEUM_ENCODERS, or take builtin:acoustic (and for text builtin:letters), without a "
        "download"
    )
    assert "(--text FOLDER)" in complaint(side="text")
    assert "take builtin:letters" in complaint(side="text")


def test_a_known_encoder_of_the_other_side_is_not_fetched(hub):
    said = complaint("beomi/KcELECTRA-base-v2022", "speech")
    assert said == "beomi/KcELECTRA-base-v2022 is a text encoder; give it as --text"
    assert hub.asked == []


def test_a_mistyped_name_gets_a_suggestion():
    assert "(did you mean klue/bert-base?)" in complaint("klue/bert-bas", "text")
    assert "did you mean" not in complaint(NAME)


def test_the_cache_is_used_offline_if_all_of_it_is_there(cached):
    folder = cached("config.json", "model.safetensors")
    assert find(NAME, "speech") == folder
    assert local_folder(NAME, "speech") == folder
    assert local_folder(NAME, "text") is None  # no vocabulary
    assert "is not on this machine" in complaint(side="text")


def test_of_a_model_on_the_hub_only_what_matters_is_fetched(hub):
    wanted = {"config.json", "model.safetensors", "tokenizer.json", "vocab.txt", "spiece.model"}
    others = {"README.md", "modeling.py", "pytorch_model.bin", "tf_model.h5", "onnx/model.onnx"}
    hub.files = {name: name.encode() for name in wanted | others}
    folder = find(NAME, "text")
    assert hub.fetched == wanted
    assert {path.name for path in folder.iterdir()} == wanted
    assert (folder / "vocab.txt").read_bytes() == b"vocab.txt"


def test_weights_in_parts_are_fetched_where_they_are_not_whole_too(hub):
    parts = {f"model-0000{number}-of-00002.safetensors" for number in (1, 2)}
    parts |= {"config.json", "model.safetensors.index.json"}
    hub.files = {name: name.encode() for name in parts}
    find(NAME, "speech")
    assert hub.fetched == parts
    assert weights_in([*parts, "model.safetensors"]) == ["model.safetensors"]


def test_pickled_weights_are_fetched_where_there_are_no_others(hub):
    hub.files = {"config.json": b"{}", "pytorch_model.bin": b"weights", "training_args.bin": b"x"}
    find(NAME, "speech")
    assert hub.fetched == {"config.json", "pytorch_model.bin"}


def test_what_was_fetched_once_is_not_asked_for_again(hub):
    hub.files = {"config.json": b"{}", "model.safetensors": b"weights"}
    folder = find(NAME, "speech")
    hub.asked.clear()
    assert find(NAME, "speech") == folder
    assert hub.asked == []


def test_a_download_that_broke_off_goes_on(hub, cached):
    hub.files = {"config.json": b"{}", "model.safetensors": b"weights"}
    folder = cached("config.json")
    assert find(NAME, "speech") == folder
    assert (folder / "model.safetensors").read_bytes() == b"weights"


def test_a_revision_is_fetched_and_kept_as_such(hub):
    hub.files = {"config.json": b"{}", "model.safetensors": b"weights"}
    folder = find(f"{NAME}@v2", "speech")
    assert f"GET {_info('v2')}" in hub.asked
    assert local_folder(f"{NAME}@v2", "speech") == folder
    assert local_folder(NAME, "speech") is None


def test_a_revision_may_have_slashes(hub):
    assert "no such branch, tag or commit" in complaint(f"{NAME}@refs/pr/1")


def test_what_an_encoder_met_is_fetched_with_it(hub):
    hub.files = {"config.json": b"{}", "model.safetensors": b"weights", "met.parquet": b"hashes"}
    assert (find(NAME, "speech") / "met.parquet").is_file()


def test_a_revision_the_hub_does_not_have(hub):
    assert "no such branch, tag or commit" in complaint(f"{NAME}@v3")


def test_a_name_the_hub_does_not_have(hub):
    said = complaint("someone/listner")
    assert "is not on this machine, and the model hub has none of that name" in said
    assert "none of that name" in complaint("not a name!")


def test_a_model_whose_authors_want_to_be_asked(hub):
    hub.files = {"config.json": b"{}", "model.safetensors": b"weights"}
    hub.refusal = "GatedRepo"
    assert "its authors want to be asked first" in complaint()


def test_a_model_without_weights_for_torch_is_not_fetched(hub):
    hub.files = {"config.json": b"{}", "tf_model.h5": b"weights"}
    assert "no config.json or no weights for torch" in complaint()
    assert hub.fetched == set()


def test_no_network_is_said_at_once(reach):
    reach("http://127.0.0.1:9")
    assert "the model hub cannot be reached" in complaint()


def test_a_hub_that_never_answers_is_given_up_soon(reach, monkeypatch):
    monkeypatch.setattr(places, "PATIENCE_S", 0.2)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        reach(f"http://127.0.0.1:{silent.getsockname()[1]}")
        began = time.monotonic()
        assert "the model hub cannot be reached" in complaint()
        assert time.monotonic() - began < 3


def test_places_tell_what_is_set(fill, monkeypatch, tmp_path):
    assert places.places() == (
        "a folder of that path",
        "below $MAEUM_ENCODERS (not set)",
        f"the model hub's cache, {tmp_path / 'cache'}",
        "the model hub (not asked: HF_HUB_OFFLINE is set)",
    )
    monkeypatch.setenv(places.VARIABLE, str(tmp_path / "shelf"))
    assert places.places()[1] == f"below $MAEUM_ENCODERS, {tmp_path / 'shelf'} (no such folder)"
    fill("shelf", "README.md")
    assert places.places()[1] == f"below $MAEUM_ENCODERS, {tmp_path / 'shelf'}"
