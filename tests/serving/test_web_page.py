"""The page, as people meet it: in a real browser, which nobody else's network is open to."""

from __future__ import annotations

import re
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import numpy as np
import pytest
import soundfile as sf
import soxr

from maeum import sample
from maeum.corpus import import_corpus
from maeum.training import train

pytest.importorskip("gradio")
playwright = pytest.importorskip("playwright.sync_api")
from visiting import BROWSER, FLAGS, Visit, served  # noqa: E402

expect = playwright.expect
LONG = ("happy_1", "sad_1", "angry_1", "neutrality_1")
FOUR = ("Happy", "Angry", "Sad", "Neutrality")
SAD = sample.path() / "audio" / "s01_sad_4.ogg"
SAID = "보고 싶은데 이제는 볼 수가 없어."
PHONE = {"width": 360, "height": 740}


@pytest.fixture(scope="session")
def spoken_corpus():
    """Of the packaged sample, the utterances in four emotions."""
    corpus = import_corpus("table", sample.path() / "sample.csv")
    return corpus.select(corpus.utterances["emotion"].is_in(list(FOUR)))


@pytest.fixture(scope="session")
def spoken_run(spoken_corpus, tmp_path_factory):
    """A run on speech that sounds like speech."""
    folder = tmp_path_factory.mktemp("spoken") / "run"
    return train(spoken_corpus, folder, split="speaker", epochs=12)


@pytest.fixture(scope="module")
def address(spoken_run) -> Iterator[str]:
    """Where the page of `spoken_run` is."""
    with served(spoken_run.model) as where:
        yield where


@pytest.fixture(scope="module")  # while it runs, no other test could begin an event loop
def browsers() -> Iterator[Callable[..., object]]:
    """Start a browser; what it hears through the microphone may be a wav file."""
    if BROWSER is None:
        pytest.skip("no chromium is installed (apt-get install chromium)")
    with playwright.sync_playwright() as driver:
        started = []

        def start(heard: Path | None = None):
            fake = [] if heard is None else [f"--use-file-for-fake-audio-capture={heard}%noloop"]
            started.append(driver.chromium.launch(executable_path=BROWSER, args=[*FLAGS, *fake]))
            return started[-1]

        yield start
        for browser in started:
            browser.close()


@pytest.fixture(scope="module")
def browser(browsers):
    return browsers()


@pytest.fixture
def visit(browser, address):
    visits = []

    def begin(**context):
        visits.append(Visit(browser, address, **context))
        return visits[-1]

    yield begin
    for one in visits:
        assert one.errors == []
        hosts = {urlsplit(url).hostname for url in one.requests if url.startswith(("http", "ws"))}
        assert hosts == {"127.0.0.1"}  # nothing was asked of anyone else
        one.leave()


def percents(prediction):
    return {name: f"{100 * chance:.1f} %" for name, chance in prediction.probabilities.items()}


# -- answers -----------------------------------------------------------------------------------


def test_an_upload_with_its_words_has_the_probabilities_that_python_has(
    visit, spoken_run, tmp_path
):
    here = visit()
    here.upload(SAD)
    here.page.fill("#m-text textarea", SAID)
    here.ask()
    assert here.shown() == percents(spoken_run.model(SAD, text=SAID))
    assert here.page.locator(".m-sides li").count() == 2
    here.page.screenshot(path=tmp_path / "answer.png", full_page=True)


def test_words_alone_are_answered_from_words_alone(visit, spoken_run):
    here = visit()
    here.page.fill("#m-text textarea", SAID)
    here.page.press("#m-text textarea", "Enter")
    assert here.shown() == percents(spoken_run.model(text=SAID))
    sides = here.page.locator(".m-sides li")
    assert [side.get_attribute("data-side") for side in sides.all()] == ["text"]


