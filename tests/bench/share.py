#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Where the time of the empty script goes, in turn with the bare program.

Usage: share.py COUNT BARE KVMAP SCRIPT [KVMAP...]. The parts are those that kvmap reports; "the host's share" is all but
the guest's run. Each is compared with the whole run of the bare program: minima, lower quartiles, medians.
"""
import json
import os
import sys
import time

PARTS = {
    'process': lambda line: line['process_ns'],
    'KVM set-up': lambda line: line['kvm_ns'],
    'verification': lambda line: line['verify_ns'],
    'the rest': lambda line: line['total_ns'] - sum(line[name] for name in ('process_ns', 'kvm_ns', 'guest_ns', 'verify_ns')),
    "the host's share": lambda line: line['total_ns'] - line['guest_ns'],
    'guest': lambda line: line['guest_ns'],
    'exec to exit': lambda line: line['whole_ns'],
}


def run(arguments):
    """Runs a command. Returns its time from exec to exit in ns, and its output."""
    reader, writer = os.pipe()
    start = time.monotonic_ns()
    pid = os.posix_spawn(arguments[0], arguments, os.environ,
                         file_actions=[(os.POSIX_SPAWN_DUP2, writer, 1), (os.POSIX_SPAWN_CLOSE, reader)])
    os.waitpid(pid, 0)
    spent = time.monotonic_ns() - start
    os.close(writer)
    with os.fdopen(reader) as pipe:
        return spent, pipe.read()


def run_kvmap(program, script):
    """Returns the line `time` of the report."""
    spent, output = run([program, 'run', script, '--json'])
    for line in map(json.loads, output.splitlines()):
        if line['type'] == 'time':
            return line | {'whole_ns': spent}
    sys.exit(f'share.py: {program} printed no times')


def three(values):
    """Minimum, lower quartile and median."""
    values = sorted(values)
    return values[0], values[len(values) // 4], values[len(values) // 2]


def main():
    count, bare, first, script, *others = sys.argv[1:]
    programs = [first, *others]
    bare_ns, lines = [], {program: [] for program in programs}
    for turn in range(int(count) + 1):
        spent = run([bare])[0]
        results = [(program, run_kvmap(program, script)) for program in programs]
        if turn:  # the first one warms caches
            bare_ns.append(spent)
            for program, line in results:
                lines[program].append(line)
    whole = three(bare_ns)
    print('%-18s' % 'bare', '   '.join('%7.3f ms' % (value / 1e6) for value in whole), '  minimum, quartile, median')
    for program in programs:
        print(program)
        for name, part in PARTS.items():
            values = three([part(line) for line in lines[program]])
            print('  %-16s' % name, '   '.join('%7.3f ms' % (value / 1e6) for value in values),
                  '  times bare:', ' '.join('%.2f' % (value / other) for value, other in zip(values, whole)))


if __name__ == '__main__':
    main()
