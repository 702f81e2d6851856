"""Tiny text encoders laid out as the real ones are on the model hub, with random weights.

Their settings, files and names of weights are the real ones; only widths, depths and vocabularies
are not. The vocabularies are learnt here, from the sentences of made corpora and of the sample, and
have every syllable in common use: everyday Korean is read, and forty sentences learnt by heart.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from maeum import sample
from maeum.errors import EncoderError
from maeum.files import write_json, write_text
from maeum.testing.corpora import MANNERS, made_scripts

if TYPE_CHECKING:
    from transformers import PreTrainedModel

SMALL = {
    "hidden_size": 32,
    "intermediate_size": 64,
    "num_attention_heads": 4,
    "num_hidden_layers": 2,
    "max_position_embeddings": 512,
    "initializer_range": 0.1,
}
SMALL_ELECTRA = {**SMALL, "embedding_size": 32}
SMALL_ROBERTA = {
    **SMALL,
    "max_position_embeddings": 514,
    "type_vocab_size": 1,
    "layer_norm_eps": 1e-5,
    "bos_token_id": 0,
    "eos_token_id": 2,
    "tokenizer_class": "BertTokenizer",
}

BERT_MARKS = ("[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]")
ROBERTA_MARKS = ("[CLS]", "[PAD]", "[SEP]", "[UNK]", "[MASK]")
KOBERT_MARKS = ("[UNK]", "[PAD]", "[CLS]", "[SEP]", "[MASK]")
"""The first tokens of vocabularies, in order."""

NAMED = {f"{mark.strip('[]').lower()}_token": mark for mark in BERT_MARKS}
"""What `special_tokens_map.json` says."""

CASED = {"do_lower_case": False, "model_max_length": 512}
OF_SKT = {
    **NAMED,
    "bos_token": "[CLS]",
    "eos_token": "[SEP]",
    "do_lower_case": False,
    "keep_accents": False,
    "remove_space": True,
    "tokenizer_class": "XLNetTokenizer",
}
OF_MONOLOGG = {
    "do_lower_case": False,
    "max_len": 512,
    "auto_map": {"AutoTokenizer": ["tokenization_kobert.KoBertTokenizer", None]},
}
"""What `tokenizer_config.json` says."""

CODE_OF_THEIRS = 'raise RuntimeError("the code that came with an encoder was run")\n'

SYLLABLES = tuple(
    bytes((row, column)).decode("euc-kr")
    for row in range(0xB0, 0xC9)
    for column in range(0xA1, 0xFF)
)
"""The 2,350 in common use, as KS X 1001 lists them."""

ASCII = tuple(map(chr, range(ord("!"), ord("~") + 1)))
JAMO = tuple(map(chr, range(ord("ㄱ"), ord("ㅣ") + 1)))
"""Letters of syllables by themselves, as in ㅋㅋ."""

MOST_PIECES = 3400

SPACE = "▁"
"""Stands in SentencePiece for the space before a word."""


@dataclass(frozen=True)
class Repository:
    """A repository of the model hub.

    Attributes:
        model: class of transformers that was saved.
        settings: in `config.json`, apart from defaults.
        marks: the first tokens of the vocabulary.
        stated: in `tokenizer_config.json`; None: there is none.
        vocabulary: names of the files it is in.
        binary: the weights are `pytorch_model.bin`.
    """

    model: str
    settings: Mapping[str, Any]
    marks: tuple[str, ...]
    stated: Mapping[str, Any] | None
    vocabulary: tuple[str, ...]
    binary: bool = False


REPOSITORIES = {
    "kcelectra": Repository(
        "ElectraForPreTraining",
        SMALL_ELECTRA,
        BERT_MARKS,
        {**NAMED, **CASED, "strip_accents": None, "tokenizer_class": "BertTokenizer"},
        ("vocab.txt", "tokenizer.json", "special_tokens_map.json"),
    ),
    "koelectra": Repository(
        "ElectraForPreTraining", SMALL_ELECTRA, BERT_MARKS, CASED, ("vocab.txt",), binary=True
    ),
    "kobert-skt": Repository(
        "BertModel",
        SMALL,
        KOBERT_MARKS,
        OF_SKT,
        ("spiece.model", "special_tokens_map.json"),
        binary=True,
    ),
    "kobert-monologg": Repository(
        "BertModel",
        SMALL,
        KOBERT_MARKS,
        OF_MONOLOGG,
        ("tokenizer_78b3253a26.model", "vocab.txt", "tokenization_kobert.py"),
        binary=True,
    ),
    "klue-bert": Repository(
        "BertForMaskedLM",
        SMALL,
        BERT_MARKS,
        {**NAMED, **CASED, "tokenizer_class": "BertTokenizer"},
        ("vocab.txt", "tokenizer.json", "special_tokens_map.json"),
    ),
    "klue-roberta": Repository(
        "RobertaForMaskedLM",
        SMALL_ROBERTA,
        ROBERTA_MARKS,
        {**NAMED, **CASED, "bos_token": "[CLS]", "eos_token": "[SEP]"},
        ("vocab.txt", "tokenizer.json", "special_tokens_map.json"),
    ),
    "bert-like": Repository("BertModel", SMALL, BERT_MARKS, None, ("tokenizer.json",)),
}
"""As beomi/KcELECTRA-base-v2022, monologg/koelectra-base-v3-discriminator, skt/kobert-base-v1,
monologg/kobert, klue/bert-base and klue/roberta-small are; the last has `tokenizer.json` alone."""

TEXT_FAMILIES = tuple(REPOSITORIES)
"""What `make_text_checkpoint` makes."""


def make_text_checkpoint(folder: Path, family: str, *, seed: int = 0) -> Path:
    """Write a text encoder with random weights, in the files its real repository has.

    Args:
        folder: gets the files; `PretrainedText.load(str(folder), Reading())` reads them.
        family: one of `TEXT_FAMILIES`.
        seed: equal seeds give equal files.

    Returns:
        The folder.

    Raises:
        EncoderError: there is no such family.
    """
    if family not in REPOSITORIES:
        raise EncoderError(
            f"no text encoder {family!r} is made; choose from {', '.join(REPOSITORIES)}"
        )
    repository = REPOSITORIES[family]
    folder.mkdir(parents=True, exist_ok=True)
    tokens = _written_vocabulary(folder, repository)
    _save(_random_model(repository, tokens, seed), folder, binary=repository.binary)
    return folder


def _written_vocabulary(folder: Path, repository: Repository) -> int:
    """Write the files that split sentences; gives the number of tokens."""
    if repository.stated is not None:
        write_json(folder / "tokenizer_config.json", repository.stated)
    if "special_tokens_map.json" in repository.vocabulary:
        write_json(folder / "special_tokens_map.json", NAMED)
    if any(name.endswith(".model") for name in repository.vocabulary):
        return _write_sentence_pieces(folder, repository.vocabulary)
    return _write_word_pieces(folder, repository)


def _write_sentence_pieces(folder: Path, names: Sequence[str]) -> int:
    pieces = _listed(_sentence_pieces())
    for name in names:
        if name.endswith(".model"):
            (folder / name).write_bytes(_sentence_pieces())
        elif name.endswith(".py"):
            write_text(folder / name, CODE_OF_THEIRS)
        elif name == "vocab.txt":
            write_text(folder / name, "".join(f"{piece}\n" for piece in pieces))
    return len(pieces)


def _write_word_pieces(folder: Path, repository: Repository) -> int:
    from tokenizers import BertWordPieceTokenizer

    pieces = [*repository.marks, *_word_pieces()]
    if "vocab.txt" in repository.vocabulary:
        write_text(folder / "vocab.txt", "".join(f"{piece}\n" for piece in pieces))
    if "tokenizer.json" in repository.vocabulary:
        numbered = {piece: number for number, piece in enumerate(pieces)}
        BertWordPieceTokenizer(numbered, lowercase=False).save(str(folder / "tokenizer.json"))
    return len(pieces)


def _random_model(repository: Repository, tokens: int, seed: int) -> PreTrainedModel:
    import torch
    import transformers

    model_class = getattr(transformers, repository.model)
    settings = {"pad_token_id": repository.marks.index("[PAD]"), **repository.settings}
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        model: PreTrainedModel = model_class(
            model_class.config_class(vocab_size=tokens, **settings)
        )
    model.config.architectures = [repository.model]
    return model


def _save(model: PreTrainedModel, folder: Path, *, binary: bool) -> None:
    import torch
    from safetensors.torch import save_file

    model.config.save_pretrained(folder)
    weights = dict(model.state_dict())
    if binary:
        torch.save(weights, folder / "pytorch_model.bin")
        return
    for twin in model.all_tied_weights_keys:
        del weights[twin]
    save_file(weights, folder / "model.safetensors", metadata={"format": "pt"})


@cache
def _word_pieces() -> tuple[str, ...]:
    """What SentencePiece learnt, in BERT's spelling, and every sign at both places of a word.

    WordPiece's own learner gives another vocabulary every time.
    """
    learnt = set(_listed(_sentence_pieces())) - {*KOBERT_MARKS, SPACE}
    begin = {piece.removeprefix(SPACE) for piece in learnt if piece.startswith(SPACE)}
    signs = {sign for piece in learnt for sign in piece} - {SPACE} | {*JAMO}
    inside = {piece for piece in learnt if not piece.startswith(SPACE)} | signs
    return (*sorted(begin | signs), *sorted(f"##{piece}" for piece in inside))


def _listed(model: bytes) -> list[str]:
    """The pieces of a SentencePiece model, in order."""
    from sentencepiece import SentencePieceProcessor

    processor = SentencePieceProcessor(model_proto=model)
    return [processor.id_to_piece(number) for number in range(processor.get_piece_size())]


@cache
def _sentence_pieces() -> bytes:
    from sentencepiece import SentencePieceTrainer

    unknown, padding, *others = KOBERT_MARKS
    written = io.BytesIO()
    SentencePieceTrainer.train(
        sentence_iterator=iter([*_sentences(), *SYLLABLES, *ASCII]),
        model_writer=written,
        vocab_size=MOST_PIECES,
        model_type="bpe",
        character_coverage=1.0,
        unk_id=0,
        unk_piece=unknown,
        pad_id=1,
        pad_piece=padding,
        bos_id=-1,
        eos_id=-1,
        control_symbols=others,
        num_threads=1,
        minloglevel=2,
    )
    return written.getvalue()


@cache
def _sentences() -> tuple[str, ...]:
    with (sample.path() / "sample.csv").open(encoding="utf-8") as file:
        said = [row["text"] for row in csv.DictReader(file)]
    made = (text for name in MANNERS for text in made_scripts(name, 40))
    return (*made, *said)
