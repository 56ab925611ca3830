#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""run.py KVMAP SOURCE BUILD [--sample [DAY]] [--jobs N] [--only NAME] [--table FILE]: the mutants of the guest.

Each mutant of tests/mutants/source/guest is compiled into a guest of its own, which runs scripts of its own and of random
operations, verified every few operations, until a rule of the verifier has a finding. The table: mutant, file, kind, by what
it was found, after how many operations. A mutant that only an oops, a hang or a script's own expectation shows is not found.
Last line: `mutants: F found of N, E equivalent`. Exit status 1 if one is neither found nor equivalent.
--sample: a tenth of them, another one each day.
"""
import argparse
import collections
import concurrent.futures
import datetime
import json
import os
import re
import subprocess
import sys
import tempfile

from mutants import Builder, parse_folder

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "../../cli"))
from mixes import Mix  # noqa: E402  pylint: disable=wrong-import-position

# Random scripts, shorter than those of random_mix, each on the machine that its seed determines.
SEEDS = range(1, 41)
BETWEEN = 4  # operations from one verification to the next
TARGETS = {False: "guest/kvmap-guest.elf", True: "guest/kvmap-guest-locks.elf"}
# Findings of the checks of locks (--debug-locks), which are rules, too.
LOCK_RULES = r"^a lock is "
# Operations that small scripts of a mutant run on, where it names no machine.
MACHINES = [["1", "strict"], ["2", "lazy", "--log"], ["1", "eager", "--log"]]

Outcome = collections.namedtuple("Outcome", "rule operations trouble")


class Roomy(Mix):
    """Random operations that nothing has taken the memory from: of every three scripts two."""

    def take_memory(self):
        if self.memory < 16:
            super().take_memory()


def rule_number(rule):
    return int(rule[1:]) if rule[1:].isdigit() else 99


def verified(lines):
    """The lines of a script with a verification after every few operations outside of blocks."""
    out, since, depth = [], 0, 0
    for line in lines:
        word = line.split()[0] if line.split() else ""
        if word == "crash":
            continue
        out.append(line)
        depth += (word in ("repeat", "parallel")) - (word == "end")
        since += 1
        if depth == 0 and since >= BETWEEN and word not in ("cpus", "nodes", "memory", "policy"):
            out.append("verify")
            since = 0
    return out + ["verify"]


def run(kvmap, guest, lines, options, folder):
    """Runs a script; by which rules it has findings, after how many operations."""
    path = os.path.join(folder, "script.kvs")
    with open(path, "w", encoding="ascii") as out:
        out.write("\n".join(lines) + "\n")
    try:
        done = subprocess.run([kvmap, "run", path, "--guest", guest, "--json", "--timeout", "20", *options], capture_output=True,
                              text=True, errors="replace", check=False, timeout=120)
    except subprocess.TimeoutExpired:
        return Outcome([], 0, "the program hangs")
    rules, trouble, operations, seen = set(), "", 0, None
    for text in done.stdout.splitlines():
        line = json.loads(text)
        if line["type"] == "operation":
            operations += line["name"] != "verify"
            if re.match(r"verified: \d", line["outcome"]) and seen is None:
                seen = operations
            if not line["as_expected"] and line["status"] != "refused":
                trouble = trouble or f"{line['text']}: {line['outcome']}"
        elif line["type"] == "finding":
            if re.fullmatch(r"V\d+", line["invariant"]):
                rules.add(line["invariant"])
            elif re.search(LOCK_RULES, line["found"]):
                rules.add("locks")
            else:
                trouble = trouble or line["found"]
    if done.returncode > 1 and "refused" not in done.stdout or done.returncode < 0:
        trouble = trouble or (done.stderr.strip().splitlines() or [f"exit status {done.returncode}"])[-1]
    return Outcome(sorted(rules, key=rule_number), operations if seen is None else seen, trouble)


def runs_of(mutant):
    """The scripts of a mutant, with their options: its own first, then the random ones."""
    if mutant.scripts:
        for cpus, policy, *options in mutant.runs or MACHINES:
            yield [f"cpus {cpus}", "memory 64M", f"policy {policy}"] + mutant.scripts + ["verify"], options
    for seed in SEEDS:
        mix = Roomy(seed) if seed % 3 else Mix(seed)
        lines = mix.script().splitlines()
        if mutant.runs and not mutant.scripts and seed % 2:
            cpus, policy, *options = mutant.runs[0]
            head = {"cpus": f"cpus {cpus}", "policy": f"policy {policy}"}
            if int(cpus) >= mix.cpus:
                lines = [head.get(line.split()[0] if line.split() else "", line) for line in lines]
        else:
            options = []
        yield verified(lines), mix.options + (options or (["--log"] if seed % 2 == 0 else []))


def judge(kvmap, builder, mutant):
    """What finds the mutant."""
    with tempfile.TemporaryDirectory() as folder:
        locks = "--debug-locks" in [word for words in mutant.runs for word in words]
        guest = builder.link(mutant, TARGETS[locks], folder)
        total, trouble = 0, ""
        for lines, options in runs_of(mutant):
            outcome = run(kvmap, guest, lines, options, folder)
            if outcome.rule:
                return Outcome(outcome.rule, total + outcome.operations, "")
            total += outcome.operations
            trouble = trouble or outcome.trouble
            if "stopped by --timeout" in trouble or "hangs" in trouble:
                break
        return Outcome([], total, trouble)


def sample_of(mutants, day):
    return [mutant for number, mutant in enumerate(mutants) if number % 10 == day % 10]


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("kvmap")
    parser.add_argument("source")
    parser.add_argument("build")
    parser.add_argument("--sample", nargs="?", type=int, const=datetime.date.today().toordinal())
    parser.add_argument("--jobs", type=int, default=os.cpu_count())
    parser.add_argument("--only", action="append")
    arguments = parser.parse_args()
    mutants = parse_folder(os.path.join(HERE, "guest"))
    if arguments.sample is not None:
        mutants = sample_of(mutants, arguments.sample)
    if arguments.only:
        mutants = [mutant for mutant in mutants if any(re.search(word, mutant.name + " " + mutant.file) for word in arguments.only)]
    builder = Builder(arguments.source, arguments.build)
    kvmap = os.path.abspath(arguments.kvmap)

    def attempt(mutant):
        try:
            return judge(kvmap, builder, mutant)
        except ValueError as error:
            return Outcome([], 0, str(error))

    found, equivalent, by_rule = 0, 0, collections.Counter()
    with concurrent.futures.ThreadPoolExecutor(arguments.jobs) as pool:
        for mutant, outcome in zip(mutants, pool.map(attempt, mutants)):
            if mutant.equivalent:
                equivalent += 1
            found += bool(outcome.rule)
            by_rule.update(outcome.rule)
            how = " ".join(outcome.rule) or ("equivalent" if mutant.equivalent else "not found") + \
                (f" ({outcome.trouble[:150]})" if outcome.trouble else "")
            print(f"{mutant.name:38} {os.path.basename(mutant.file):20} {mutant.kind:28} {outcome.operations:6}  {how}", flush=True)
    print("by rule: " + ", ".join(f"{rule} {by_rule[rule]}" for rule in sorted(by_rule, key=rule_number)))
    print(f"mutants: {found} found of {len(mutants) - equivalent}, {equivalent} equivalent")
    return found < len(mutants) - equivalent


sys.exit(main())
