#!/usr/bin/env python3
"""Makes `Data/pretrained/emoji`: single emoji, each with its real English name as its caption.

`make-pretrained.sh` runs it. It needs fontTools and Pillow, and the Debian packages
`fonts-noto-color-emoji` (the pictures) and `unicode-cldr-core` (the names); the same versions of them
give the same bytes. `Data/README.md` states the rules.
"""

import hashlib
import json
import re
import shutil
from collections import defaultdict
from pathlib import Path

from emoji import Drawings, spoken_names
from PIL import Image

OUTPUT = Path(__file__).resolve().parent / "pretrained" / "emoji"

SIDE = 96  # pixels of a finished picture's side
WEBP = {"format": "WEBP", "lossless": False, "quality": 70, "alpha_quality": 80, "method": 6}
HELD_OUT_SHARE = 0.165
LARGEST_HELD_OUT_GROUP = 4  # a longer series always trains: it would crowd the held-out pairs

SKIN_TONES = {chr(code) for code in range(0x1F3FB, 0x1F400)}
GENDER_SIGNS = {"\u2640", "\u2642"}

# Series whose names differ in a number, direction, colour, time or state only, but not all in the
# words before a common last one. The first match names the concept group.
SERIES = [
    (r"o’clock|-thirty", "clock face"),
    (r"\bmoon\b(?! cake)(?! viewing)", "moon"),
    (r"\bsun\b|\bcloud\b", "weather"),
    (r"^sun(rise|set)|^cityscape", "horizon"),
    (r"^keycap", "keycap"),
    (r"\b(circle|square|diamond|triangle)s?\b", "shape"),
    (r"\barrows?\b", "arrow"),
    (r"\bbutton\b|^input |^circled |^information$", "button"),
    (r"\bhearts?\b(?!-)(?! suit)", "heart"),
    (r"pointing|^\w+wards hand$|^palm (up|down)", "pointing hand"),
    (r"\b(cats?|lion)\b", "cat"),
    (r"\bdog\b|^poodle$", "dog"),
    (r"\bmonkey\b", "monkey"),
    (r"\bbanknote$|\bmoney\b|\bdollar\b|^coin$|^currency", "money"),
    (r"\bmailbox\b", "mailbox"),
    (r"\b(note)?books?\b|^ledger$", "book"),
    (r"speaker", "speaker"),
    (r"\b(tele)?phones?\b", "phone"),
    (r"airplane", "airplane"),
    (r"bus$", "bus"),
    (r"boat\b|^ship$|\bship$", "boat"),
    (r"\btruck$|\blorry$", "truck"),
    (r"cameras?\b", "camera"),
    (r"^chart\b|\bchart$", "chart"),
    (r"magnifying glass", "magnifying glass"),
    (r"\bclinking\b", "clinking"),
    (r"^hourglass", "hourglass"),
    (r"\bumbrella\b", "umbrella"),
    (r"locked\b", "lock"),
    (r"\bchick\b", "chick"),
    (r"\bhorns$", "horns"),
    (r"^(multiply|plus|minus|divide|heavy equals sign|infinity)$", "arithmetic"),
    (r"\bcheck\b|^cross mark", "mark"),
    (r"^(fe)?male sign$|^transgender symbol$", "gender sign"),
    (r"^(no |non-|prohibited)", "prohibition"),
    (r"\brestroom$|\broom$|^water closet$|^toilet$", "restroom"),
    (r"^(man|woman|person|boy|girl|child|baby|(older|old) (person|man|woman))$", "person"),
    (r"\bhair$|\bbald$|\bbeard$", "hair"),
    (r"^prince(ss)?$", "prince"),
    (r"wheelchair", "wheelchair"),
    (r"\bcomputer\b|^laptop$", "computer"),
    (
        r"^(aries|taurus|gemini|cancer|leo|virgo|libra|scorpio|sagittarius|capricorn|aquarius"
        r"|pisces|ophiuchus)$",
        "zodiac sign",
    ),
]

# Where the thing named ends and its description begins ("glass of milk", "face with tongue").
DESCRIPTION = re.compile(
    r" (?:with|without|of|in|on|over|from|behind|showing|under|and|but|at) "
)
GENERIC_ENDINGS = {"face", "symbol", "sign", "up", "down"}


