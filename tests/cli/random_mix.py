#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""random_mix.py KVMAP [SEED]: runs scripts of random operations (mixes.py); none may have a finding.

A refusal for want of memory, and what follows from it, is no failure; every other refusal is one, unless the script
expects it. With SEED, one script, which is printed. Environment: RANDOM_SEEDS (default 40) seeds from RANDOM_FIRST
(default 1) on, RANDOM_JOBS (default 1) at the same time.
"""
import collections
import concurrent.futures
import json
import os
import re
import subprocess
import sys
import tempfile

from mixes import Mix

# Names of include/kvmap/status.h: refusals that a lack of memory, or a failed allocation, leads to.
WITHOUT_MEMORY = ["REFUSED_NO_MEMORY", "REFUSED_TOO_LARGE", "REFUSED_UNSET", "REFUSED_NOT_FILLED"]

Outcome = collections.namedtuple("Outcome", "trouble no_memory")


def headers():
    return os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../include/kvmap")


def words(header, table, column):
    """The words of a column of the table KVMAP_TABLE of a header."""
    with open(os.path.join(headers(), header), encoding="ascii") as text:
        body = re.search(rf"#define KVMAP_{table}\(X\)(.*?)\n(?!\t)", text.read(), re.S).group(1)
    rows = [re.split(r",\s*", row) for row in re.findall(r"X\(([^\n]*)", body)]
    return [row[column].strip('")') for row in rows]


def wordings():
    with open(os.path.join(headers(), "status.h"), encoding="ascii") as text:
        return dict(re.findall(r'X\((\w+), \d+, "([^"]*)"\)', text.read()))


WORDINGS = wordings()


def not_generated():
    """Words of the language that no script of the first 1,000 seeds has."""
    text = "\n".join(Mix(seed).script() for seed in range(1, 1001))
    found = set(re.findall(r"[\w-]+", text))
    wanted = set(words("opcode.h", "OPERATIONS", 3)) - {"touch"}  # `expect fault`
    wanted |= {"expect fault " + kind for kind in words("operation.h", "FAULT_KINDS", 2)}
    wanted |= {"crash " + how for how in words("operation.h", "CRASHES", 2)} - {"crash hang"}  # a time limit ends it
    wanted |= {"pair " + name for name in words("operation.h", "FUNCTIONS", 1)}
    wanted |= {"policy " + name for name in words("boot.h", "POLICIES", 2)}
    wanted |= set(words("gfp.h", "GFP_FLAGS", 0)) | set(words("gfp.h", "GFP_COMBINATIONS", 0))
    wanted |= {"cpus", "nodes", "memory", "repeat", "parallel", "in interrupt", "on cpu", "holes", "expect refused"}
    return sorted(word for word in wanted if word not in (text if re.search("[ -]", word) else found))


def unexpected(line, mix):
    """Whether an operation's line says what no lack of memory explains."""
    if line["status"] == "done" or line["expected"] == "refused" and line["status"] == "refused":
        return False
    return line["status"] != "refused" or not any(line["outcome"].endswith(WORDINGS[name]) for name in WITHOUT_MEMORY)


def run_mix(kvmap, seed, folder):
    mix, path = Mix(seed), os.path.join(folder, f"mix-{seed}.kvs")
    with open(path, "w", encoding="ascii") as out:
        out.write(mix.script())
    run = subprocess.run([kvmap, "run", path, "--json", "--timeout", "1000", *mix.options], capture_output=True, text=True,
                         check=False)
    os.unlink(path)
    lines = [json.loads(line) for line in run.stdout.splitlines()]
    done = [line for line in lines if line["type"] == "operation"]
    verdict = [line["findings"] for line in lines if line["type"] == "verdict"]
    wrong = [line for line in done if unexpected(line, mix)]
    # A crash is the last operation, and the only finding.
    wrong += [line for line in lines if line["type"] == "finding" and not (mix.crashes and "runs to its end" in line["claimed"])]
    if run.returncode not in ([1] if mix.crashes else [0, 2]) or verdict != [int(mix.crashes)]:
        wrong.insert(0, f"status {run.returncode}, findings {verdict}, {run.stderr[:500]}")
    # Refusals of what single frames can meet, without those of --fail-allocation and of what only takes memory.
    no_memory = sum(line["outcome"] == "REFUSED: " + WORDINGS["REFUSED_NO_MEMORY"] and not line["text"].startswith("rest") and
                    (line["size"] <= 4096 or "kmalloc" not in line["name"]) for line in done)
    return Outcome([str(line) for line in wrong], no_memory)


def print_mix(seed):
    mix = Mix(seed)
    print(f"# kvmap run mix.kvs {' '.join(mix.options)}", *mix.script().splitlines(), sep="\n# ")


def main():
    kvmap = sys.argv[1]
    seeds = [int(word) for word in sys.argv[2:]]
    first, count = int(os.environ.get("RANDOM_FIRST", 1)), int(os.environ.get("RANDOM_SEEDS", 40))
    wrong, without = [], 0
    if seeds:
        print_mix(seeds[0])
    seeds = seeds or range(first, first + count)
    with tempfile.TemporaryDirectory() as folder, \
            concurrent.futures.ThreadPoolExecutor(int(os.environ.get("RANDOM_JOBS", 1))) as pool:
        for seed, outcome in zip(seeds, pool.map(lambda seed: run_mix(kvmap, seed, folder), seeds)):
            without += outcome.no_memory > 0
            if outcome.trouble:
                wrong.append(seed)
                print(f"# seed {seed}; once more: {os.path.relpath(__file__)} {kvmap} {seed}", *outcome.trouble[:5], sep="\n# ")
                print_mix(seed)
            sys.stdout.flush()
    missing = not_generated()
    print("1..3")
    print(f"{'not ' if wrong else ''}ok 1 - {len(seeds)} mixes of operations; with findings: {len(wrong)} {wrong}")
    print(f"{'' if without * 2 > len(seeds) or len(seeds) == 1 else 'not '}ok 2 - memory ran out in {without} of {len(seeds)}")
    print(f"{'not ' if missing else ''}ok 3 - every operation, flag and kind of fault is generated {missing or ''}")
    return bool(wrong or missing)


sys.exit(main())
