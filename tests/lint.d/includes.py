# SPDX-License-Identifier: MIT
"""The source files of host and guest, their rooms and their includes; for the parts that check them."""
import pathlib
import re

INCLUDE = re.compile(r'\s*#\s*include\s*(["<])([^">]+)[">]')
COMMENT_OR_STRING = re.compile(r'"(?:\\.|[^"\\\n])*"|\'(?:\\.|[^\'\\\n])*\'|/\*.*?\*/|//[^\n]*', re.DOTALL)
# Search paths of the compilers: the folders of -I in vmm/meson.build and guest/meson.build.
SEARCHED = {'vmm': ['vmm', 'include'], 'guest': ['guest', 'guest/arch/x86_64/include', 'include'], 'include': ['include']}


def files():
    """Every C and assembly file of the product, as a path from the root of the tree."""
    return sorted(path for top in SEARCHED for path in pathlib.Path(top).rglob('*') if path.suffix in ('.c', '.h', '.S'))


def blank(text):
    """Spaces in place of text; line breaks stay, so that offsets and lines do, too."""
    return re.sub(r'[^\n]', ' ', text)


def code(text):
    """C without its comments and the contents of its strings: both blank, quotes kept."""
    def replace(match):
        token = match[0]
        return blank(token) if token[0] == '/' else token[0] + blank(token[1:-1]) + token[-1]
    return COMMENT_OR_STRING.sub(replace, text)


def includes(path):
    """(line number, is it in quotes, what it names) for each include of a file."""
    for number, line in enumerate(path.read_text().splitlines(), 1):
        if match := INCLUDE.match(line):
            yield number, match[1] == '"', match[2]


def resolve(path, name):
    """The file of the tree that an include names, or None: a header of the system, or one that the build makes."""
    for folder in [path.parent] + SEARCHED[path.parts[0]]:
        if (pathlib.Path(folder) / name).is_file():
            return pathlib.Path(folder) / name
    return None
