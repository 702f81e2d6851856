import json
import unicodedata

import pytest
from sentencepiece import SentencePieceProcessor, SentencePieceTrainer
from tokenizers import Tokenizer, decoders, models, normalizers, pre_tokenizers, trainers
from transformers import AutoConfig, BertTokenizer

from maeum.encoders.pretrained.cleaning import clean_comment, cleaning_for
from maeum.encoders.pretrained.probe import SENTENCES, refuse_without_korean
from maeum.encoders.pretrained.tokens import Pieces, read_tokens
from maeum.errors import EncoderError
from maeum.testing.text_checkpoints import make_text_checkpoint

MORE = (
    *SENTENCES,
    "정말 1,000원이야?",
    "café에서 ``봤어'', 뷁",
    "OH 진짜!! 3.5점, 10,",
    "ㅋㅋㅋ ㅠㅠ",
)


@pytest.fixture(scope="module")
def shelf(tmp_path_factory):
    folder = tmp_path_factory.mktemp("vocabularies")
    for family in ("kobert-skt", "kobert-monologg", "klue-bert", "klue-roberta", "koelectra"):
        make_text_checkpoint(folder / family, family)
    return folder


def read(folder):
    return read_tokens(folder, AutoConfig.from_pretrained(str(folder)))


def numbers(folder, sentence, most=512):
    return read(folder).numbers([sentence], most)[0]


# -- KoBERT ----------------------------------------------------------------------------------


@pytest.mark.parametrize("family", ["kobert-skt", "kobert-monologg"])
def test_kobert_gets_what_sentencepiece_gives_between_its_marks(shelf, family):
    (path,) = (shelf / family).glob("*.model")
    model = SentencePieceProcessor(model_file=str(path))
    for sentence in SENTENCES:
        assert numbers(shelf / family, sentence) == [2, *model.encode(sentence), 3]
    assert model.id_to_piece([0, 1, 2, 3]) == ["[UNK]", "[PAD]", "[CLS]", "[SEP]"]


def test_both_layouts_of_kobert_give_the_same(shelf):
    skt, monologg = read(shelf / "kobert-skt"), read(shelf / "kobert-monologg")
    assert skt.numbers(MORE, 512) == monologg.numbers(MORE, 512)
    assert (skt.unknown, len(skt.vocabulary)) == (0, len(monologg.vocabulary))


def test_lines_of_vocab_txt_number_the_pieces(tmp_path):
    folder = make_text_checkpoint(tmp_path / "turned", "kobert-monologg")
    before = numbers(folder, SENTENCES[0])
    pieces = (folder / "vocab.txt").read_text().split("\n")[:-1]
    (folder / "vocab.txt").write_text("\n".join(pieces[::-1]) + "\n")
    assert numbers(folder, SENTENCES[0]) == [len(pieces) - 1 - number for number in before]


def pieces_of(folder, sentence):
    tokens = read(folder)
    pieces = {number: piece for piece, number in tokens.vocabulary.items()}
    return [pieces[number] for number in tokens.numbers([sentence], 512)[0][1:-1]]


@pytest.mark.parametrize(
    ("written", "read_as"),
    [
        ("``정말''", '"정말"'),
        ("café", "cafe"),
        ("  응   그래 ", "응 그래"),
        (unicodedata.normalize("NFD", "괜찮아"), "괜찮아"),
    ],
)
def test_kobert_reads_signs_as_it_was_trained_to(shelf, written, read_as):
    assert pieces_of(shelf / "kobert-skt", written) == pieces_of(shelf / "kobert-skt", read_as)


@pytest.mark.parametrize(
    ("stated", "same"),
    [({}, False), ({"do_lower_case": True}, True), ({"keep_accents": True}, False)],
)
def test_capitals_stay_unless_the_folder_says_otherwise(tmp_path, stated, same):
    folder = make_text_checkpoint(tmp_path / "capitals", "kobert-skt")
    rewrite(folder / "tokenizer_config.json", **stated)
    assert (numbers(folder, "OK") == numbers(folder, "ok")) is same


def test_accents_stay_where_the_folder_says_so(tmp_path):
    folder = make_text_checkpoint(tmp_path / "accents", "kobert-skt")
    rewrite(folder / "tokenizer_config.json", keep_accents=True)
    assert numbers(folder, "café") != numbers(folder, "cafe")


