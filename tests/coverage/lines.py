# SPDX-License-Identifier: MIT
"""lines.py: which lines of vmm have code, by gcov's notes in a build folder, and which of them were run."""
import collections
import json
import pathlib
import subprocess
import sys

FILES_A_CALL = 64


def gcov(build):
    """gcov's report on each source of each object of vmm that has notes of the compiler, run or not."""
    notes = sorted(str(path.resolve()) for path in (build / 'vmm').rglob('*.gcno'))
    for start in range(0, len(notes), FILES_A_CALL):
        result = subprocess.run(['gcov', '--json-format', '--stdout'] + notes[start:start + FILES_A_CALL],
                                cwd=build, check=True, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
        for line in result.stdout.splitlines():
            if line.strip():
                yield from json.loads(line)['files']


def read_lines(build, root):
    """For each file of vmm, relative to the root: line number -> was it run."""
    lines = collections.defaultdict(dict)
    for source in gcov(build):
        try:
            path = (build / source['file']).resolve().relative_to(root)
        except ValueError:
            continue
        if path.parts[0] == 'vmm':
            for line in source['lines']:
                number = line['line_number']
                lines[path][number] = lines[path].get(number, False) or line['count'] > 0
    return lines


def listed(path):
    """The files that a list names; a line that names none is an error, since files move."""
    for line in pathlib.Path(path).read_text().splitlines():
        pattern = line.split('#')[0].strip()
        if not pattern:
            continue
        files = sorted(pathlib.Path().glob(pattern))
        if not files:
            sys.exit(f'coverage: {path} names {pattern}, which is no file')
        yield from files
