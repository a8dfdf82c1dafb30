#!/bin/sh
# Makes the archives beside this script: one small set of files, packed by GNU tar in its formats and
# by Python's tarfile. Tests read the archives; this is how they came to be.
set -e
here=$(cd "$(dirname "$0")" && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
python3 - <<'PYTHON'
import os, struct, zlib

def picture(path, red):
    def chunk(kind, body):
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))
    header = struct.pack(">IIBBBBB", 2, 2, 8, 2, 0, 0, 0)
    rows = b"".join(b"\0" + bytes([red, 0, column]) * 2 for column in (0, 255))
    with open(path, "wb") as file:
        file.write(b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b""))

def text(path, words):
    with open(path, "w") as file: file.write(words)

os.makedirs("set/a")
picture("set/a/000.png", 10); text("set/a/000.txt", "a red thing\n")
long = "set/" + "long-folder-" * 8 + "x/" + "long-name-" * 9
os.makedirs(os.path.dirname(long))
picture(long + ".PNG", 20)
text(long + ".json", '{"captions": ["one", "two"], "image_id": 7, "url": "http://x"}')
picture("set/é.png", 30); text("set/é.txt", "ein Café"); text("set/é.json", '{"caption": null, "image_id": "x"}')
picture("set/lonely.png", 40); text("set/mute.txt", "no picture"); text("set/notes.cls", "3")
os.symlink("a/000.png", "set/link.png")
PYTHON
pack() { tar --sort=name --mtime=@0 --owner=0 --group=0 --numeric-owner -b 1 "$@" ./set; }
for format in gnu ustar posix; do
  pack --format=$format -cf "$here/$format.tar"
done
truncate -s 1M set/hole.png
pack --format=gnu --sparse -cf "$here/gnu-sparse.tar"
pack --format=posix --sparse -cf "$here/posix-sparse.tar"
rm set/hole.png
HERE=$here python3 - <<'PYTHON'
import os, tarfile
with tarfile.open(os.environ["HERE"] + "/python.tar", "w", format=tarfile.PAX_FORMAT) as archive:
    def plain(member):
        member.mtime, member.uid, member.gid, member.uname, member.gname = 0, 0, 0, "", ""
        return member
    archive.add("set", filter=plain)
PYTHON