def is_left_out(text, name, all_names):
    """Whether the emoji is a skin-tone or gender variant, a plain character or a region's flag."""
    if any(character in SKIN_TONES for character in text) or text.isascii():
        return True
    if name.startswith("flag: ") or name.startswith(("family: ", "kiss: ", "couple with heart: ")):
        return True
    if any(sign in text[1:] for sign in GENDER_SIGNS):
        return True
    neutral = re.sub(r"^(wo)?men and (wo)?men |^woman and man |^(wo)?men ", "people ", name)
    neutral = re.sub(r"^(breast-feeding$)", "person feeding baby", neutral)
    neutral = re.sub(r"\b(wo)?man\b", "person", neutral)
    if neutral != name and neutral != "person" and neutral in all_names:
        return True
    shorter = re.sub(r"^(wo)?man ", "", name)
    return shorter != name and shorter in all_names


def concept(name):
    """The key of the concept group: equal keys always lie on the same side of the split.

    Beside the series above it is the last word of the thing named ("glowing star" and "star" are
    both "star"), passing over words that say little ("tiger face" is "tiger").
    """
    lowered = name.lower()
    for pattern, key in SERIES:
        if re.search(pattern, lowered):
            return key
    thing, *description = DESCRIPTION.split(lowered)
    if thing in ("face", "person", "people", "hand") and description:
        thing = description[0]
    words = thing.replace("disk", "disc").split()
    while len(words) > 1 and words[-1] in GENERIC_ENDINGS:
        words.pop()
    return re.sub(r"(?<=\w{3})(?<!s)s$", "", words[-1])


def is_held_out(key, size):
    if size > LARGEST_HELD_OUT_GROUP:
        return False
    digest = hashlib.sha256(("demo/" + key).encode()).digest()
    return int.from_bytes(digest[:8], "big") / 2**64 < HELD_OUT_SHARE


def finished_picture(drawing):
    """Centres a drawing in a square and scales it; transparent stays transparent."""
    box = drawing.getchannel("A").getbbox()
    if box is None:
        return None
    middle = (drawing.width - drawing.height) // 2
    fits = box[0] >= middle and box[2] <= drawing.width - middle
    side = drawing.height if fits else max(drawing.size)
    square = Image.new("RGBA", (side, side))
    square.paste(drawing, ((side - drawing.width) // 2, (side - drawing.height) // 2))
    return square.resize((SIDE, SIDE), Image.Resampling.LANCZOS)


def main():
    drawings = Drawings()
    names = spoken_names()
    all_names = set(names.values())

    shutil.rmtree(OUTPUT, ignore_errors=True)
    (OUTPUT / "images").mkdir(parents=True)

    groups = defaultdict(list)
    seen = set()
    for text, name in sorted(names.items(), key=lambda item: [ord(c) for c in item[0]]):
        drawing = drawings[text]
        if drawing is None or is_left_out(text, name, all_names):
            continue
        picture = finished_picture(drawing)
        if picture is None or picture.tobytes() in seen:
            continue
        seen.add(picture.tobytes())
        identifier = "-".join(f"{ord(character):x}" for character in text)
        picture.save(OUTPUT / "images" / f"{identifier}.webp", **WEBP)
        groups[concept(name)].append((identifier, name))

    files = {"train": [], "heldout": []}
    for key, members in groups.items():
        files["heldout" if is_held_out(key, len(members)) else "train"].extend(members)
    for file, members in files.items():
        lines = [
            json.dumps(
                {"image": f"images/{identifier}.webp", "caption": [name], "image_id": identifier},
                ensure_ascii=False,
            )
            for identifier, name in sorted(members)
        ]
        (OUTPUT / f"{file}.jsonl").write_text("\n".join(lines) + "\n", encoding="utf-8")

    words = [len(name.split()) for members in files.values() for _, name in members]
    size = sum(path.stat().st_size for path in (OUTPUT / "images").iterdir())
    print(f"{len(files['train'])} train, {len(files['heldout'])} held-out, {len(groups)} groups")
    print(f"{size} bytes of pictures, {sum(words) / len(words):.2f} words a name")


if __name__ == "__main__":
    main()
