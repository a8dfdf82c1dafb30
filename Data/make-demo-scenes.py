#!/usr/bin/env python3
"""Makes the demo's scenes in `Data/demo`: pictures composed of emoji, captions, questions, dialogues.

A development tool: what it makes is committed, and nothing runs it at build or run time. It needs
fontTools and Pillow, and the Debian packages `fonts-noto-color-emoji` and `unicode-cldr-core`:

    python3 -m venv /tmp/demo && /tmp/demo/bin/pip install fonttools==4.68.0 Pillow==13.0.0
    /tmp/demo/bin/python Data/make-demo-scenes.py

The same versions give the same bytes. Instead, `--encoder-scenes FOLDER` draws the scenes that the demo's
image encoder is trained on, and `--texts FILE` writes what its language models are trained on: captions,
questions and answers, for which it needs neither package. `Data/README.md` states the rules.
"""

import argparse
import hashlib
import io
import itertools
import json
import random
import re
import shutil
import tarfile
from dataclasses import dataclass, replace
from pathlib import Path

SEED = 1
SIDE = 96  # pixels of a scene's side
WEBP = {"format": "WEBP", "lossless": False, "quality": 75, "method": 6}
TRAIN = {"pair": 2300, "row": 700, "count": 600, "one": 400}
# What the image encoder and the language models are made from; the same combinations are held out.
ENCODER = {"pair": 20_000, "row": 8_000, "count": 2_000, "one": 6_000}
ENCODER_THINGS = 20_000  # pictures beside these, of things with words for where they lie
TEXTS = {"pair": 26_000, "row": 14_000, "count": 1_600, "one": 1_500}
TAG_LISTS = 4  # of each of these scenes
HELD_OUT = {"pair": 200, "row": 50, "count": 50}
HARD_GROUPS = 75
UNSEEN_SCENES = 60
LOOSE_TRAIN = 48  # train scenes that lie beside the shards as files, to look at
SHARD_SIZE = 1000
QUESTIONS_IN_SHARDS = 4
QUESTIONS_ASKED = 3  # of each held-out scene
VQA_ANSWERS = 10  # VQA's accuracy is made for ten people's answers
HELD_OUT_SHARE = 0.14  # of all pairs of objects, and of all objects' numbers

# What a scene calls an object, where that is not its name in Unicode.
OBJECTS = """
dog; cat; horse; pig; rabbit; frog; penguin; butterfly; elephant; tiger; turtle; owl; snail;
bee=honeybee; octopus; crab; snake; whale=spouting whale; spider; fox; lion; cow; duck; bear; shark;
dolphin; eagle; zebra; giraffe; camel; flamingo; panda; hedgehog; parrot; swan; rooster;
apple=red apple; banana; strawberry; pineapple; tomato; carrot; mushroom; pizza; hamburger; doughnut;
watermelon; avocado; pretzel; lollipop; cupcake; car=automobile; bicycle; rocket; airplane;
boat=sailboat; bus; tractor; train=locomotive; helicopter; ambulance; tree=deciduous tree; cactus;
sunflower; rose; house; guitar; drum; violin; key; crown; hat=top hat; umbrella; balloon; bell;
book=closed book; clock=alarm clock; anchor; gift=wrapped gift; camera; ghost; robot; kite; tent;
"""
# These are never seen in training, alone or beside others.
UNSEEN_OBJECTS = """
monkey; wolf; coconut; pumpkin=jack-o-lantern; truck=delivery truck; cloud; lamp=light bulb; sock=socks;
shield; piano=musical keyboard; magnet; ladder
"""
COLOURS = {
    "red": (225, 70, 60), "blue": (70, 110, 225), "green": (80, 170, 90),
    "yellow": (240, 215, 90), "white": (250, 250, 250), "gray": (150, 150, 150),
    "purple": (150, 90, 190), "orange": (240, 150, 60),
}  # fmt: skip
RELATIONS = ["left of", "right of", "above", "below"]
OPPOSITE = {"left of": "right of", "right of": "left of", "above": "below", "below": "above"}
WORDIER = {
    "left of": "to the left of", "right of": "to the right of", "above": "over", "below": "under",
}  # fmt: skip
SIZES = {"small": (26, 29), "": (36, 39), "big": (46, 48)}
NUMBERS = {2: "two", 3: "three", 4: "four"}
IRREGULAR = {"butterfly": "butterflies", "strawberry": "strawberries", "wolf": "wolves"}


