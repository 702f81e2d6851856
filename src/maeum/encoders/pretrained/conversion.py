"""Modules of torch, and whole encoders, as graphs that `encoders.graphs` computes without torch."""

from __future__ import annotations

import hashlib
import logging
import warnings
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import jaxtyping
import torch
from torch import Tensor, nn

from maeum.encoders import SpeechEncoder, TextEncoder
from maeum.encoders.graphs.description import GRAPH, Description
from maeum.encoders.graphs.engines import ENDINGS, Format, Precision, onnxruntime, openvino
from maeum.encoders.graphs.text import write_tokens
from maeum.encoders.pretrained.computing import answering
from maeum.encoders.pretrained.loading import first_line
from maeum.encoders.pretrained.lora import has_adapter
from maeum.encoders.pretrained.quiet import quietly
from maeum.encoders.pretrained.speech import PretrainedSpeech
from maeum.encoders.pretrained.text import PretrainedText
from maeum.engine import SERVED
from maeum.errors import EncoderError, SettingsError

EXAMPLE_S = 1.3
"""Seconds of the clip a speech tower is traced with; the graph takes any length."""

EXAMPLES = ("정말 마음이 아프다", "응")
"""Sentences a text tower is traced with."""

QUANTIZED = ("MatMul", "Gemm")
"""Of a graph in int8; convolutions gain nothing from it."""

PRECISIONS: Mapping[Format, Sequence[Precision]] = {
    "onnx": SERVED["onnx"],
    "openvino": SERVED["openvino"],
}
"""What each engine is offered in. ONNX Runtime has hardly an operation in bfloat16 on processors;
OpenVINO makes int8 with nncf alone, a large package of its own."""


class Input(NamedTuple):
    """An input of a graph.

    Attributes:
        name: of it.
        example: it is traced with.
        moving: axes of any length.
    """

    name: str
    example: Tensor
    moving: Sequence[int]


def refuse_unserved(engine: Format, precision: Precision) -> None:
    """Raise where an engine cannot do what is asked.

    Raises:
        SettingsError: it does not serve the precision, or is not installed.
    """
    if precision not in PRECISIONS[engine]:
        other = next(one for one in PRECISIONS if precision in PRECISIONS[one])
        raise SettingsError(
            f"precision {precision} was asked for with format {engine}, which takes "
            f"{' or '.join(PRECISIONS[engine])}; {precision} takes format {other}"
        )
    if engine == "openvino":
        openvino()
        return
    onnxruntime()
    try:
        import onnx  # noqa: F401
        import onnxscript  # noqa: F401
    except ImportError as error:
        raise SettingsError(
            "export to onnx needs onnx and onnxscript; pip install 'maeum[onnx]'"
        ) from error


def write_graph(
    module: nn.Module,
    inputs: Sequence[Input],
    path: Path,
    engine: Format,
    precision: Precision = "float32",
) -> None:
    """Write a module as a graph with one output.

    Args:
        module: called with the inputs in order.
        inputs: of it.
        path: of the file, without ending.
        engine: that will compute it.
        precision: that it will be computed in.

    Raises:
        EncoderError: the module cannot be converted.
    """
    path = path.with_name(f"{path.name}{ENDINGS[engine]}")
    module.eval()
    with torch.no_grad(), _hushed(), _unchecked():
        try:
            if engine == "openvino":
                _write_openvino(module, inputs, path, half=precision == "bfloat16")
            else:
                _write_onnx(module, inputs, path)
        except OSError:
            raise
        except Exception as error:  # torch and the converters raise nothing narrower
            raise EncoderError(
                f"no graph can be made of the model ({first_line(_cause(error))})"
            ) from error
        if precision == "int8":
            _quantize(path)


def _write_onnx(module: nn.Module, inputs: Sequence[Input], path: Path) -> None:
    any_length = torch.export.Dim.DYNAMIC
    shapes = tuple(dict.fromkeys(one.moving, any_length) or None for one in inputs)
    torch.onnx.export(
        module,
        tuple(one.example for one in inputs),
        path,
        input_names=[one.name for one in inputs],
        output_names=["given"],
        dynamic_shapes=(shapes,),  # of one `*values`
        dynamo=True,
        external_data=True,
        verbose=False,
    )


def _write_openvino(module: nn.Module, inputs: Sequence[Input], path: Path, *, half: bool) -> None:
    """Numbers of weights go into 16 bits where they are computed with as bfloat16 anyway."""
    library = openvino()
    model = library.convert_model(module, example_input=tuple(one.example for one in inputs))
    for port, one in zip(model.inputs, inputs, strict=True):
        port.get_tensor().set_names({one.name})
    library.save_model(model, str(path), compress_to_fp16=half)


def _quantize(path: Path) -> None:
    """Weights in int8; the scale of activations is found anew for whatever comes."""
    import onnx
    from onnxruntime.quantization import QuantType, quantize_dynamic

    model = onnx.load(str(path))
    del model.graph.value_info[:]  # shapes of the example, which quantizing would rely on
    for beside in path.parent.glob(f"{path.name}.data"):
        beside.unlink()
    quantize_dynamic(
        model,
        str(path),
        op_types_to_quantize=list(QUANTIZED),
        weight_type=QuantType.QInt8,
        per_channel=True,
        use_external_data_format=False,
        extra_options={"MatMulConstBOnly": True},
    )


