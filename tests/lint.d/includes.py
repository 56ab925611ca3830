# SPDX-License-Identifier: MIT
"""The source files of host and guest, their rooms and their includes; for the parts that check them."""
import pathlib
import re

INCLUDE = re.compile(r'\s*#\s*include\s*(["<])([^">]+)[">]')
# An include in any spelling, once comments are blank, and in the only one that is allowed.
ANY_INCLUDE = re.compile(r'\s*(?:#|%:|\?\?=)\s*(?:include|include_next|import|embed)\b|\s*\.(?:include|incbin)\b')
PLAIN_INCLUDE = re.compile(r'#include (?:"[^"]+"|<[^>]+>)(?:\s+(?://.*|/\*.*))?(?<!\\)$')
COMMENT_OR_STRING = re.compile(r'"(?:\\.|[^"\\\n])*"|\'(?:\\.|[^\'\\\n])*\'|/\*.*?\*/|//[^\n]*', re.DOTALL)
SUFFIXES = ('.c', '.h', '.S')
NO_SOURCES = ('guest/guest.ld', 'guest/rooms')
# Search paths of the compilers: the folders of -I in vmm/meson.build and guest/meson.build.
SEARCHED = {'vmm': ['vmm', 'include'], 'guest': ['guest', 'guest/arch/x86_64/include', 'include'], 'include': ['include']}


def files():
    """Every C and assembly file of the product, as a path from the root of the tree."""
    return sorted(path for top in SEARCHED for path in pathlib.Path(top).rglob('*') if path.suffix in SUFFIXES)


def unknown_files():
    """Files of the product that are no source: only the compiler would see their includes."""
    return sorted(path for top in SEARCHED for path in pathlib.Path(top).rglob('*')
                  if path.is_file() and path.suffix not in SUFFIXES and path.name != 'meson.build' and str(path) not in NO_SOURCES)


def blank(text):
    """Spaces in place of text; line breaks stay, so that offsets and lines do, too."""
    return '\n'.join(' ' * len(line) for line in text.split('\n'))


def code(text):
    """C without its comments and the contents of its strings: both blank, quotes kept."""
    def replace(match):
        token = match[0]
        return blank(token) if token[0] == '/' else token[0] + blank(token[1:-1]) + token[-1]
    return COMMENT_OR_STRING.sub(replace, text)


def hidden_includes(path):
    """(line number, line) for each include that includes() may not see: only `#include "..."` and `#include <...>` are plain."""
    lines = path.read_text().splitlines()
    logical = []
    numbers = []
    for number, line in enumerate(lines, 1):
        if number > 1 and lines[number - 2].endswith('\\'):
            logical[-1] = logical[-1][:-1] + line
        else:
            logical.append(line)
            numbers.append(number)
    for number, line in zip(numbers, code('\n'.join(logical)).split('\n')):
        if ANY_INCLUDE.match(line) and not PLAIN_INCLUDE.match(lines[number - 1]):
            yield number, lines[number - 1].strip()


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
