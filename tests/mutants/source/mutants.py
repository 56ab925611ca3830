#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""mutants.py: the mutants of a file of the source, and what builds one.

A file FOLDER/NAME.mutants has the mutants of one source file:

    file guest/mm/vmalloc/purge.c
    mutant purge-does-not-flush
    kind flush left out
    -	arch_flush_ranges(ranges, nr);
    +	(void)ranges;
    run 2 lazy

The lines after `-`, which must stand exactly once in the source file, become those after `+`. Each `run CPUS POLICY
[OPTION...]` names a machine on which the mutant can be seen first; `equivalent TEXT` proves that no run can tell the
mutant from the original. A `#` begins a comment.
"""
import dataclasses
import os
import re
import shlex
import subprocess


@dataclasses.dataclass
class Mutant:
    name: str
    file: str
    kind: str = ""
    old: list = dataclasses.field(default_factory=list)
    new: list = dataclasses.field(default_factory=list)
    runs: list = dataclasses.field(default_factory=list)
    scripts: list = dataclasses.field(default_factory=list)
    equivalent: str = ""

    def applied(self, source):
        """The text of the source file with the mutant; ValueError if its lines are not there once."""
        old, new = "".join(self.old), "".join(self.new)
        if not old or source.count("\n" + old) != 1:
            raise ValueError(f"{self.name}: its lines stand {source.count(chr(10) + old)} times in {self.file}")
        return source.replace("\n" + old, "\n" + new)


def parse(path):
    """The mutants of a file."""
    found, file = [], None
    with open(path, encoding="ascii") as text:
        for number, line in enumerate(text, 1):
            word, _, rest = line.rstrip("\n").partition(" ")
            if line[0] in "-+":
                (found[-1].old if line[0] == "-" else found[-1].new).append(line[1:])
            elif word == "file":
                file = rest
            elif word == "mutant":
                found.append(Mutant(rest, file))
            elif word == "kind":
                found[-1].kind = rest
            elif word == "run":
                found[-1].runs.append(rest.split())
            elif word == "script":
                found[-1].scripts.append(rest)
            elif word == "equivalent":
                found[-1].equivalent = rest
            elif word and not word.startswith("#"):
                raise ValueError(f"{path}:{number}: unknown word {word!r}")
    return found


def parse_folder(folder):
    found = [mutant for name in sorted(os.listdir(folder)) if name.endswith(".mutants")
             for mutant in parse(os.path.join(folder, name))]
    names = [mutant.name for mutant in found]
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise ValueError(f"{folder}: names that stand twice: {' '.join(twice)}")
    return found


class Builder:
    """Builds programs of a build folder with one source file changed."""

    def __init__(self, source, build):
        self.source, self.build = os.path.abspath(source), os.path.abspath(build)
        self.commands = {}

    def ninja_commands(self, target):
        if target not in self.commands:
            out = subprocess.run(["ninja", "-C", self.build, "-t", "commands", target], capture_output=True, text=True, check=True)
            self.commands[target] = out.stdout.splitlines()
        return self.commands[target]

    def compile(self, mutant, target, folder):
        """The object of the changed file, and the one that it replaces in the link of the target."""
        path = os.path.join(self.source, mutant.file)
        with open(path, encoding="utf-8") as text:
            changed = mutant.applied(text.read())
        copy = os.path.join(folder, os.path.basename(mutant.file))
        with open(copy, "w", encoding="utf-8") as out:
            out.write(changed)
        relative = os.path.relpath(path, self.build)
        command = [line for line in self.ninja_commands(target) if re.search(rf" -c {re.escape(relative)}$", line)]
        if len(command) != 1:
            raise ValueError(f"{mutant.name}: {len(command)} commands of {target} compile {mutant.file}")
        words = shlex.split(command[0])
        old = words[words.index("-o") + 1]
        new = os.path.join(folder, "mutant.o")
        words[words.index("-o") + 1] = new
        words[words.index("-c") + 1] = copy
        words = [word for word in words if word != "-Werror"] + ["-w", "-I" + os.path.dirname(path)]
        for option in ("-MF", "-MQ"):
            if option in words:
                words[words.index(option) + 1] = os.path.join(folder, "mutant.d")
        self.run(words, mutant)
        return new, old

    def link(self, mutant, target, folder):
        """The path of the target with the mutant in it."""
        new, old = self.compile(mutant, target, folder)
        words = shlex.split(self.ninja_commands(target)[-1])
        at = words.index("-o") + 1
        out = os.path.join(folder, os.path.basename(words[at]))
        words[at] = out
        if old in words:
            words[words.index(old)] = new
        else:
            words.insert(at + 1, new)  # before the archive that has the original
        self.run(words, mutant)
        return out

    def run(self, words, mutant):
        done = subprocess.run(words, cwd=self.build, capture_output=True, text=True, check=False)
        if done.returncode:
            raise ValueError(f"{mutant.name}: {words[0]} failed: {done.stderr.strip()[:600]}")