def rewrite(path, **values):
    path.write_text(json.dumps(json.loads(path.read_text()) | values))


def test_the_comma_of_a_number_is_a_token_of_its_own(tmp_path):
    folder = make_text_checkpoint(tmp_path / "numbers", "kobert-skt")
    text = ["만10, 천10, 백10, 십10, 원10, 10, 20"] * 40
    model = write_sentencepiece(folder / "spiece.model", text, "[CLS]", "[SEP]", model_type="bpe")
    assert model.encode("만10, 10, 20", out_type=str) == ["▁만", "10,", "▁10,", "▁20"]
    assert pieces_of(folder, "만10, 10, 20") == ["▁만", "10", ",", "▁", "10", ",", "▁20"]


def test_a_long_sentence_keeps_its_last_mark(shelf):
    whole = numbers(shelf / "kobert-skt", SENTENCES[0])
    assert numbers(shelf / "kobert-skt", SENTENCES[0], most=6) == [*whole[:5], 3]


def test_a_sentencepiece_model_of_other_marks_is_left_to_transformers(tmp_path):
    """multilingual E5: BERT's configuration, XLM-R's vocabulary and its shifted numbers."""
    folder = make_text_checkpoint(tmp_path / "e5", "kobert-skt")
    model = write_sentencepiece(folder / "sentencepiece.bpe.model", SENTENCES * 3, "<s>", "</s>")
    (folder / "spiece.model").unlink()
    stated = {"tokenizer_class": "XLMRobertaTokenizer"}
    (folder / "tokenizer_config.json").write_text(json.dumps(stated))
    for sentence in SENTENCES:
        shifted = [number + 1 for number in model.encode(sentence)]
        assert numbers(folder, sentence) == [0, *shifted, 2]


def test_a_kind_with_a_tokenizer_of_its_own_is_left_to_transformers(tmp_path):
    """multilingual DeBERTa: SentencePiece with KoBERT's marks, but accents stay."""
    folder = make_text_checkpoint(tmp_path / "deberta", "kobert-skt")
    rewrite(folder / "config.json", model_type="deberta-v2")
    (folder / "tokenizer_config.json").unlink()
    (folder / "spiece.model").rename(folder / "spm.model")
    assert isinstance(read(folder), Pieces)


def write_sentencepiece(path, sentences, first, last, **how):
    with path.open("wb") as file:
        SentencePieceTrainer.train(
            sentence_iterator=iter(sentences),
            model_writer=file,
            vocab_size=120,
            hard_vocab_limit=False,
            minloglevel=2,
            unk_piece="[UNK]",
            bos_piece=first,
            eos_piece=last,
            **how,
        )
    return SentencePieceProcessor(model_file=str(path))


# -- WordPiece -------------------------------------------------------------------------------


@pytest.mark.parametrize("family", ["klue-bert", "klue-roberta", "koelectra"])
def test_word_pieces_are_those_of_berts_own_tokenizer(shelf, family):
    folder = shelf / family
    reference = BertTokenizer.from_pretrained(str(folder), do_lower_case=False)
    assert read(folder).numbers(MORE, 512) == [reference(text)["input_ids"] for text in MORE]
    assert read(folder).unknown == reference.unk_token_id


def test_tokenizer_json_is_followed_where_transformers_would_lower_case(tmp_path):
    folder = make_text_checkpoint(tmp_path / "alone", "bert-like")
    reference = Tokenizer.from_file(str(folder / "tokenizer.json"))
    built = BertTokenizer.from_pretrained(str(folder))
    assert built.unk_token_id in built(SENTENCES[0])["input_ids"]  # what must not happen
    assert numbers(folder, SENTENCES[0]) == reference.encode(SENTENCES[0]).ids


def test_ends_that_tokenizer_json_forgot_are_marked(tmp_path):
    folder = make_text_checkpoint(tmp_path / "alone", "bert-like")
    whole = numbers(folder, SENTENCES[0])
    described = json.loads((folder / "tokenizer.json").read_text())
    described["post_processor"] = None
    (folder / "tokenizer.json").write_text(json.dumps(described))
    assert numbers(folder, SENTENCES[0]) == whole


