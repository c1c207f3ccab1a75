"""Which encoding a text file is written in, told from a bounded piece of it. Reads only.

Marks at the start decide (Unicode 3.10), then UTF-8 if it fits, then whose letters the lines look like.
"""

import codecs
import re
from collections.abc import Callable, Iterator
from functools import lru_cache, partial
from typing import NamedTuple

SAMPLE_BYTES = 256_000
LINES_LOOKED_AT = 300
LONGEST_LINE = 400
"""Bytes of a line that are looked at."""
_MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
ENCODINGS = {
    "utf-8-sig": "Unicode (UTF-8 with a mark)",
    "utf-8": "Unicode (UTF-8)",
    "utf-16": "Unicode (UTF-16)",
    "utf-16-le": "Unicode (UTF-16, little end first)",
    "utf-16-be": "Unicode (UTF-16, big end first)",
    "utf-32": "Unicode (UTF-32)",
    "cp1252": "Western European (Windows-1252)",
    "cp1250": "Central European (Windows-1250)",
    "cp1251": "Cyrillic (Windows-1251)",
    "cp1253": "Greek (Windows-1253)",
    "cp1254": "Turkish (Windows-1254)",
    "cp1257": "Baltic (Windows-1257)",
    "iso8859-15": "Western European (ISO 8859-15)",
    "iso8859-2": "Central European (ISO 8859-2)",
    "koi8-r": "Cyrillic (KOI8-R)",
    "mac-roman": "Western European (Macintosh)",
    "cp850": "Western European (DOS 850)",
    "cp852": "Central European (DOS 852)",
    "cp866": "Cyrillic (DOS 866)",
    "cp932": "Japanese (Shift JIS)",
    "euc-jp": "Japanese (EUC)",
    "gb18030": "Chinese (GB 18030)",
    "big5": "Chinese (Big5)",
    "cp949": "Korean (Windows-949)",
}
"""What may be chosen, with the words for it."""


class _Language(NamedTuple):
    encodings: tuple[str, ...]
    common: str
    """The letters outside ASCII that its texts are full of."""
    rare: str = ""


_CYRILLIC_ENCODINGS = ("cp1251", "koi8-r", "cp866")
_WESTERN = ("cp1252", "mac-roman", "cp850")
_CENTRAL = ("cp1250", "iso8859-2", "cp852")
_LANGUAGES = (
    _Language(_WESTERN, "äöüßÄÖÜ"),
    _Language(_WESTERN, "éèêëàâçîïôùûœ", "ÉÈÊÀÂÇÎÔŒÆæÿ"),
    _Language(_WESTERN, "áéíóúñü", "ÁÉÍÓÚÑ¿¡ºª"),
    _Language(_WESTERN, "àèéìòù", "ÀÈÉÌÒÙ"),
    _Language(_WESTERN, "ãõáâàçéêíóôú", "ÃÕÁÂÀÇÉÊÍÓÔÚ"),
    _Language(_WESTERN, "æøåöäé", "ÆØÅÖÄ"),
    _Language(_WESTERN, "áéíóúýþðæö", "ÁÉÍÓÚÝÞÐÆÖ"),
    _Language(_CENTRAL, "ąćęłńóśźż", "ĄĆĘŁŃÓŚŹŻ"),
    _Language(_CENTRAL, "áčďéěíňóřšťúůýž", "ÁČĎÉĚÍŇÓŘŠŤÚŮÝŽ"),
    _Language(_CENTRAL, "áäčďéíĺľňóôŕšťúýž", "ÁÄČĎÉÍĽŇÓÔŠŤÚÝŽ"),
    _Language(_CENTRAL, "áéíóöőúüű", "ÁÉÍÓÖŐÚÜŰ"),
    _Language(_CENTRAL, "čćđšž", "ČĆĐŠŽ"),
    _Language(_CENTRAL, "ăâîşţ", "ĂÂÎŞŢ"),
    _Language(("cp1254",), "çğıöşü", "ÇĞİÖŞÜâîû"),
    _Language(("cp1257",), "ąčęėįšųūž", "ĄČĘĖĮŠŲŪŽ"),
    _Language(("cp1257",), "āčēģīķļņšūž", "ĀČĒĢĪĶĻŅŠŪŽ"),
    _Language(("cp1253",), "αβγδεζηθικλμνξοπρςστυφχψωάέήίόύώ", "ΑΒΓΔΕΖΗΘΙΚΛΜΝΞΟΠΡΣΤΥΦΧΨΩΆΈΉΊΌΎΏϊϋ"),
    _Language(_CYRILLIC_ENCODINGS, "оеаинтсрвлкмдпуяыьгзбчйхжшюцщэф", "ОЕАИНТСРВЛКМДПУЯЫЬГЗБЧЙХЖШЮЦЩЭФёЁъЪіїєґІЇЄҐ"),
)
_EASTERN = {"cp932": ("shift_jis", 0x97), "euc-jp": ("shift_jis", 0x97), "cp949": ("euc_kr", 0xC8)}
_EASTERN |= {"gb18030": ("gb2312", 0xD7), "big5": ("big5", 0xC6)}
"""Encodings of many bytes, each with the national set whose characters up to this first byte are everyday ones."""
_OWN_SCRIPT = ("cp1253", *_CYRILLIC_ENCODINGS, *_EASTERN)
"""Their words have no letters of ASCII in them."""
_MARKS_OF_TEXT = "“”„‘’‚«»…–—€£§°·№©®、。「」（）・～ー\u3000"


