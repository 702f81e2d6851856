"""The page of `maeum serve`: record or upload, read an answer, follow a long recording.

Everything it needs comes from this service: no fonts, scripts or statistics from elsewhere.
"""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

from fastapi import FastAPI
from fastapi.responses import FileResponse

os.environ["GRADIO_ANALYTICS_ENABLED"] = "False"  # read when gradio is imported
os.environ.setdefault("HF_HUB_DISABLE_TELEMETRY", "1")

import gradio as gr

from maeum.evaluation.hangul import font_path
from maeum.serving.limits import Limits
from maeum.serving.page_asking import (
    MOST_TEXT_CHARACTERS,
    Answering,
    Asking,
)
from maeum.serving.page_drawing import Shown, frame_html, message_html
from maeum.serving.page_guard import PageGuard
from maeum.serving.page_words import LANGUAGES, WORDS, translations

if TYPE_CHECKING:
    from maeum.features.normalize import Voice

__all__ = ["Answering", "mount_page"]

KEPT_MINUTES = 30
"""How long uploads lie on the disk."""

MOST_WAITING = 64
AT_ONCE = 16

FONTS = (
    "system-ui",
    "-apple-system",
    "Segoe UI",
    "Roboto",
    "Apple SD Gothic Neo",
    "Malgun Gothic",
    "Noto Sans KR",
    "Noto Sans CJK KR",
    "NanumGothic",
    "maeum-hangul",
    "sans-serif",
)
"""Whatever has Hangul on the visitor's device; where nothing has, this service's own."""

HANGUL_ROUTE = "maeum/hangul.ttf"


def mount_page(
    app: FastAPI, service: Answering, *, path: str = "/", most_bytes: int | None = None
) -> FastAPI:
    """Put the page on an app that answers for the same service.

    Args:
        app: whose other routes were added before; what they do not answer the page does.
        service: that is asked.
        path: where the page is.
        most_bytes: of one upload, at least 1; None: what the service usually takes of a long
            recording.
    """
    base = path.rstrip("/") + "/"

    @app.get(base + HANGUL_ROUTE, include_in_schema=False)
    def hangul() -> FileResponse:
        """A font for devices that have no Hangul."""
        return FileResponse(font_path(), headers={"Cache-Control": "max-age=604800"})

    gr.mount_gradio_app(
        app,
        _Page(service).blocks,
        path,
        max_file_size=most_bytes or Limits().max_timeline_bytes,
        show_error=False,
        footer_links=[],
        run_history=False,
        enable_monitoring=False,
        mcp_server=False,
        ssr_mode=False,
        pwa=False,
        i18n=_I18N,
        theme=_theme(),
        css=(_HERE / "page.css").read_text(encoding="utf-8"),
        head=_head(),
    )
    mounted: Any = app.router.routes[-1]
    mounted.app = PageGuard(mounted.app, draining=lambda: service.draining)
    return app


def _from_disk(component: Any) -> Any:  # noqa: ANN401 - any that takes uploads
    """The component, which from now on fetches no address for whoever names one."""
    take = component.async_move_resource_to_block_cache

    async def take_file(named: str | None) -> str | None:
        if named is not None and "://" in named:
            raise gr.Error("a recording comes as a file, not as an address; upload it")
        found: str | None = await take(named)
        return found

    component.async_move_resource_to_block_cache = take_file  # a subclass would be a new component
    return component


_HERE = Path(__file__).parent
_I18N = gr.I18n(**translations())


def _theme() -> gr.themes.Base:
    return gr.themes.Base(
        primary_hue=gr.themes.colors.slate,
        neutral_hue=gr.themes.colors.slate,
        radius_size=gr.themes.sizes.radius_lg,
        text_size=gr.themes.sizes.text_lg,
        font=FONTS,
        font_mono=("ui-monospace", "monospace"),
    )


def _head() -> str:
    script = (_HERE / "page.js").read_text(encoding="utf-8")
    script = script.replace("/*LANGUAGES*/[]", json.dumps(list(LANGUAGES)))
    script = script.replace("/*WORDS*/[]", json.dumps(list(_RESAID.values())))
    script = script.replace("/*LOCALES*/null", json.dumps(_locales()))
    return f"{_ICON}<script>{script}</script>"


_RESAID = {key: word for key, word in WORDS.items() if key.startswith(("gradio_", "tab_"))}
"""What the browser says anew by itself when the language changes."""

_ICON = (
    '<link rel="icon" href="data:image/svg+xml,%3Csvg xmlns=\'http://www.w3.org/2000/svg\' '
    "viewBox='0 0 16 16'%3E%3Ccircle cx='6' cy='8' r='5' fill='%231F77B4'/%3E%3Ccircle cx='10' "
    "cy='8' r='5' fill='%23E69F00' fill-opacity='.8'/%3E%3C/svg%3E\">"
)


def _locales() -> str | None:
    """Where Gradio's own words change their language; None: this version has no such place."""
    assets = Path(gr.__file__).parent / "templates" / "frontend" / "assets"
    found = (
        path.name
        for path in sorted(assets.glob("core-*.js"))
        if "as changeLocale" in path.read_text(encoding="utf-8")
    )
    name = next(found, None)
    return None if name is None else f"assets/{name}"


