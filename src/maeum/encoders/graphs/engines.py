"""A graph in a file, and what computes it."""

from __future__ import annotations

import logging
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from threading import Lock
from typing import Any, Literal, TypeAlias

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


Graph: TypeAlias = Callable[[Arrays], NDArray[Any]]
"""A graph that is ready: inputs by their names -> what it makes of them; threads may share it."""


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
    return _Either(path, {"onnx": _onnx, "openvino": _openvino}[engine], precision)


class _Either:
    """A graph opened for one question on all cores, or for one on each: as it was asked last.

    Both libraries settle this when they open a graph and lay out its weights for it, so being ready
    for both would take the memory twice.
    """

    def __init__(self, path: Path, opening: _Opening, precision: Precision) -> None:
        self._path, self._opening, self._precision = path, opening, precision
        self._turn = Lock()
        self._shared = on_one_core()
        self._open()

    def __call__(self, inputs: Arrays) -> NDArray[Any]:
        return self._as_asked(on_one_core())(inputs)

    def _as_asked(self, shared: bool) -> Graph:
        with self._turn:
            if shared != self._shared:
                del self._graph  # its memory first
                self._shared = shared
                self._open()
            return self._graph

    def _open(self) -> None:
        with _blamed_on(self._path):
            self._graph = self._opening(self._path, self._precision, self._shared)


_Opening: TypeAlias = Callable[[Path, Precision, bool], Graph]
"""A file, the precision, and whether the cores are shared by several questions -> a graph."""


def _onnx(path: Path, _: Precision, shared: bool) -> Graph:
    """By ONNX Runtime, which computes in the thread that asks, with the help of its own."""
    runtime = onnxruntime()
    options = runtime.SessionOptions()
    options.log_severity_level = 3  # errors only: it warns of much that is meant
    options.intra_op_num_threads = 1 if shared else THREADS
    session = runtime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
    return lambda inputs: session.run(None, dict(inputs))[0]


def _openvino(path: Path, precision: Precision, shared: bool) -> Graph:
    """By OpenVINO, whose streams are questions it answers at once."""
    core = openvino().Core()
    how: dict[str, Any] = {
        "INFERENCE_PRECISION_HINT": {"float32": "f32", "bfloat16": "bf16"}[precision],
        "NUM_STREAMS": THREADS if shared else 1,
        "INFERENCE_NUM_THREADS": THREADS,
    }
    if precision == "bfloat16" and "BF16" not in _abilities(core):
        logger.warning(
            "this processor does not compute in bfloat16; float32 is used, which is slower"
        )
        how["INFERENCE_PRECISION_HINT"] = "f32"
    compiled = core.compile_model(str(path), "CPU", how)

    def answer(inputs: Arrays) -> NDArray[Any]:
        request = compiled.create_infer_request()  # threads cannot share one
        return next(iter(request.infer(dict(inputs)).values()))

    return answer


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