def spoken_into(browsers, address, recording, tmp_path, model):
    """What the page answers to a recording that comes through the microphone."""
    heard = tmp_path / "heard.wav"
    wave, rate_hz = sf.read(recording, dtype="float32")
    at_48k = soxr.resample(wave, rate_hz, 48_000)
    sf.write(heard, (at_48k * 32767).astype(np.int16), 48_000)
    here = Visit(browsers(heard), address)
    here.page.locator("#m-recording .record-button").click()
    here.page.wait_for_timeout(1_000 * len(wave) / rate_hz + 400)
    here.page.locator("#m-recording .stop-button:visible").click()
    here.page.locator("#m-recording .play-pause-button").wait_for()
    here.ask()
    shown = here.shown()
    recorded = tmp_path / "recorded.wav"
    source = [url for url in here.requests if "/gradio_api/file=" in url][-1]
    recorded.write_bytes(httpx.get(source).content)
    assert shown == percents(model(recorded))  # what was recorded, to the digit
    here.page.screenshot(path=tmp_path / "spoken.png", full_page=True)
    assert {urlsplit(url).hostname for url in here.requests if url.startswith("http")} == {
        "127.0.0.1"
    }
    here.leave()
    return here, max(shown, key=lambda name: float(shown[name].split()[0]))


@pytest.mark.slow
def test_what_is_spoken_into_the_microphone_is_answered(browsers, address, spoken_run, tmp_path):
    _, emotion = spoken_into(browsers, address, SAD, tmp_path, spoken_run.model)
    assert emotion == spoken_run.model(SAD).emotion == "Sad"


def test_a_person_is_answered_through_the_microphone_as_in_python(
    browsers, address, spoken_run, real_corpora, tmp_path
):
    recordings = sorted((real_corpora / "emotiontts").rglob("*.wav"))
    if not recordings:
        pytest.skip("no recordings of emotiontts")
    model = spoken_run.model
    surest = max(recordings[:24], key=lambda path: model(path).confidence)
    _, emotion = spoken_into(browsers, address, surest, tmp_path, model)
    assert emotion == model(surest).emotion


@pytest.mark.slow
@pytest.mark.parametrize("given_up_by", [".icon-button", ".source-selection button"])
def test_a_recording_that_is_given_up_leaves_the_words(visit, given_up_by):
    here = visit()
    here.page.locator("#m-recording .record-button").click()
    expect(here.button).to_be_disabled()
    here.page.locator(f"#m-recording {given_up_by}").first.click()
    expect(here.button).to_be_enabled()


@pytest.mark.slow
def test_an_answer_below_the_confidence_asked_for_is_unsure(visit, spoken_run):
    here = visit()
    here.page.fill("#m-text textarea", SAID)
    here.ask()
    confidence = spoken_run.model(text=SAID).confidence
    assert confidence < 0.95
    here.page.locator("#m-least input[type=range]").focus()
    here.page.keyboard.press("End")
    expect(here.page.locator(".m-felt")).to_have_text(re.compile("잘 모르겠습니다"))
    assert len(here.shown()) == len(spoken_run.model.emotions)  # the bars stay
    here.page.keyboard.press("Home")
    expect(here.page.locator(".m-felt b")).to_have_text(f"{100 * confidence:.1f} %")


@pytest.mark.slow
def test_a_long_recording_becomes_a_course_and_a_table(visit, spoken_run, tmp_path):
    pytest.importorskip("silero_vad")
    from maeum.inference.timeline import timeline

    waves = [sf.read(sample.path() / "audio" / f"s01_{name}.ogg") for name in LONG]
    rate_hz = waves[0][1]
    pause = np.zeros(round(0.9 * rate_hz))
    call = tmp_path / "call.wav"
    sf.write(call, np.concatenate([part for wave, _ in waves for part in (wave, pause)]), rate_hz)
    here = visit()
    here.page.get_by_role("tab", name="긴 녹음").locator("visible=true").first.click()
    here.upload(call, "#m-long")
    here.page.click("#m-follow")
    rows = here.page.locator(".m-rows tbody tr")
    expect(rows.first).to_be_visible()
    found = timeline(spoken_run.model, call)
    shown = [row.locator(".m-value").inner_text() for row in rows.all()]
    assert shown == [
        f"{100 * max(one.prediction.probabilities.values()):.1f} %" for one in found.segments
    ]
    areas = here.page.locator(".m-areas path")
    assert areas.count() == len(spoken_run.model.emotions)
    here.page.screenshot(path=tmp_path / "course.png", full_page=True)


