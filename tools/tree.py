"""What the checks share: how they are called, how they read C, how they complain.

Every check is called in the same way:  check-NAME [--build DIR] [--comity PATH] [ROOT]
It prints one line for each problem, `path:line: what`, and ends with 1; with nothing to say it ends with 0.
tools/test-checks shows for each of them that it can fail.
"""
import argparse
import os
import re
import sys


class Tree:
    def __init__(self):
        p = argparse.ArgumentParser()
        p.add_argument("--build", help="build folder with compile_commands.json")
        p.add_argument("--comity", help="the program")
        p.add_argument("root", nargs="?", default=os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
        given = p.parse_args()
        self.root = os.path.abspath(given.root)
        self.build, self.comity = given.build, given.comity
        self.problems = set()

    def say(self, path, line, what):
        self.problems.add((path, line, what))

    def end(self):
        for path, line, what in sorted(self.problems):
            print(f"{path}:{line}: {what}")
        sys.exit(1 if self.problems else 0)

    def read(self, path):
        with open(os.path.join(self.root, path), encoding="utf-8", errors="replace") as f:
            return f.read()

    def exists(self, path):
        return os.path.exists(os.path.join(self.root, path))

    def list(self, folder, *endings):
        """Files below a folder, as paths from the root; nothing that begins with a dot."""
        found = []
        for here, folders, files in os.walk(os.path.join(self.root, folder)):
            folders[:] = sorted(f for f in folders if not f.startswith("."))
            for name in sorted(files):
                if not name.startswith(".") and (not endings or name.endswith(endings)):
                    found.append(os.path.relpath(os.path.join(here, name), self.root))
        return found

    def chapters(self):
        m = re.search(r"^chapters = \[(.*?)^\]", self.read("meson.build"), re.M | re.S)
        return re.findall(r"^\s*'(\w+)'", m.group(1), re.M) if m else []


def chapter_of(path):
    """src/log/note.c is of chapter log."""
    return path.split("/")[1]


def is_test(path):
    return os.path.basename(path).startswith(("test-", "fuzz-"))


TOKEN = re.compile(r"//[^\n]*|/\*.*?\*/|\"(?:\\.|[^\"\\\n])*\"|'(?:\\.|[^'\\\n])*'", re.S)


def _blank(text):
    return re.sub(r"[^\n]", " ", text)


def code_of(text):
    """C without comments and with empty literals; every character stays at its place."""
    def replace(m):
        t = m.group(0)
        return _blank(t) if t[0] == "/" else t[0] + _blank(t[1:-1]) + t[-1]
    return TOKEN.sub(replace, text)


def strings_of(text):
    """(line, content) of each string literal, outside comments and #include."""
    found = []
    for m in TOKEN.finditer(text):
        begin = text.rfind("\n", 0, m.start()) + 1
        if m.group(0)[0] == '"' and not re.match(r"\s*#\s*include", text[begin:m.start()]):
            found.append((line_at(text, m.start()), m.group(0)[1:-1]))
    return found


def line_at(text, at):
    return text.count("\n", 0, at) + 1


def calls_of(code, names):
    """(line, name, arguments) of each call of one of these functions in what code_of returned."""
    found = []
    for m in re.finditer(r"(?<![\w.>])(" + names + r")\s*\(", code):
        depth, at = 1, m.end()
        while at < len(code) and depth > 0:
            depth += {"(": 1, ")": -1}.get(code[at], 0)
            at += 1
        found.append((line_at(code, m.start()), m.group(1), code[m.end():at - 1]))
    return found
