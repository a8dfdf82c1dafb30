"""The drawings of Noto Color Emoji with their Unicode names, for the scripts that make data of them.

Needs fontTools and Pillow, and the Debian packages `fonts-noto-color-emoji` and `unicode-cldr-core`.
"""

import io
import xml.etree.ElementTree as ElementTree
from pathlib import Path

from fontTools.ttLib import TTFont
from PIL import Image

FONT = Path("/usr/share/fonts/truetype/noto/NotoColorEmoji.ttf")
NAMES = Path("/usr/share/unicode/cldr/common")
COPYRIGHTS = {
    "noto-color-emoji.txt": Path("/usr/share/doc/fonts-noto-color-emoji/copyright"),
    "unicode-cldr.txt": Path("/usr/share/doc/unicode-cldr-core/copyright"),
}
VARIATION_SELECTOR = "\ufe0f"


def spoken_names():
    """Maps each emoji (without variation selectors) to its text-to-speech name."""
    names = {}
    for folder in ("annotations", "annotationsDerived"):
        root = ElementTree.parse(NAMES / folder / "en.xml").getroot()
        for annotation in root.iter("annotation"):
            if annotation.get("type") == "tts":
                names[annotation.get("cp").replace(VARIATION_SELECTOR, "")] = annotation.text
    return names


class Drawings:
    """The font's drawings, 136 × 128 pixels (its `CBDT` table)."""

    def __init__(self):
        font = TTFont(FONT)
        self.strike = font["CBDT"].strikeData[0]
        self.characters = font.getBestCmap()
        self.ligatures = {}
        for lookup in font["GSUB"].table.LookupList.Lookup:
            for table in lookup.SubTable:
                table = getattr(table, "ExtSubTable", table)
                for first, choices in getattr(table, "ligatures", {}).items():
                    for choice in choices:
                        self.ligatures.setdefault((first, *choice.Component), choice.LigGlyph)

    def __getitem__(self, text):
        """The drawing of an emoji as RGBA, or None where no single glyph draws it."""
        glyphs = tuple(self.characters.get(ord(character)) for character in text)
        glyph = glyphs[0] if len(glyphs) == 1 else self.ligatures.get(glyphs)
        if glyph not in self.strike:
            return None
        return Image.open(io.BytesIO(self.strike[glyph].imageData)).convert("RGBA")
