"""Tables in the languages of docs/zh and docs/de: cells by a glossary, numbers as the language writes them. Read by tables.

Only tables are translated; the notes under one stand on the English page, to which the translated page links. A cell with
letters that isn't in the glossary is an error that names it: so no page shows half a table in English.
"""

from __future__ import annotations

import re

__all__ = ["LANGUAGES", "translated"]

LANGUAGES = ("zh", "de")
SAME = {"**lenet.reading**", "lenet.reading", "tesseract", "RapidOCR"}  # names
GLOSSARY: dict[str, dict[str, str]] = {
    "recipe": {"zh": "方案", "de": "Rezept"},
    "epochs": {"zh": "轮数", "de": "Epochen"},
    "mean": {"zh": "平均", "de": "Mittel"},
    "sd": {"zh": "标准差", "de": "Streuung"},
    "worst": {"zh": "最差", "de": "schlechtester"},
    "seeds": {"zh": "随机种子数", "de": "Startwerte"},
    "training, seconds a run": {"zh": "每次训练秒数", "de": "Training, Sekunden je Lauf"},
    "`fast` (the default)": {"zh": "`fast`（默认）", "de": "`fast` (Vorgabe)"},
    "digits right, %": {"zh": "数字正确率，%", "de": "richtige Ziffern, %"},
    "drawn: what people photograph": {"zh": "合成：日常拍摄的内容", "de": "gezeichnet: was Leute fotografieren"},
    "drawn: numbers on paper": {"zh": "合成：纸上的数字", "de": "gezeichnet: Zahlen auf Papier"},
    "OpenCV's sample, rebuilt": {"zh": "仿 OpenCV 示例", "de": "OpenCVs Beispiel, nachgebaut"},
    "kind": {"zh": "类别", "de": "Art"},
    "pictures": {"zh": "图片数", "de": "Bilder"},
    "digits": {"zh": "数字个数", "de": "Ziffern"},
    "lenet.reading before": {"zh": "lenet.reading 改进前", "de": "lenet.reading zuvor"},
    "drawn alike": {"zh": "对应的合成类别", "de": "ähnlich gezeichnet"},
    "lenet.reading there": {"zh": "lenet.reading 在该类别", "de": "lenet.reading dort"},
    "numbers on paper": {"zh": "纸上的数字", "de": "Zahlen auf Papier"},
    "strips cut around a number": {"zh": "沿数字裁下的纸条", "de": "Streifen um eine Zahl"},
    "one digit": {"zh": "单个数字", "de": "eine Ziffer"},
    "amounts of cheques, on patterned paper": {
        "zh": "支票金额（带底纹）",
        "de": "Scheckbeträge auf gemustertem Papier",
    },
    "forms": {"zh": "表单", "de": "Formulare"},
    "class lists with marks": {"zh": "成绩单", "de": "Klassenlisten mit Noten"},
    "sudokus, partly filled in by hand": {"zh": "部分手填的数独", "de": "Sudokus, teils von Hand ausgefüllt"},
    "sudokus, printed alone": {"zh": "只有印刷数字的数独", "de": "Sudokus, nur gedruckt"},
    "nothing to read": {"zh": "没有可识别的内容", "de": "nichts zu lesen"},
    "**all**": {"zh": "**合计**", "de": "**alle**"},
    "lit": {"zh": "光照不均", "de": "ungleiches Licht"},
    "patterned": {"zh": "底纹", "de": "gemustert"},
    "lists": {"zh": "名单", "de": "Listen"},
    "ruled": {"zh": "带格线", "de": "liniert"},
    "surface": {"zh": "桌面", "de": "Schreibtisch"},
    "level": {"zh": "类别", "de": "Stufe"},
    "pages": {"zh": "页数", "de": "Seiten"},
    "misread": {"zh": "误读", "de": "verlesen"},
    "rejected": {"zh": "拒识", "de": "abgelehnt"},
    "missed": {"zh": "漏读", "de": "übersehen"},
    "extra": {"zh": "多读", "de": "zu viel"},
    "clean": {"zh": "干净", "de": "sauber"},
    "skewed": {"zh": "倾斜", "de": "schief"},
    "noisy": {"zh": "有噪点", "de": "verrauscht"},
    "touching": {"zh": "数字粘连", "de": "Ziffern berühren sich"},
    "mixed": {"zh": "混有文字", "de": "mit Wörtern"},
}
PATTERNS: dict[str, dict[str, str]] = {
    r"the tutorial, real Paddle ([\d.]+)": {"zh": r"官方教程，Paddle \1", "de": r"das Tutorial, echtes Paddle \1"},
    r"(\d+) real pictures": {"zh": r"\1 张真实图片", "de": r"\1 echte Bilder"},
    r"(\d+) false": {"zh": r"误报 \1 个", "de": r"\1 falsche"},
    (
        r"A photo of 12 megapixels with (\d+) digits read: ([\d.]+) s, (\d+) MB in all\. "
        r"One image of 28 × 28: ([\d.]+) ms; ([\d,]+) a second together\."
    ): {
        "zh": r"一张 1200 万像素、含 \1 个数字的照片：\2 秒，共占内存 \3 MB。单张 28 × 28 图像：\4 毫秒；批量时每秒 \5 张。",
        "de": r"Ein Foto von 12 Megapixeln mit \1 Ziffern: \2 s, insgesamt \3 MB. "
        r"Ein Bild von 28 × 28: \4 ms; zusammen \5 je Sekunde.",
    },
}


def translated(text: str, language: str) -> str:
    """A table, or a sentence that stands for one, in another language; code in fences stays as it is.

    KeyError for a language that isn't there and for words without a translation.
    """
    if language not in LANGUAGES:
        raise KeyError(f"{language}: expected one of {', '.join(LANGUAGES)}")
    if text.lstrip().startswith(("```", "Not measured yet", "Not drawn yet")):
        return text
    rows = [line for line in text.splitlines() if line.startswith("|")]
    if not rows:
        return _words(text.strip(), language)
    return "\n".join(
        "| " + " | ".join(_words(cell.strip(), language) for cell in row[1:-1].split("|")) + " |"
        if set(row) - set("|-")
        else row
        for row in rows
    )


def _words(cell: str, language: str) -> str:
    if cell in GLOSSARY:
        return GLOSSARY[cell][language]
    for pattern, to in PATTERNS.items():
        if match := re.fullmatch(pattern, cell):
            return _numbers(match.expand(to[language]), language)
    if cell in SAME or not re.search(r"[A-Za-z]", re.sub(r"`[^`]*`", "", cell)):
        return cell if "`" in cell else _numbers(cell, language)
    raise KeyError(f"{language}: bench/translations.py has no translation of {cell!r}")


def _numbers(text: str, language: str) -> str:
    """1,234.5 as the language writes it: 1.234,5 in German. Versions, with several points, stay."""

    def one(number: re.Match[str]) -> str:
        return number[0] if number[0].count(".") > 1 else number[0].translate(str.maketrans(".,", ",."))

    return re.sub(r"\d[\d.,]*\d", one, text) if language == "de" else text
