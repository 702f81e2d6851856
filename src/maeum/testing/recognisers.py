"""Tiny speech recognisers laid out as published ones are, with random weights and Korean tokens."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from maeum.errors import EncoderError
from maeum.files import write_json, write_text
from maeum.testing.speech_checkpoints import LARGE, REPOSITORIES, SMALL, WAVE

SYLLABLES = "가나다라마바사아자차카타파하"
"""All that they write."""

WHISPER_MARKS = (
    "<|endoftext|>",
    "<|startoftranscript|>",
    "<|en|>",
    "<|ko|>",
    "<|translate|>",
    "<|transcribe|>",
    "<|startoflm|>",
    "<|startofprev|>",
    "<|nospeech|>",
    "<|notimestamps|>",
)
"""Special tokens of a multilingual Whisper that has heard of two languages."""

MOST_TOKENS = 16
"""That a tiny Whisper writes: random as it is, it finds no end."""

RECOGNISER_KINDS = ("whisper", "wav2vec2")
"""What `make_recogniser` can write."""


def make_recogniser(folder: Path, kind: str = "whisper", *, seed: int = 0) -> Path:
    """Write a tiny speech recogniser with random weights: what it writes is nonsense in Hangul.

    Args:
        folder: gets weights, configuration, vocabulary and what prepares recordings.
        kind: one of `RECOGNISER_KINDS`.
        seed: equal seeds give equal weights.

    Returns:
        The folder.

    Raises:
        EncoderError: there is no such kind.
    """
    if kind not in RECOGNISER_KINDS:
        raise EncoderError(f"no kind {kind!r}; choose from {', '.join(RECOGNISER_KINDS)}")
    folder.mkdir(parents=True, exist_ok=True)
    {"whisper": _make_whisper, "wav2vec2": _make_wav2vec2}[kind](folder, seed)
    return folder


def _make_whisper(folder: Path, seed: int) -> None:
    vocabulary = _whisper_vocabulary()
    ids = {mark: vocabulary[mark] for mark in WHISPER_MARKS}
    end, start = ids["<|endoftext|>"], ids["<|startoftranscript|>"]
    tokens = {"pad_token_id": end, "bos_token_id": end, "eos_token_id": end}
    settings = {
        **REPOSITORIES["whisper"].settings,
        **tokens,
        "vocab_size": len(vocabulary),
        "decoder_start_token_id": start,
    }
    _save_model(folder, "WhisperForConditionalGeneration", settings, seed)
    written = {sign for sign in vocabulary if len(sign) > 1} - {*WHISPER_MARKS}
    unwritten = [
        vocabulary[sign] for sign in vocabulary.keys() - written if vocabulary[sign] != end
    ]
    generation = {
        **tokens,
        "decoder_start_token_id": start,
        "is_multilingual": True,
        "lang_to_id": {mark: ids[mark] for mark in ("<|en|>", "<|ko|>")},
        "task_to_id": {task: ids[f"<|{task}|>"] for task in ("transcribe", "translate")},
        "no_timestamps_token_id": ids["<|notimestamps|>"],
        "suppress_tokens": sorted(unwritten),
        "max_length": MOST_TOKENS,
    }
    write_json(folder / "generation_config.json", generation)
    write_json(folder / "preprocessor_config.json", REPOSITORIES["whisper"].preprocessor)
    write_json(folder / "vocab.json", vocabulary)
    write_text(folder / "merges.txt", "#version: 0.2\n")
    marks = {str(ids[mark]): {"content": mark, "special": True} for mark in WHISPER_MARKS}
    tokenizer = {
        "tokenizer_class": "WhisperTokenizer",
        "added_tokens_decoder": marks,
        "bos_token": "<|endoftext|>",
        "eos_token": "<|endoftext|>",
        "unk_token": "<|endoftext|>",
        "pad_token": "<|endoftext|>",
    }
    write_json(folder / "tokenizer_config.json", tokenizer)


def _whisper_vocabulary() -> dict[str, int]:
    """Every byte, the syllables as bytes are written in such vocabularies, and the marks."""
    from tokenizers.pre_tokenizers import ByteLevel

    spelt = ByteLevel(add_prefix_space=False, use_regex=False)
    syllables = [spelt.pre_tokenize_str(sign)[0][0] for sign in SYLLABLES]
    signs = [*sorted(ByteLevel.alphabet()), *syllables, *WHISPER_MARKS]
    return {sign: place for place, sign in enumerate(signs)}


def _make_wav2vec2(folder: Path, seed: int) -> None:
    signs = ["<pad>", "<s>", "</s>", "<unk>", "|", *SYLLABLES]
    settings = {**SMALL, **LARGE, "vocab_size": len(signs), "pad_token_id": 0}
    _save_model(folder, "Wav2Vec2ForCTC", settings, seed, unwritten=[1, 2, 3])
    write_json(folder / "vocab.json", {sign: place for place, sign in enumerate(signs)})
    write_json(folder / "tokenizer_config.json", {"tokenizer_class": "Wav2Vec2CTCTokenizer"})
    write_json(folder / "preprocessor_config.json", WAVE)


def _save_model(
    folder: Path,
    class_name: str,
    settings: Mapping[str, Any],
    seed: int,
    unwritten: Sequence[int] = (),
) -> None:
    """Write a random model; a trained one would not write the marks that are `unwritten` either."""
    import torch
    import transformers

    from maeum.encoders.pretrained.quiet import quietly

    model_class = getattr(transformers, class_name)
    with torch.random.fork_rng(devices=[]), quietly():
        torch.manual_seed(seed)
        model = model_class(model_class.config_class(**settings))
        if unwritten:
            model.lm_head.bias.data[list(unwritten)] = -100.0
        model.save_pretrained(folder)