@pytest.mark.slow
def test_a_visitor_brings_recordings_of_their_own_voice(
    browser, spoken_corpus, tmp_path, tmp_path_factory
):
    folder = tmp_path_factory.mktemp("compared") / "run"
    model = train(spoken_corpus, folder, split="speaker", normalize="speaker", epochs=3).model
    audio = sample.path() / "audio"
    voices = {}
    for speaker in ("s01", "s05"):
        (tmp_path / speaker).mkdir()
        for name in ("happy_1", "sad_1", "angry_1"):
            shutil.copy(audio / f"{speaker}_{name}.ogg", tmp_path / speaker)
        voices[speaker] = model.voice_in(tmp_path / speaker)
    with served(model, voice=voices["s05"]) as where:
        here = Visit(browser, where)
        here.upload(SAD)
        here.ask()
        assert here.shown() == percents(model(SAD, voice=voices["s05"]))
        files = [str(path) for path in sorted((tmp_path / "s01").iterdir())]
        here.page.locator(".m-voices input[type=file]").first.set_input_files(files)
        expect(here.page.locator("#m-voices")).to_contain_text("3개를 들었습니다", timeout=30_000)
        here.ask()
        assert here.shown() == percents(model(SAD, voice=voices["s01"]))
        here.leave()


# -- failures ----------------------------------------------------------------------------------


def test_rubbish_is_answered_with_a_sentence_and_no_path_of_ours(visit, tmp_path):
    rubbish = tmp_path / "rubbish.wav"
    rubbish.write_bytes(b"no sound" * 100)
    here = visit()
    here.upload(rubbish)
    here.ask()
    trouble = here.page.locator(".m-trouble")
    expect(trouble).to_contain_text("rubbish.wav")
    said = here.page.locator("body").inner_text()
    assert not any(word in said.lower() for word in ("traceback", "gradio", "/tmp"))


def test_nothing_given_is_said_so(visit):
    here = visit()
    here.ask()
    expect(here.page.locator(".m-trouble")).to_contain_text("들은 것도 읽은 것도 없습니다")


# -- everyone ----------------------------------------------------------------------------------


def test_the_language_changes_without_losing_the_answer(visit):
    here = visit()
    here.page.fill("#m-text textarea", SAID)
    here.ask()
    before = here.shown()
    expect(here.page.locator("#m-button")).to_have_text("감정 읽기")
    here.page.click("[data-language=en]")
    expect(here.page.locator("#m-button")).to_have_text("Read the emotion")
    expect(here.page.get_by_role("tab", name="Long recording").first).to_be_visible()
    expect(here.page.locator("#m-recording .record-button")).to_have_text("Record")
    expect(here.page.locator(".m-kicker")).to_have_text(re.compile("Most likely felt"))
    assert here.page.locator("html").get_attribute("lang") == "en"
    assert here.shown() == before
    said = " ".join(here.page.locator("label, h3, [role=tab]").all_inner_texts())
    assert re.findall(r"[가-힣]{2,}", said) == []
    here.page.reload()
    expect(here.page.locator("#m-button")).to_have_text("Read the emotion")  # it was kept


def test_the_browsers_language_comes_first(visit):
    here = visit(locale="en-GB")
    expect(here.page.locator("#m-button")).to_have_text("Read the emotion")
    assert here.page.locator("html").get_attribute("lang") == "en"


@pytest.mark.slow
def test_everything_can_be_done_with_keys_alone(visit):
    here = visit()
    reached = []
    for _ in range(40):
        here.page.keyboard.press("Tab")
        focus = here.page.evaluate(
            "() => { const one = document.activeElement, style = getComputedStyle(one);"
            " return [one.innerText || one.getAttribute('aria-label') || one.tagName,"
            " style.outlineStyle !== 'none' && parseFloat(style.outlineWidth) >= 2]; }"
        )
        reached.append(focus)
        if focus[0] == "TEXTAREA":
            here.page.keyboard.type(SAID)
        if focus[0] == "감정 읽기":
            break
    names = [name for name, _ in reached]
    assert names.index("한국어") < names.index("한마디") < names.index("녹음")
    assert names.index("녹음") < names.index("TEXTAREA") < names.index("감정 읽기")
    assert [name for name, visible in reached if not visible] == []
    here.page.keyboard.press("Enter")
    assert here.shown()
    expect(here.page.locator("#m-said")).to_have_text(re.compile(r"^\S+, \d+\.\d 퍼센트"))