def named(table):
    """`name=Unicode name` entries as a dictionary."""
    entries = (entry.strip().split("=") for entry in table.split(";") if entry.strip())
    return {entry[0]: entry[-1] for entry in entries}


def article(words):
    return ("an " if words[0] in "aeiou" else "a ") + words


def plural(noun):
    if noun in IRREGULAR:
        return IRREGULAR[noun]
    return noun + ("es" if re.search("(s|x|sh|ch|to)$", noun) else "s")


@dataclass(frozen=True)
class Thing:
    """An object of a scene."""

    noun: str
    size: str = ""

    @property
    def words(self):
        return article(f"{self.size} {self.noun}".strip())


@dataclass(frozen=True)
class Scene:
    """What is to be seen: two things in a relation, three in a row, several of one, or one."""

    kind: str
    things: tuple
    colour: str
    relation: str = ""  # of the first thing to the second; in a row `right` or `down`
    number: int = 1

    def captions(self):
        """All wordings; the first is the one of held-out scenes."""
        colour = self.colour
        if self.kind == "pair":
            (a, b), r = (thing.words for thing in self.things), self.relation
            o = OPPOSITE[r]
            return [
                f"{a} {r} {b} on {colour}",
                f"{b} {o} {a} on {colour}",
                f"a {colour} picture of {a} {WORDIER[r]} {b}".replace("a orange", "an orange"),
                f"{b} {WORDIER[o]} {a} on {colour}",
            ]
        if self.kind == "row":
            a, b, c = (thing.words for thing in self.things)
            start, end = ("left", "right") if self.relation == "right" else ("top", "bottom")
            return [
                f"{a}, {b} and {c} from {start} to {end} on {colour}",
                f"{c}, {b} and {a} from {end} to {start} on {colour}",
                f"from {start} to {end} {a}, {b} and {c} on {colour}",
            ]
        if self.kind == "count":
            several = f"{NUMBERS[self.number]} {plural(self.things[0].noun)}"
            return [f"{several} on {colour}", f"there are {several} on {colour}"]
        words = self.things[0].words
        return [f"{words} on {colour}", f"there is {words} on {colour}"]

    def tags(self, draw):
        """What is where in a few words, in an order of the draw: text that is no sentence."""
        if self.kind == "count":
            found = [f"{NUMBERS[self.number]} {self.things[0].noun}"]
        else:
            places = {
                "left of": ["left", "right"], "right of": ["right", "left"],
                "above": ["top", "bottom"], "below": ["bottom", "top"],
                "right": ["left", "middle", "right"], "down": ["top", "middle", "bottom"], "": [""],
            }[self.relation]  # fmt: skip
            found = [
                " ".join(filter(None, (thing.size, place, thing.noun)))
                for thing, place in zip(self.things, places)
            ]
        found.append(self.colour)
        draw.shuffle(found)
        return "Seen: " + ", ".join(found)

    def questions(self, nouns, draw):
        """Questions with their answers, in an order of the draw."""
        present = [thing.noun for thing in self.things]
        absent = draw.choice([noun for noun in nouns if noun not in present])
        found = [("which color is the background?", self.colour)]
        asked, answer = (draw.choice(present), "yes") if draw.random() < 0.5 else (absent, "no")
        if self.kind == "count":
            found.append(
                (f"how many {plural(present[0])} are there?", NUMBERS[self.number]))
        else:
            found.append((f"is there {article(asked)}?", answer))
        if self.kind == "pair":
            (a, b), r = present, self.relation
            found.append((f"what is {r} the {b}?", a))
            found.append((f"what is {OPPOSITE[r]} the {a}?", b))
            claimed = draw.choice([r, OPPOSITE[r]])
            found.append((f"is the {a} {claimed} the {b}?", "yes" if claimed == r else "no"))
        if self.kind == "row":
            start, end = (
                ("on the left", "on the right") if self.relation == "right"
                else ("at the top", "at the bottom"))  # fmt: skip
            found += zip(
                [f"what is {start}?", "what is in the middle?", f"what is {end}?"], present)
        if self.kind == "one":
            found.append(("what is in the picture?", present[0]))
        draw.shuffle(found)
        return found

    def drawing(self, draw, drawings):
        """The scene as a picture."""
        from PIL import Image

        picture = Image.new("RGB", (SIDE, SIDE), COLOURS[self.colour])

        def put(thing, x, y, side):
            emoji = drawings[thing.noun].resize((side, side), Image.Resampling.LANCZOS)
            x, y = (min(max(c - side // 2, 0), SIDE - side) for c in (round(x), round(y)))
            picture.paste(emoji, (x, y), emoji)

        def along(places, wander, sides):
            """Things on a line of the given places, from left to right or from the top down."""
            across = self.relation in ("left of", "right of", "right")
            backwards = self.relation in ("right of", "below")
            for thing, place, side in zip(self.things, places[:: -1 if backwards else 1], sides):
                place += draw.randint(-2, 2)
                other = SIDE / 2 + draw.randint(-wander, wander)
                put(thing, *((place, other) if across else (other, place)), side)

        sides = [draw.randint(*SIZES[thing.size]) for thing in self.things]
        if self.kind == "pair":
            along([24, 72], 14, sides)
        elif self.kind == "row":
            along([16, 48, 80], 18, [draw.randint(29, 32) for _ in self.things])
        elif self.kind == "one":
            room = (SIDE - sides[0]) // 2
            put(self.things[0], *(SIDE / 2 + draw.randint(-room, room) for _ in "xy"), sides[0])
        else:
            side = draw.randint(28, 34)
            for x, y in apart(self.number, side, draw):
                put(self.things[0], x, y, side)
        return picture


PLACES = [
    " ".join(filter(None, words)) or "middle"
    for words in itertools.product(["top", "", "bottom"], ["left", "", "right"])
]


@dataclass(frozen=True)
class PlacedThings(Scene):
    """Things in some of nine places, told place by place: what a new image encoder sees first."""

    places: tuple = ()

    def captions(self):
        told = [f"{PLACES[p]} {thing.words}" for p, thing in zip(self.places, self.things)]
        return [f"{', '.join(told)} on {self.colour}"]

    def drawing(self, draw, drawings):
        from PIL import Image

        picture = Image.new("RGB", (SIDE, SIDE), COLOURS[self.colour])
        for place, thing in zip(self.places, self.things):
            side = draw.randint(*SIZES[thing.size]) if len(self.things) == 1 else draw.randint(24, 32)
            emoji = drawings[thing.noun].resize((side, side), Image.Resampling.LANCZOS)
            x, y = (
                min(max(SIDE * (2 * cell + 1) // 6 + draw.randint(-3, 3) - side // 2, 0), SIDE - side)
                for cell in (place % 3, place // 3)
            )
            picture.paste(emoji, (x, y), emoji)
        return picture


def apart(number, side, draw):
    """Middles of things that do not touch."""
    room = (SIDE - side) // 2
    while True:
        places = [
            tuple(SIDE / 2 + draw.randint(-room, room) for _ in "xy") for _ in range(number)]
        if all(
            max(abs(a[0] - b[0]), abs(a[1] - b[1])) >= side + 2
            for a, b in itertools.combinations(places, 2)
        ):
            return places


def is_held_out(*key):
    """A draw that only the key decides."""
    digest = hashlib.sha256("/".join(map(str, key)).encode()).digest()
    return int.from_bytes(digest[:8], "big") / 2**64 < HELD_OUT_SHARE


class Maker:
    """Draws scenes of the train combinations or of the held-out ones."""

    def __init__(self, seed, patience=10_000):
        self.draw = random.Random(seed)
        self.patience = patience
        self.nouns = list(named(OBJECTS))
        self.pairs = {True: [], False: []}
        for pair in itertools.combinations(self.nouns, 2):
            self.pairs[is_held_out("pair", *pair)].append(pair)
        self.held = {frozenset(pair) for pair in self.pairs[True]}
        self.used = set()

    def colour(self):
        return self.draw.choice(list(COLOURS))

    def size(self):
        return self.draw.choice(["", "", "small", "big"])

    def combination(self, count, held):
        """Nouns of which each pair is held out, or none is; none twice while that can be."""
        for attempt in itertools.count():
            if count == 2:
                nouns = self.draw.choice(self.pairs[held])
            else:
                nouns = self.draw.sample(self.nouns, count)
            sides = {frozenset(pair) in self.held for pair in itertools.combinations(nouns, 2)}
            if sides == {held} and (frozenset(nouns) not in self.used or attempt > self.patience):
                self.used.add(frozenset(nouns))
                return self.draw.sample(nouns, count)

    def scene(self, kind, held):
        if kind == "pair":
            things = tuple(Thing(noun, self.size()) for noun in self.combination(2, held))
            return Scene(kind, things, self.colour(), self.draw.choice(RELATIONS))
        if kind == "row":
            things = tuple(map(Thing, self.combination(3, held)))
            return Scene(kind, things, self.colour(), self.draw.choice(["right", "down"]))
        if kind == "count":
            while True:
                noun, number = self.draw.choice(self.nouns), self.draw.choice(list(NUMBERS))
                if is_held_out("count", noun, number) == held:
                    break
            return Scene(kind, (Thing(noun),), self.colour(), number=number)
        return Scene(kind, (Thing(self.draw.choice(self.nouns), self.size()),), self.colour())

    def scenes(self, counts, held):
        """So many distinct scenes of each kind, mixed."""
        found = {}
        for kind, count in counts.items():
            goal, repeats = len(found) + count, 0
            while len(found) < goal:
                scene = self.scene(kind, held)
                repeats = repeats + 1 if scene.captions()[0] in found else 0
                if repeats > self.patience:
                    raise SystemExit(f"there are not {count} distinct scenes of the kind {kind}")
                found.setdefault(scene.captions()[0], scene)
        found = list(found.values())
        self.draw.shuffle(found)
        return found

    def related_scenes(self, counts):
        """So many distinct train scenes of each kind, mixed, those that differ in little together."""
        found, groups = set(), []
        for kind, count in counts.items():
            goal = len(found) + count
            while len(found) < goal:
                group = self.group(kind)[: goal - len(found)]
                captions = {scene.captions()[0] for scene in group}
                if not captions & found:
                    found |= captions
                    groups.append(group)
        self.draw.shuffle(groups)
        return [scene for group in groups for scene in group]

    def group(self, kind):
        """Train scenes that differ in little."""
        if kind == "pair":
            return self.hard_group(False)
        scene = self.scene(kind, False)
        if kind == "row":
            a, b, c = scene.things
            return [scene, replace(scene, things=self.draw.choice([(b, a, c), (a, c, b), (c, b, a)]))]
        return [scene]

    def hard_group(self, held):
        """A pair, and three that differ in its order, its relation, and its colour or a size."""
        scene = self.scene("pair", held)
        a, b = scene.things
        lying = (scene.relation, OPPOSITE[scene.relation])
        turned = self.draw.choice([relation for relation in RELATIONS if relation not in lying])
        if self.draw.random() < 0.5:
            colour = self.draw.choice([colour for colour in COLOURS if colour != scene.colour])
            last = replace(scene, colour=colour)
        else:
            size = self.draw.choice([size for size in SIZES if size != a.size])
            last = replace(scene, things=(replace(a, size=size), b))
        return [scene, replace(scene, things=(b, a)), replace(scene, relation=turned), last]

    def placed_things(self):
        """One to four things, no two of which are held out as a pair."""
        count = self.draw.choice([1, 2, 3, 4])
        if count == 1:
            things = (Thing(self.draw.choice(self.nouns), self.size()),)
        else:
            things = tuple(map(Thing, self.combination(count, False)))
        places = tuple(self.draw.sample(range(len(PLACES)), count))
        return PlacedThings("one", things, self.colour(), places=places)

    def unseen(self):
        """A thing that training never shows beside one that it does."""
        nouns = [self.draw.choice(list(named(UNSEEN_OBJECTS))), self.draw.choice(self.nouns)]
        self.draw.shuffle(nouns)
        things = tuple(map(Thing, nouns))
        return Scene("pair", things, self.colour(), self.draw.choice(RELATIONS))


def conversation(questions):
    """Questions and answers in LLaVA's layout."""
    turns = []
    for number, (question, answer) in enumerate(questions):
        image = "<image>\n" if number == 0 else ""
        turns.append({"from": "human", "value": image + question})
        turns.append({"from": "gpt", "value": answer})
    return turns


def encoded(value):
    return json.dumps(value, ensure_ascii=False)


def write_lines(path, records):
    path.write_text("".join(encoded(record) + "\n" for record in records), encoding="utf-8")


def write_list(path, records):
    lines = ",\n".join(map(encoded, records))
    path.write_text(f"[\n{lines}\n]\n", encoding="utf-8")


def write_texts(path):
    """All that can be said of many scenes of the train combinations."""
    maker = Maker(SEED, patience=0)
    draw = random.Random(SEED)
    records = []
    for scene in maker.scenes(TEXTS, held=False):
        answers = [
            f"Question: {question} Short answer: {answer}"
            for question, answer in scene.questions(maker.nouns, draw)
        ]
        tags = [scene.tags(draw) for _ in range(TAG_LISTS)]
        texts = scene.captions() + answers + tags
        records.append({"image": f"{len(records):05d}.webp", "caption": texts})
    write_lines(path, records)


def object_drawings():
    """Each object's emoji, cut to what is drawn and centred in a square."""
    from emoji import Drawings, spoken_names
    from PIL import Image

    characters = {name: text for text, name in spoken_names().items()}
    font = Drawings()
    drawings = {}
    for noun, name in (named(OBJECTS) | named(UNSEEN_OBJECTS)).items():
        drawing = font[characters[name]]
        drawing = drawing.crop(drawing.getchannel("A").getbbox())
        square = Image.new("RGBA", (max(drawing.size),) * 2)
        square.paste(drawing, tuple((square.width - side) // 2 for side in drawing.size))
        drawings[noun] = square
    return drawings


class Writer:
    """Draws scenes and writes them below a folder."""

    def __init__(self, folder, nouns):
        self.folder = folder
        self.nouns = nouns
        self.draw = random.Random(SEED + 1)
        self.drawings = object_drawings()

    def picture(self, scene):
        file = io.BytesIO()
        scene.drawing(self.draw, self.drawings).save(file, **WEBP)
        return file.getvalue()

    def shards(self, folder, scenes):
        """Shards with captions and dialogues; gives each scene's picture."""
        folder.mkdir(parents=True, exist_ok=True)
        for first in range(0, len(scenes), SHARD_SIZE):
            path = folder / f"scenes-{first // SHARD_SIZE:02d}.tar"
            with tarfile.open(path, "w", format=tarfile.USTAR_FORMAT) as tar:
                for number, scene in enumerate(scenes[first : first + SHARD_SIZE], first):
                    picture = self.picture(scene)
                    questions = scene.questions(self.nouns, self.draw)[:QUESTIONS_IN_SHARDS]
                    texts = {
                        "captions": scene.captions(), "conversations": conversation(questions)
                    }  # fmt: skip
                    for ending, content in (("json", encoded(texts).encode()), ("webp", picture)):
                        member = tarfile.TarInfo(f"{number:05d}.{ending}")
                        member.size, member.mode = len(content), 0o644
                        tar.addfile(member, io.BytesIO(content))
                    yield picture

    def train(self, scenes):
        """Shards, and the first scenes as files besides."""
        loose = []
        for number, picture in enumerate(self.shards(self.folder / "train", scenes)):
            if number < LOOSE_TRAIN:
                name = f"images/train-{number:05d}.webp"
                (self.folder / name).write_bytes(picture)
                loose.append({"image": name, "caption": scenes[number].captions()})
        write_lines(self.folder / "train.jsonl", loose)

    def held_out(self, name, prefix, scenes):
        """A list with one caption of each scene, and the questions about them."""
        records, asked = [], []
        for number, scene in enumerate(scenes):
            identifier = f"{prefix}-{number:03d}"
            image = f"images/{identifier}.webp"
            (self.folder / image).write_bytes(self.picture(scene))
            caption = [scene.captions()[0]]
            records.append({"image": image, "caption": caption, "image_id": identifier})
            asked.append((identifier, image, scene.questions(self.nouns, self.draw)))
        write_lines(self.folder / name, records)
        return asked

    def questions(self, asked):
        write_list(
            self.folder / "questions.json",
            [
                {"image": image, "question_id": f"{identifier}-{number}", "question": question,
                 "answer": [answer] * VQA_ANSWERS}
                for identifier, image, questions in asked
                for number, (question, answer) in enumerate(questions[:QUESTIONS_ASKED])
            ],
        )  # fmt: skip
        write_list(
            self.folder / "dialogues.json",
            [
                {"id": identifier, "image": image, "conversations": conversation(questions)}
                for identifier, image, questions in asked
            ],
        )

    def vocabulary(self, scenes):
        """The words of all captions as a BERT vocabulary; a plural is its noun and an ending."""
        words = {
            word for scene in scenes for caption in scene.captions()
            for word in re.findall(r"\w+|,", caption)
        }  # fmt: skip
        endings = ("s", "es")
        regular = {noun + ending for noun in words for ending in endings} & words
        special = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
        lines = special + ["##" + ending for ending in endings] + sorted(words - regular)
        (self.folder / "vocab.txt").write_text("\n".join(lines) + "\n", encoding="utf-8")


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--texts", type=Path, metavar="FILE")
    parser.add_argument("--encoder-scenes", type=Path, metavar="FOLDER")
    parser.add_argument("--output", type=Path, default=Path(__file__).resolve().parent / "demo")
    arguments = parser.parse_args()
    if arguments.texts:
        write_texts(arguments.texts)
        return
    if arguments.encoder_scenes:
        maker = Maker(SEED, patience=0)
        scenes = [maker.scene(kind, False) for kind, count in ENCODER.items() for _ in range(count)]
        maker.draw.shuffle(scenes)
        things = [maker.placed_things() for _ in range(ENCODER_THINGS)]
        writer = Writer(arguments.encoder_scenes, maker.nouns)
        for name, drawn in (("scenes", scenes), ("things", things)):
            for _ in writer.shards(writer.folder / name, drawn):
                pass
        writer.vocabulary(scenes + things)
        return

    from emoji import COPYRIGHTS

    folder = arguments.output
    for name in ("images", "train", "LICENSES"):
        shutil.rmtree(folder / name, ignore_errors=True)
        (folder / name).mkdir(parents=True)
    for name, source in COPYRIGHTS.items():
        shutil.copyfile(source, folder / "LICENSES" / name)

    maker = Maker(SEED)
    train = maker.related_scenes(TRAIN)
    held_out = maker.scenes(HELD_OUT, held=True)
    hard = [scene for _ in range(HARD_GROUPS) for scene in maker.hard_group(True)]
    unseen = [maker.unseen() for _ in range(UNSEEN_SCENES)]

    writer = Writer(folder, maker.nouns)
    writer.train(train)
    writer.questions(writer.held_out("heldout.jsonl", "heldout", held_out))
    writer.held_out("heldout-hard.jsonl", "hard", hard)
    writer.held_out("heldout-unseen.jsonl", "unseen", unseen)
    writer.vocabulary(train + held_out + hard + unseen)
    size = sum(path.stat().st_size for path in (folder / "images").iterdir())
    print(f"{len(train)} train scenes, {len(held_out)} held out, {len(hard)} hard, {len(unseen)} unseen")
    print(f"{len(maker.nouns)} objects, {len(maker.held)} held-out pairs; {size} bytes of loose pictures")


if __name__ == "__main__":
    main()
