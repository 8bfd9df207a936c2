"""Folding of address text: what looks alike to a reader becomes the same plain capitals, and what is unseen goes.

Unlike names, which are written out by sound, address text is folded by sight: a Cyrillic `а` in `unknоwn` stands for
the letter it imitates. Zero-width characters, direction marks, accents and styled letters fall away.
"""

from __future__ import annotations

import functools
import unicodedata

import duckdb

# Letters that look like a Latin capital, or that lose nothing but a stroke, from Unicode's confusables (UTS 39).
_LOOK_ALIKE = {
    "АΑᎪꓮ": "A", "ВΒᏴꓐВ": "B", "СϹᏟꓚС": "C", "ЕΕᎬꓰƎƏЭ": "E", "ҒϜꓝ": "F", "ԌᏀꓖ": "G", "НΗᎻꓧҺ": "H", "ІΙӀꓲЇΪ": "I",
    "ЈᎫꓙ": "J", "КΚᏦꓗҚ": "K", "ᏞꓡꞭ": "L", "МΜᎷꓟ": "M", "ΝꓠИЙ": "N", "ОΟՕꓳΘӨ": "O", "РΡᏢꓑ": "P", "ԚՈ": "Q", "ЯᎡꓣГ": "R",
    "ЅՏᏚꓢ": "S", "ТΤᎢꓔ": "T", "ՍꓴЦ": "U", "ѴᏙꓦ": "V", "ԜᎳꓪШЩΩ": "W", "ХΧꓫҲ": "X", "УΥҮꓬЎ": "Y", "ΖᏃꓜ": "Z",
    "ĐÐ": "D", "Ø": "O", "Ł": "L", "Ħ": "H", "Ŧ": "T", "Ŋ": "N", "Ɨ": "I", "Δ": "A", "Λ": "A", "Σ": "E", "Π": "N",
    "ᴀ": "A", "ʙ": "B", "ᴄ": "C", "ᴅ": "D", "ᴇ": "E", "ꜰ": "F", "ɢ": "G", "ʜ": "H", "ɪı": "I", "ᴊ": "J", "ᴋ": "K",
    "ʟ": "L", "ᴍ": "M", "ɴ": "N", "ᴏ": "O", "ᴘ": "P", "ʀ": "R", "ꜱ": "S", "ᴛ": "T", "ᴜ": "U", "ᴠ": "V", "ᴡ": "W",
    "ʏ": "Y", "ᴢ": "Z", "ɑα": "A", "ϲ": "C", "ɡ": "G", "ո": "N", "υ": "U", "ν": "V", "ω": "W", "γ": "Y",
    "'`´‘’ʼʻʹʾʿ′＇‛": "", "‐‑‒–—―−﹘﹣－": "-", "⁄∕": "/", "、，،；": ",", "。．": ".",
}  # fmt: skip
_SEVERAL = {
    "Æ": "AE", "æ": "AE", "Œ": "OE", "œ": "OE", "ß": "SS", "ẞ": "SS", "Þ": "TH", "þ": "TH", "Ж": "ZH", "ж": "ZH",
    "½": " 1/2", "¼": " 1/4", "¾": " 3/4", "⅓": " 1/3", "⅔": " 2/3", "⅛": " 1/8", "℅": " C/O ", "№": " # ",
    "ﬀ": "FF", "ﬁ": "FI", "ﬂ": "FL", "ﬃ": "FFI", "ﬄ": "FFL", "ﬅ": "ST", "ﬆ": "ST", "℀": " A/C ", "㎞": "KM",
}  # fmt: skip
_SINGLE = {letter: plain for letters, plain in _LOOK_ALIKE.items() for letter in letters}
_INVISIBLE = {"Cf", "Cc", "Mn", "Me", "Cs", "Co"}
_BREAKS = "\n\r\x85\u2028\u2029"
# Characters that no eye sees although Unicode calls them letters or symbols: Hangul fillers, blank Braille.
_BLANK = "\u115f\u1160\u3164\uffa0\u2800"


@functools.lru_cache(maxsize=65536)
def fold_character(character: str) -> str:
    """One character for one: `é` → `E`, Cyrillic `о` → `O`, a line break → `,`, zero-width → nothing, `中` → space."""
    if character in _BREAKS or character in "\t\v\f":
        return "," if character in _BREAKS else " "
    if character in _BLANK or unicodedata.category(character) in _INVISIBLE:
        return ""
    if character in _SINGLE or character.upper() in _SINGLE:
        return _SINGLE.get(character, _SINGLE.get(character.upper(), ""))
    plain = [part for part in unicodedata.normalize("NFKD", character) if unicodedata.category(part) not in _INVISIBLE]
    if len(plain) != 1:
        return " "
    digit = unicodedata.digit(plain[0], None)
    if digit is not None:
        return str(digit)
    upper = plain[0].upper()
    return upper if len(upper) == 1 and upper.isascii() else _SINGLE.get(upper, " ")


def prepare_fold(connection: duckdb.DuckDBPyConnection, source: str, columns: tuple[str, ...]) -> None:
    """Learn which characters outside plain ASCII occur in the columns of a table, so that `folded` can map them.

    Only the characters that occur are mapped, as two bound texts, one of what is read and one of what it stands for.
    """
    texts = " UNION ALL ".join(
        f"SELECT {column} AS text FROM {source} WHERE strlen({column}) <> length({column})" for column in columns
    )
    rows = connection.execute(f"SELECT DISTINCT unnest(string_split(text, '')) FROM ({texts})").fetchall()
    pairs = [(row[0], fold_character(row[0])) for row in rows if not row[0].isascii() and row[0] not in _SEVERAL]
    pairs.sort(key=lambda pair: (not pair[1], pair[0]))  # translate() deletes what has no counterpart
    connection.execute("SET VARIABLE address_read = ?", ["".join(read for read, _ in pairs)])
    connection.execute("SET VARIABLE address_meant = ?", ["".join(meant for _, meant in pairs)])


def folded(column: str) -> str:
    """SQL for the folded text of a column: capitals, plain ASCII, nothing invisible. Needs `prepare_fold`.

    Plain ASCII, control characters among it, is only turned to capitals.
    """
    text = column
    for read, meant in _SEVERAL.items():
        text = f"replace({text}, '{read}', '{meant}')"
    slow = f"upper(translate({text}, getvariable('address_read'), getvariable('address_meant')))"
    return f"CASE WHEN strlen({column}) = length({column}) THEN upper({column}) ELSE {slow} END"