def _recording(key: str, sources: list[Any], name: str, *, visible: bool = True) -> Any:  # noqa: ANN401
    """Where a visitor records or uploads: label, ways in the order shown, id in the markup."""
    quiet = gr.WaveformOptions(waveform_color="#8a99ab", waveform_progress_color="#2f6690")
    audio = gr.Audio(
        label=_word(key),
        sources=sources,
        type="filepath",
        visible=visible,
        elem_id=name,
        buttons=[],
        editable=False,
        waveform_options=quiet,
    )
    return _from_disk(audio)


def _pressed_once_heard(button: gr.Button, recording: Any) -> None:  # noqa: ANN401 - `_recording`
    """Nobody asks while what they said is still on its way here: that would ask about nothing."""
    how: dict[str, Any] = {"queue": False, "show_progress": "hidden", **_PRIVATE}
    recording.start_recording(lambda: gr.update(interactive=False), None, button, **how)
    gr.on(
        [recording.change, recording.clear],
        lambda: gr.update(interactive=True),
        None,
        button,
        **how,
    )


def _html(value: str = "", **more: Any) -> gr.HTML:  # noqa: ANN401
    """Markup of our own, dressed by `page.css` alone."""
    return gr.HTML(value, apply_default_css=False, **more)


def _word(key: str) -> Any:  # noqa: ANN401 - Gradio's own type
    """A label in the page's language."""
    return _I18N(f"maeum_{key}")


_Past: TypeAlias = tuple[Shown, ...]


class _Page:
    """The page as Gradio's blocks.

    Attributes:
        blocks: to mount.
    """

    def __init__(self, service: Answering) -> None:
        self._asking = Asking(service)
        self._emotions = service.model.emotions
        self._hears = "speech" in service.model.sides
        self._reads = "text" in service.model.sides
        self._own_voices = service.model.needs_voice
        with gr.Blocks(
            title="마음 maeum",
            analytics_enabled=False,
            fill_width=True,
            delete_cache=(300, KEPT_MINUTES * 60),
        ) as self.blocks:
            _html(frame_html("header", languages=LANGUAGES, emotions=self._emotions))
            with gr.Tabs(elem_id="m-tabs"):
                with gr.Tab(_word("tab_one"), id="one"):
                    self._one_utterance()
                with gr.Tab(_word("tab_long"), id="long", visible=self._hears):
                    self._long_recording()
            _html(frame_html("footer", minutes=KEPT_MINUTES))
        self.blocks.queue(max_size=MOST_WAITING, default_concurrency_limit=AT_ONCE, api_open=False)

    def _one_utterance(self) -> None:
        with gr.Row(elem_classes="m-two"):
            with gr.Column(elem_classes="m-ask"):
                recording = _recording(
                    "recording", ["microphone", "upload"], "m-recording", visible=self._hears
                )
                text = gr.Textbox(
                    label=_word("text" if self._hears else "text_alone"),
                    placeholder=_word("text_hint"),
                    max_length=MOST_TEXT_CHARACTERS,
                    lines=1,
                    max_lines=5,
                    visible=self._reads,
                    elem_id="m-text",
                )
                voice = self._voices()
                button = gr.Button(_word("ask"), variant="primary", size="lg", elem_id="m-button")
                least = gr.Slider(
                    0, 95, 0, step=5, label=_word("unsure_below"), elem_id="m-least", buttons=[]
                )
            with gr.Column(elem_classes="m-told"):
                answer = _html(self._asking.message("waiting"), elem_id="m-answer")
                history = _html(elem_id="m-history")
        _pressed_once_heard(button, recording)
        past = gr.State(())
        told = [answer, history, past]
        asked = [recording, text, least, voice, past]
        gr.on(
            [button.click, text.submit],
            self._ask,
            asked,
            told,
            show_progress_on=[answer],
            **_PRIVATE,
        )
        least.change(
            self._shown,
            [least, past],
            told,
            trigger_mode="always_last",
            show_progress="hidden",
            **_PRIVATE,
        )

    def _voices(self) -> gr.State:
        """Where a visitor gives other recordings of their voice, if the run compares voices."""
        voice = gr.State(None)
        with gr.Group(visible=self._own_voices, elem_classes="m-voices"):
            recordings = _from_disk(
                gr.File(label=_word("voices"), file_count="multiple", type="filepath", height=130)
            )
            said = _html(message_html("voices_why"), elem_id="m-voices")
        recordings.change(
            self._asking.voice_of, recordings, [voice, said], concurrency_limit=1, **_PRIVATE
        )
        return voice

    def _long_recording(self) -> None:
        recording = _recording("long_recording", ["upload", "microphone"], "m-long")
        button = gr.Button(_word("follow"), variant="primary", size="lg", elem_id="m-follow")
        course = _html(message_html("long_waiting"), elem_id="m-course")
        _pressed_once_heard(button, recording)
        button.click(self._asking.follow, recording, course, **_PRIVATE)

    def _ask(
        self,
        recording: str | None,
        text: str | None,
        least: float,
        voice: Voice | None,
        past: _Past,
    ) -> tuple[str, str, _Past]:
        told = self._asking.ask(recording, text, least / 100, voice, past)
        return told.answer, told.history, told.past

    def _shown(self, least: float, past: _Past) -> tuple[str, str, _Past]:
        told = self._asking.shown(least / 100, past)
        return told.answer, told.history, told.past


_PRIVATE: dict[str, Any] = {"api_visibility": "private"}
"""Programs have `/v1`; the page's own calls are nobody's interface."""