def marked(start: bytes) -> str | None:
    """The encoding that the first four bytes announce."""
    return next((name for mark, name in _MARKS if start.startswith(mark)), None)


def encoding_of(sample: bytes) -> str:
    """The encoding of a file by its first bytes (SAMPLE_BYTES are enough); one of ENCODINGS, never fails."""
    sample = sample[:SAMPLE_BYTES]
    if found := marked(sample[:4]) or _wide(sample):
        return found
    if decodes(sample, "utf-8"):
        return "utf-8"
    lines = [line[:LONGEST_LINE] for line in re.split(rb"[\r\n]+", sample) if not line.isascii()][:LINES_LOOKED_AT]
    best = max(_candidates(), key=lambda name: _score(name, lines))
    return best if decodes(sample, best) else "cp1252"


def decodes(sample: bytes, encoding: str, *, whole: bool = False) -> bool:
    """Whether the bytes are text of this encoding; a character cut off at the end matters in a whole file only."""
    try:
        codecs.getincrementaldecoder(encoding)().decode(sample, final=whole)
    except UnicodeError:
        return False
    return True


def _wide(sample: bytes) -> str | None:
    """UTF-16 without a mark: what is ASCII in it has a zero beside each character, always on the same side."""
    start = sample[: min(len(sample), 4000) // 2 * 2]
    even, odd = start[::2].count(0), start[1::2].count(0)
    if max(even, odd) * 16 <= len(start) or min(even, odd) * 4 > max(even, odd):
        return None
    return "utf-16-le" if odd > even else "utf-16-be"


@lru_cache(maxsize=1)
def _candidates() -> tuple[str, ...]:
    """In the order in which they are taken where two do equally well."""
    return tuple(dict.fromkeys([*(name for one in _LANGUAGES for name in one.encodings), *_EASTERN]))


def _score(encoding: str, lines: list[bytes]) -> float:
    """How much of the lines reads as text of one of the encoding's languages; less than nothing where it does not."""
    try:
        texts = [codecs.getincrementaldecoder(encoding)().decode(line) for line in lines]
    except UnicodeError:
        return -1e9
    languages = [one for one in _LANGUAGES if encoding in one.encodings]
    if not languages:
        return sum(_worth(encoding, text, lambda sign: _eastern(encoding, sign)) for text in texts)
    # A line is of one language, and most of a file's lines are of the same one. Most files are Windows-1252.
    table = [[_worth(encoding, text, partial(_western, one)) for text in texts] for one in languages]
    best_of_each: list[float] = [max(worth) for worth in zip(*table, strict=True)]
    found = (sum(best_of_each) + max(sum(worth) for worth in table)) / 2
    return found * 1.1 if encoding == "cp1252" else found


def _worth(encoding: str, text: str, worth_of: Callable[[str], float]) -> float:
    """From about 1, where every character outside ASCII is an everyday one at its place, down to far below 0."""
    padded = f" {text} "
    strange = [(before, sign, after) for before, sign, after in _around(padded) if sign > "\x7f"]
    return sum(_at_its_place(encoding, *place, worth_of) for place in strange) / len(strange) if strange else 0.0


def _around(text: str) -> Iterator[tuple[str, str, str]]:
    return zip(text, text[1:], text[2:], strict=False)


def _at_its_place(encoding: str, before: str, sign: str, after: str, worth_of: Callable[[str], float]) -> float:
    if sign in _MARKS_OF_TEXT:
        return -1.0 if before.isalpha() and after.isalpha() and sign not in "’ー·" else 0.2
    if before.islower() and sign.isupper():
        return -1.0
    if encoding in _OWN_SCRIPT and (_latin(before) or _latin(after)):
        return -1.0
    return worth_of(sign)


def _latin(sign: str) -> bool:
    return sign.isascii() and sign.isalpha()


def _western(language: _Language, sign: str) -> float:
    return 1.0 if sign in language.common else 0.7 if sign in language.rare else -1.0


@lru_cache(maxsize=16_384)
def _eastern(encoding: str, sign: str) -> float:
    if "\u3040" <= sign <= "\u30ff":
        return 1.1 if encoding in ("cp932", "euc-jp") else 0.0
    if not ("\u4e00" <= sign <= "\u9fa5" or "\uac00" <= sign <= "\ud7a3"):
        return -1.0
    national, last = _EASTERN[encoding]
    hangul = sign >= "\uac00"
    if hangul != (encoding == "cp949"):
        return 0.0
    try:
        kept = sign.encode(national)
    except UnicodeEncodeError:
        return 0.0
    return (0.97 if hangul else 0.95) if len(kept) == 2 and kept[0] <= last else 0.1