@pytest.mark.parametrize("scheme", ["light", pytest.param("dark", marks=pytest.mark.slow)])
def test_a_phone_shows_all_of_it_without_scrolling_sideways(visit, scheme, tmp_path):
    here = visit(
        viewport=PHONE, is_mobile=True, has_touch=True, device_scale_factor=2, color_scheme=scheme
    )
    here.upload(SAD)
    here.page.fill("#m-text textarea", SAID)
    here.ask()
    here.page.screenshot(path=tmp_path / f"phone-{scheme}.png", full_page=True)
    wide = "document.documentElement.scrollWidth"
    assert here.page.evaluate(wide) <= PHONE["width"]
    small = here.page.evaluate(
        "[...document.querySelectorAll('button, textarea, input:not([type=file])')]"
        ".filter(one => one.checkVisibility({visibilityProperty: true, opacityProperty: true}))"
        ".map(one => [one.outerHTML.slice(0, 120), one.getBoundingClientRect()])"
        ".filter(([_, box]) => box.height > 0 && box.height < (_.includes('range') ? 24 : 44))"
    )
    assert small == []


@pytest.mark.slow
def test_what_is_read_stands_out_from_what_is_behind_it(visit):
    for scheme in ("light", "dark"):
        here = visit(color_scheme=scheme)
        here.page.fill("#m-text textarea", SAID)
        here.ask()
        assert here.page.evaluate(_FAINT) == []


_FAINT = """() => {  // what has less than 4.5:1
  const canvas = document.createElement("canvas").getContext("2d", { willReadFrequently: true });
  const rgba = (colour) => {
    canvas.clearRect(0, 0, 1, 1); canvas.fillStyle = colour; canvas.fillRect(0, 0, 1, 1);
    return [...canvas.getImageData(0, 0, 1, 1).data];
  };
  const linear = (c) => (c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4);
  const light = (colour) => colour.slice(0, 3).map((c) => linear(c / 255))
    .reduce((sum, c, at) => sum + c * [0.2126, 0.7152, 0.0722][at], 0);
  const behind = (one) => {
    for (; one; one = one.parentElement) {
      const colour = rgba(getComputedStyle(one).backgroundColor);
      if (colour[3] > 250) return colour;
    }
    return [255, 255, 255];
  };
  const faint = [];
  for (const one of document.querySelectorAll("main *, .main *")) {
    const own = [...one.childNodes].some((part) => part.nodeType === 3 && part.nodeValue.trim());
    if (!own || !one.checkVisibility({ visibilityProperty: true, opacityProperty: true })) continue;
    if (one.getBoundingClientRect().width < 2 || one.closest(".m-hidden, [inert]")) continue;
    const [a, b] = [light(rgba(getComputedStyle(one).color)), light(behind(one))];
    const contrast = (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
    if (contrast < 4.5) faint.push([one.outerHTML.slice(0, 100), contrast.toFixed(2)]);
  }
  return faint;
}"""


@pytest.mark.slow
def test_results_of_one_visitor_are_nobody_elses(visit):
    one, other = visit(), visit()
    for said in (SAID, "첫눈 온다, 우리 얼른 나가자!"):
        one.page.fill("#m-text textarea", said)
        one.ask()
    expect(one.page.locator(".m-history li")).to_have_count(1)
    other.page.fill("#m-text textarea", "버스는 십 분 뒤에 도착해요.")
    other.ask()
    assert SAID not in other.page.locator("body").inner_text()
    expect(other.page.locator(".m-history li")).to_have_count(0)


# -- what a stranger may not -------------------------------------------------------------------


@pytest.mark.parametrize(
    "path", ["gradio_api/file=https://example.com/a.wav", "gradio_api/proxy=https://x.hf.space/a"]
)
def test_nothing_is_fetched_for_whoever_asks(address, path):
    assert httpx.get(address + path).status_code == 404


def test_no_file_of_the_machine_is_given_away(address):
    for path in ("/etc/passwd", "../../etc/passwd", str(SAD)):
        assert httpx.get(f"{address}gradio_api/file={path}").status_code in (403, 404)


def test_a_form_has_a_size(address):
    body = b'{"data": ["' + b"x" * 2**21 + b'"]}'
    told = {"content-type": "application/json"}
    assert (
        httpx.post(f"{address}gradio_api/queue/join", content=body, headers=told).status_code == 413
    )
    streamed = (body[at : at + 2**16] for at in range(0, len(body), 2**16))
    answer = httpx.post(f"{address}gradio_api/queue/join", content=streamed, headers=told)
    assert answer.status_code >= 400


def test_the_other_routes_stay_what_they_are(address):
    assert httpx.get(address + "v1/model").status_code == 200
    assert httpx.get(address + "maeum/hangul.ttf").headers["content-type"].startswith("font/")