def write_encoder(
    encoder: SpeechEncoder | TextEncoder, folder: Path, engine: Format, precision: Precision
) -> Description:
    """Write an encoder as a graph, with all that preparing its input takes.

    Args:
        encoder: with the weights it has now; a LoRA adapter becomes one with them.
        folder: an empty one.
        engine: that will compute it.
        precision: that it will be computed in.

    Returns:
        What stands in its `encoder.json`.

    Raises:
        EncoderError: no graph can be made of it.
    """
    if getattr(encoder, "only_answers", False):
        raise EncoderError(f"{encoder.name} is laid out for the processor; load it anew")
    if isinstance(encoder, PretrainedSpeech):
        side, (module, inputs, preparing) = "speech", _of_speech(encoder, folder)
    elif isinstance(encoder, PretrainedText):
        side, (module, inputs, preparing) = "text", _of_text(encoder, folder)
    else:
        raise EncoderError(f"{encoder.name} is no pretrained encoder; it needs no graph")
    with answering(encoder.tower), _on_processor(encoder.tower):
        write_graph(module, inputs, folder / GRAPH, engine, precision)
    told = Description(
        side=side,
        name=encoder.name,
        version=_version(folder, engine, precision),
        dim=encoder.dim,
        layers=encoder.layers,
        standardize=encoder.standardize,
        reading=encoder.base.reading,
        engine=engine,
        precision=precision,
        preparing=preparing,
    )
    told.write(folder)
    return told


_Parts = tuple[nn.Module, list[Input], dict[str, Any]]


class _States(nn.Module):
    """A speech tower that hears one clip, all of it."""

    def __init__(self, tower: Any) -> None:  # noqa: ANN401 - a SpeechTower
        super().__init__()
        self.tower = tower

    def forward(self, *values: Tensor) -> Tensor:
        """(1, step, …), and a mask where the model takes one -> (1, layer, time, dim)."""
        return self.tower.alone(values[0], values[1] if len(values) > 1 else None)


class _Values(nn.Module):
    """A text tower, without the mask it gives back."""

    def __init__(self, tower: nn.Module) -> None:
        super().__init__()
        self.tower = tower

    def forward(self, *values: Tensor) -> Tensor:
        """Numbers of tokens and their mask, both (batch, token) -> (batch, layer, token, dim)."""
        return self.tower(values[0], values[1].bool()).values


def _of_speech(encoder: PretrainedSpeech, folder: Path) -> _Parts:
    how = _heard_how(encoder)
    wave = torch.linspace(-0.1, 0.1, round(EXAMPLE_S * encoder.rate_hz)).sin().numpy()
    made = encoder.prepare([wave])
    any_length = how["masked"] or not how["extractor"]  # else always that of 30 s
    inputs = [Input("values", made["values"], (1,) if any_length else ())]
    if how["masked"]:
        inputs.append(Input("keep", made["keep"].long(), (1,)))
    if how["extractor"]:
        encoder.inputs.extractor.save_pretrained(folder)
    return _States(encoder.tower), inputs, how


def _heard_how(encoder: PretrainedSpeech) -> dict[str, Any]:
    """What `graphs.speech.GraphSpeech` must know of the waves a model hears."""
    inputs, family = encoder.inputs, encoder.tower.family
    of_spectra, always_as_long = not family.front, hasattr(inputs.extractor, "n_samples")
    return {
        "rate_hz": inputs.rate_hz,
        "shortest": inputs.shortest,
        "longest": inputs.longest,
        "scaled": bool(getattr(inputs.extractor, "do_normalize", False)),
        "extractor": family.extractor if of_spectra else None,
        "steps": 2 // family.frames(encoder.tower.model.config, 2) if of_spectra else 1,
        "masked": of_spectra and not always_as_long,
    }


def _of_text(encoder: PretrainedText, folder: Path) -> _Parts:
    made = encoder.prepare(EXAMPLES)
    ready = encoder.inputs
    write_tokens(ready.tokens, folder)
    how = {"cleaning": ready.cleaning, "most": ready.most, "padding": ready.padding}
    inputs = [Input(name, made[name].long(), (0, 1)) for name in ("values", "keep")]
    return _Values(encoder.tower), inputs, how


@contextmanager
def _on_processor(tower: nn.Module) -> Iterator[None]:
    """Its weights in the memory of the processor, and a LoRA adapter in the weights."""
    tower.to("cpu")
    merged = _adapted(tower) if has_adapter(tower.model) else []  # type: ignore[arg-type]
    for layer in merged:
        layer.merge()
    try:
        yield
    finally:
        for layer in merged:
            layer.unmerge()


def _adapted(tower: nn.Module) -> list[Any]:
    from peft.tuners.tuners_utils import BaseTunerLayer

    return [layer for layer in tower.modules() if isinstance(layer, BaseTunerLayer)]


def _version(folder: Path, engine: Format, precision: Precision) -> str:
    """16 hexadecimal digits that change with any file, or with how they are computed."""
    digest = hashlib.sha256(f"graph 1 {engine} {precision}".encode())
    for path in sorted(folder.iterdir()):
        with path.open("rb") as file:
            digest.update(path.name.encode() + hashlib.file_digest(file, "sha256").digest())
    return digest.hexdigest()[:16]


def _cause(error: BaseException) -> BaseException:
    """What began it; the converters wrap it in advice for their own authors."""
    while error.__cause__ is not None:
        error = error.__cause__
    return error


@contextmanager
def _unchecked() -> Iterator[None]:
    """Without the checks of shapes that tests put around functions; they cannot be traced."""
    before = jaxtyping.config.jaxtyping_disable
    jaxtyping.config.update("jaxtyping_disable", True)
    try:
        yield
    finally:
        jaxtyping.config.update("jaxtyping_disable", before)


@contextmanager
def _hushed() -> Iterator[None]:
    """Without what the converters tell of their own insides."""
    level = logging.root.manager.disable
    logging.disable(logging.ERROR)
    try:
        with warnings.catch_warnings(), quietly():
            warnings.simplefilter("ignore")
            yield
    finally:
        logging.disable(level)
