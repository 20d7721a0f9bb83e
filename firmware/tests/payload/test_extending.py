# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""Does what docs/extending.md says under 'Adding a message', in a copy of the tree."""

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import on_micropython
import pytest
import quickjs

ROOT = Path(__file__).resolve().parents[3]
PAGE = ROOT / "docs" / "extending.md"
FENCE = re.compile(r"^```(\w+)(?: (\S+))?\n(.*?)^```$", re.M | re.S)


def blocks():
    """(language, path or "", text) of the section, in order."""
    section = PAGE.read_text(encoding="utf-8").split("## Adding a message\n")[1].split("\n## ")[0]
    return FENCE.findall(section)


def apply(path, diff):
    """Lines that begin with a space must be there, one behind the other; with +, they come in."""
    old = "".join(line[1:] for line in diff.splitlines(True) if line[0] == " ")
    new = "".join(line[1:] for line in diff.splitlines(True))
    text = path.read_text(encoding="utf-8")
    assert text.count(old) == 1, f"the page shows lines that are not in {path.name}: {old}"
    path.write_text(text.replace(old, new), encoding="utf-8")


def run(tree, *arguments):
    """Python in the copy, which comes before the installed package."""
    paths = os.pathsep.join([str(tree / "firmware"), str(ROOT / "gateway")])
    environment = {**os.environ, "PYTHONPATH": paths, "PYTHONDONTWRITEBYTECODE": "1"}
    done = subprocess.run(
        [sys.executable, *arguments],
        cwd=tree,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def tree(tmp_path_factory):
    """The copy after steps 1 to 3."""
    tree = tmp_path_factory.mktemp("tree")
    for name in ("firmware/revier_payload", "docs/protocol", "tools"):
        shutil.copytree(ROOT / name, tree / name, ignore=shutil.ignore_patterns("__pycache__"))
    written = 0
    for language, path, text in blocks():
        if language == "python" and path:
            (tree / path).write_text(text, encoding="utf-8")
        elif language == "diff":
            apply(tree / path, text)
        elif language == "sh" and "--vector" not in text:
            assert text == "python tools/payload.py\n"
            written = run(tree, "tools/payload.py").count("wrote ")
    assert written == 4, "packer, readings, codec and page"
    assert run(tree, "tools/payload.py", "--check") == ""
    return tree


def snippets():
    return "\n".join(text for language, path, text in blocks() if language == "python" and not path)


def test_the_page_has_all_of_its_blocks():
    assert [language for language, _, _ in blocks()].count("diff") == 3
    assert snippets().count("assert") == 3


def test_packed_and_read_as_the_page_says(tree):
    assert run(tree, "-c", snippets() + "\nprint(data.hex())") == "5e287ffc00\n"


def test_the_node_packs_the_same(tree):
    code = f"import sys; sys.path.insert(0, {str(tree / 'firmware')!r})\n"
    code += snippets().split("from revier_payload.readings")[0]
    code += "\nfrom binascii import hexlify\nprint(hexlify(data).decode())"
    done = subprocess.run(
        on_micropython.command("-c", code), capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stdout.strip()) == (0, "5e287ffc00"), done.stderr


def test_the_network_server_reads_it(tree):
    context = quickjs.Context()
    context.eval((tree / "firmware/revier_payload/codec.js").read_text(encoding="utf-8"))
    data = json.dumps(list(bytes.fromhex("5e287ffc00")))
    answer = json.loads(context.eval(f"JSON.stringify(decodeUplink({{fPort: 40, bytes: {data}}}))"))
    assert answer["data"] == {
        "seq": 188, "laeq": 52.3, "lamax": None, "battery": 3.6, "status": [],
        "missing": ["lamax"], "message": "noise",
    }  # fmt: skip


def test_the_vector_that_the_page_prints(tree):
    (command,) = [text for language, _, text in blocks() if language == "sh" and "--vector" in text]
    _, script, *rest = __import__("shlex").split(command)
    found = json.loads(run(tree, script, *rest))
    assert (found["bytes"], found["object"]["laeq"]) == ("5e287ffc00", 52.3)


def test_the_page_tells_of_it(tree):
    page = (tree / "docs/protocol/payload.md").read_text(encoding="utf-8")
    assert "| 40 | up | `noise` | 5 B | Noise level of the last minutes |" in page