def test_padding_and_cutting_in_tokenizer_json_are_not_followed(tmp_path):
    folder = make_text_checkpoint(tmp_path / "alone", "bert-like")
    whole = numbers(folder, SENTENCES[0])
    tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
    tokenizer.enable_padding(length=64)
    tokenizer.enable_truncation(5)
    tokenizer.save(str(folder / "tokenizer.json"))
    assert numbers(folder, SENTENCES[0]) == whole


@pytest.mark.parametrize(
    ("family", "name", "content"),
    [
        ("klue-bert", "tokenizer.json", "{}"),
        ("klue-bert", "tokenizer.json", "no json"),
        ("klue-bert", "tokenizer_config.json", "[1]"),
        ("kobert-skt", "spiece.model", "version https://git-lfs.github.com/spec/v1"),
    ],
)
def test_a_broken_vocabulary_is_refused(tmp_path, family, name, content):
    folder = make_text_checkpoint(tmp_path / "broken", family)
    (folder / name).write_text(content)
    with pytest.raises(EncoderError, match=r"the vocabulary in .* cannot be read .*fetch it again"):
        read(folder)


def test_a_vocabulary_of_bytes_that_knows_no_korean_is_refused(tmp_path):
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=True)
    tokenizer.decoder = decoders.ByteLevel()
    learner = trainers.BpeTrainer(
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(), show_progress=False
    )
    tokenizer.train_from_iterator(["the cat sat on the mat"] * 3, learner)
    tokens = Pieces(tokenizer)
    assert tokens.unknown is None
    with pytest.raises(EncoderError, match=r"3\.\d pieces a syllable; it knows no Hangul"):
        refuse_without_korean(tokens, tmp_path)


def test_a_vocabulary_of_letters_of_syllables_is_refused(tmp_path):
    signs = sorted({sign for text in SENTENCES for sign in unicodedata.normalize("NFD", text)})
    tokenizer = Tokenizer(
        models.WordLevel({sign: at for at, sign in enumerate(signs)} | {"?": 0}, "?")
    )
    tokenizer.normalizer = normalizers.NFD()
    tokenizer.pre_tokenizer = pre_tokenizers.Split("", "isolated")
    with pytest.raises(EncoderError, match=r"2\.\d pieces a syllable"):
        refuse_without_korean(Pieces(tokenizer), tmp_path)


# -- cleaning --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("written", "cleaned"),
    [
        ("ㅋㅋㅋㅋㅋ", "ㅋㅋ"),
        ("ㅋㅋㅋ", "ㅋㅋㅋ"),
        ("와아아아아아 ㅠㅠㅠㅠ!!!!!", "와아아 ㅠㅠ!!!!!"),
        ("좋아요👍🏽 ❤️ 최고", "좋아요👍🏽 ❤️ 최고"),
        ("여기 https://example.com/길 www 봐", "여기 길 www 봐"),
        ("봐 http://a.kr/b?c=d#e", "봐"),
        ("“진짜”…  그래？ 漢字 • 응", "진짜 그래 응"),
        ("50％·3∼4 (OK) @너 #태그", "50％·3∼4 (OK) @너 #태그"),
        ("漢字", "漢字"),
        ("https://example.com", "https://example.com"),
    ],
)
def test_comments_are_cleaned_as_their_models_were_raised(written, cleaned):
    assert clean_comment(written) == cleaned


@pytest.mark.parametrize(
    ("name", "stated", "cleaning"),
    [
        ("beomi/KcELECTRA-base-v2022", {}, "comments"),
        ("beomi/kcbert-large", {}, "comments"),
        ("kcelectra/klue-bert", {}, "none"),
        ("mine", {"_name_or_path": "beomi/KcELECTRA-base"}, "comments"),
        ("mine", {"_name_or_path": "klue/bert-base"}, "none"),
        ("kcelectra", {"maeum_cleaning": "none"}, "none"),
        ("mine", {"maeum_cleaning": "comments"}, "comments"),
    ],
)
def test_the_name_or_the_folder_says_how_sentences_are_cleaned(tmp_path, name, stated, cleaning):
    (tmp_path / "config.json").write_text(json.dumps(stated))
    assert cleaning_for(name, tmp_path) == cleaning


def test_a_name_in_the_cache_of_the_hub_counts(tmp_path):
    folder = tmp_path / "models--beomi--KcELECTRA-base-v2022" / "snapshots" / "0a1b"
    folder.mkdir(parents=True)
    (folder / "config.json").write_text("{}")
    assert cleaning_for(str(folder), folder) == "comments"
