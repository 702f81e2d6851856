"""A graph in a file, and what computes it."""

from __future__ import annotations

import logging
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from threading import Lock
from typing import Any, Literal, Protocol, TypeAlias

from numpy.typing import NDArray

from maeum.ahead import THREADS, on_one_core
from maeum.engine import Precision as Precision
from maeum.errors import EncoderError, SettingsError

logger = logging.getLogger(__name__)

Format = Literal["onnx", "openvino"]
"""What computes a graph: ONNX Runtime, or OpenVINO. What comes out is float32, whatever the
precision that weights and activations are multiplied in."""

ENDINGS: dict[Format, str] = {"onnx": ".onnx", "openvino": ".xml"}
"""Of the files graphs are in. Weights lie beside them, in NAME.onnx.data or NAME.bin."""

Arrays: TypeAlias = Mapping[str, NDArray[Any]]


class Graph(Protocol):
    """A graph that is ready; several threads may ask it."""

    def __call__(self, inputs: Arrays) -> NDArray[Any]:
        """What it makes of its inputs, by their names."""


def open_graph(folder: Path, name: str, engine: Format, precision: Precision) -> Graph:
    """The graph of that name in a folder.

    Args:
        folder: where its files are.
        name: theirs, without ending.
        engine: that it was made for.
        precision: it is to be computed in; int8 is in the graph itself.

    Raises:
        SettingsError: the engine is not installed.
        EncoderError: the files are missing or broken.
    """
    path = folder / f"{name}{ENDINGS[engine]}"
    if not path.is_file():
        raise EncoderError(f"{path} is missing; export the run again")
    opened: dict[Format, type[_Onnx] | type[_OpenVino]] = {"onnx": _Onnx, "openvino": _OpenVino}
    return opened[engine](path, precision)


class _Onnx:
    """By ONNX Runtime: one question on all cores, or one on each, as it was asked last.

    It settles that when a graph is opened, and lays out the weights for it: being ready for both
    would take the memory twice.
    """

    def __init__(self, path: Path, _: Precision) -> None:
        self._path, self._turn = path, Lock()
        self._session: Any = None
        self._open(on_one_core())

    def __call__(self, inputs: Arrays) -> NDArray[Any]:
        with self._turn:
            if self._session is None or self._shared != on_one_core():
                self._session = (
                    None  # its memory first; opened at the next question if it fails now
                )
                self._open(on_one_core())
            session = self._session
        return session.run(None, dict(inputs))[0]

    def _open(self, shared: bool) -> None:
        """With a core for each question, if the cores are shared by several."""
        runtime = onnxruntime()
        options = runtime.SessionOptions()
        options.log_severity_level = 3  # errors only: it warns of much that is meant
        options.intra_op_num_threads = 1 if shared else THREADS
        with _blamed_on(self._path):
            self._session = runtime.InferenceSession(
                str(self._path), options, providers=["CPUExecutionProvider"]
            )
        self._shared = shared


class _OpenVino:
    """By OpenVINO, one question after another, each on all cores."""

    def __init__(self, path: Path, precision: Precision) -> None:
        core = openvino().Core()
        hint = {"float32": "f32", "bfloat16": "bf16"}[precision]
        if precision == "bfloat16" and "BF16" not in _abilities(core):
            logger.warning(
                "this processor does not compute in bfloat16; float32 is used, which is slower"
            )
            hint = "f32"
        how = {"INFERENCE_PRECISION_HINT": hint, "PERFORMANCE_HINT": "LATENCY"}
        with _blamed_on(path):
            self._request = core.compile_model(str(path), "CPU", how).create_infer_request()
        self._turn = Lock()

    def __call__(self, inputs: Arrays) -> NDArray[Any]:
        with self._turn:
            # a copy: the next answer is written over this one
            return next(iter(self._request.infer(dict(inputs)).values())).copy()


def _abilities(core: Any) -> list[str]:  # noqa: ANN401 - of OpenVINO
    return list(core.get_property("CPU", "OPTIMIZATION_CAPABILITIES"))


def onnxruntime() -> Any:  # noqa: ANN401 - a module without types
    """ONNX Runtime.

    Raises:
        SettingsError: it is not installed.
    """
    try:
        import onnxruntime
    except ImportError as error:
        raise SettingsError(
            "graphs of the format onnx need onnxruntime; pip install onnxruntime, "
            "or to export too 'maeum[onnx]'"
        ) from error
    return onnxruntime


def openvino() -> Any:  # noqa: ANN401 - a module with few types
    """OpenVINO, which tells nobody that it is used.

    Raises:
        SettingsError: it is not installed.
    """
    try:
        with _without("openvino_telemetry"):
            import openvino
    except ImportError as error:
        raise SettingsError(
            "graphs of the format openvino need openvino; pip install 'maeum[openvino]'"
        ) from error
    return openvino


@contextmanager
def _without(name: str) -> Iterator[None]:
    """While something is imported that does without a package, but would use it."""
    modules: dict[str, Any] = sys.modules
    if name in modules:
        yield
        return
    modules[name] = None  # importing it fails
    try:
        yield
    finally:
        del modules[name]


@contextmanager
def _blamed_on(path: Path) -> Iterator[None]:
    try:
        yield
    except Exception as error:  # the libraries raise nothing narrower
        reason = (str(error).strip() or type(error).__name__).splitlines()[0]
        raise EncoderError(
            f"{path} cannot be read as a graph ({reason}); export the run again"
        ) from error
