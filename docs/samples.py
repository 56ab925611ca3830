#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""samples.py check|write SOURCE BUILD DOCUMENT...: the commands of documents, and what they print.

A fenced block whose first line begins with "$ " is run, command by command, all blocks of a document in one folder, which
has ./dev, build, images and tests; what is printed must be what the document shows, but for numbers, times and line breaks.
"..." stands for any lines. `$ cat FILE` writes a file that there is not. A block "sh" is run for its exit status, one "kvs"
as a script. After `$ kvmap shell` the lines at the prompts are typed; the verdict at its end is not shown. An indented
finding ("    V1 at ...") must be one that a script of tests/mutants makes.

check prints TAP. write replaces what is not so; a block with "..." is left to the author.
"""
import difflib
import os
import re
import shutil
import subprocess
import sys
import tempfile

# Commands that are not run here, by a part of them, and why.
NOT_RUN = [
    ("linux.core", "needs a core of a Linux kernel"),
    ("qemu-system-x86_64", "needs another program with a VM"),
    ("dump-guest-memory", "is of QEMU's monitor"),
    ("stage2", "depends on the host's KVM, and needs root"),
    ("setpriv", "needs root"),
    ("bench guest", "takes minutes; tests/cli/bench.sh runs it"),
    ("bench verify", "prints times; tests/cli/bench.sh runs it"),
    ("./dev test", "runs all tests"),
    ("./dev lint", "is a test of its own"),
    ("--hold", "has the numbers of processes in it; tests/cli/control.sh runs it"),
    ("gdb -batch", "needs gdb; tests/cli/dump.sh runs it"),
    ("man -l", "opens a pager"),
]
# Files that a document speaks of and does not make, by name.
LATER = r"sed '$a vfree b\nd = vmalloc 128K' images/demo.kvs >later.kvs; kvmap run later.kvs --dump later.core"
MADE = {
    "later.core": LATER,
    "other.elf": "cp build/tests/mutants/kvmap-guest-mutants.elf other.elf",
}
# Statuses other than 0, by a part of the command.
STATUSES = [("kvmap diff", (0, 1)), ("tests/mutants/", (1,)), ("oops", (1,)), ("$?", (0, 2)), ("other.elf", (2,)),
            ("'zone'", (2,)), ("print areas.core zone\n", (2,)), ("--check", (0, 1))]


def blocks_of(text):
    """(first line after the fence, end, kind) of each fenced block; lines are counted from 0."""
    lines = text.split("\n")
    start = None
    for number, line in enumerate(lines):
        if line.startswith("```"):
            if start is None:
                start, kind = number + 1, line[3:].strip()
            else:
                yield start, number, kind
                start = None


def findings_of(text):
    """(start, end) of each indented finding outside of fenced blocks, "V1 at 0x..." and its lines."""
    lines = text.split("\n")
    fenced = {number for start, end, _ in blocks_of(text) for number in range(start, end)}
    number = 0
    while number < len(lines):
        if number not in fenced and re.match(r"    V\d+ at 0x", lines[number]):
            end = number + 1
            while end < len(lines) and lines[end].startswith("      "):
                end += 1
            yield number, end
            number = end
        number += 1


def tokens(text):
    """Words, without what differs from run to run and from host to host."""
    text = re.sub(r"(?m)^ *\.\.\.$", " @ANY@ ", text)
    text = re.sub(r"\b\d[\d.,]* (ns|us|ms|s)\b", "TIME", text)
    text = re.sub(r"\bkvm_[a-z]+\b", "KVM", text)
    text = re.sub(r"1G pages (do not )?work", "1G pages", text)
    text = re.sub(r"\S*/(?=images/|build/|guest/|[a-z-]+\.(core|kvs))", "", text)
    text = re.sub(r"\b[0-9a-f]{40}\b|\b[0-9a-f]{16}\b|0x[0-9a-f]+|-?\d[\d,]*(\.\d+)?", "#", text)
    return text.split()


def same(shown, printed):
    """Whether tokens are the same, with @ANY@ in the first for any others."""
    pattern = "".join(r"(?: \S+)*" if word == "@ANY@" else " " + re.escape(word) for word in shown)
    return re.fullmatch(pattern, "".join(" " + word for word in printed)) is not None


def statuses_of(command):
    for part, statuses in STATUSES:
        if part in command + "\n":
            return statuses
    return (0,)


def typed_in(command, shown):
    """The lines that are typed into the shell, of what the document shows."""
    if not command.startswith("kvmap shell"):
        return ""
    return "".join(line[7:] + "\n" for line in shown if re.match(r"kvmap> |     > ", line))


def reason_not_to_run(commands):
    for part, reason in NOT_RUN:
        if any(part in command for command in commands):
            return reason
    return None


class Folder:
    """Where the commands of a document run."""

    def __init__(self, source, build):
        self.path = tempfile.mkdtemp()
        self.build = build
        for name, target in [("build", build), ("images", source + "/images"), ("tests", source + "/tests")]:
            os.symlink(target, os.path.join(self.path, name))
        os.mkdir(self.path + "/bin")
        os.symlink(build + "/vmm/kvmap", self.path + "/bin/kvmap")
        with open(self.path + "/dev", "w") as file:
            file.write('#!/bin/sh\n[ "$1" = run ] || exit 99\nshift\nexec build/vmm/kvmap run "$@"\n')
        os.chmod(self.path + "/dev", 0o755)

    def run(self, command, typed=""):
        """(status, output)"""
        environment = dict(os.environ, PATH=self.path + "/bin:" + os.environ["PATH"], LC_ALL="C.UTF-8")
        result = subprocess.run(["bash", "-c", command], cwd=self.path, env=environment, input=typed.encode(),
                                stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=600, check=False)
        output = result.stdout.decode(errors="replace")
        return result.returncode, output.replace(self.build, "/home/you/kvmap/build").replace(self.path + "/", "")

    def make(self, name, command):
        if not os.path.exists(os.path.join(self.path, name)):
            self.run(command)

    def remove(self):
        shutil.rmtree(self.path)


class Samples:
    def __init__(self, source, build, write):
        self.source, self.build, self.write = source, build, write
        self.number = self.failed = 0
        self.mutants = None

    def result(self, good, name, details=""):
        self.number += 1
        self.failed += not good
        print(("ok" if good else "not ok"), self.number, "-", name)
        for line in details.split("\n")[:60] if not good else []:
            print("#", line)

    def skip(self, name, reason):
        self.number += 1
        print("ok", self.number, "-", name, "# SKIP", reason)

    def session(self, folder, name, lines):
        """A block of commands and what they print. Returns the block as it is printed now, or None."""
        parts = []
        for line in lines:
            if line.startswith("$ "):
                parts.append([line[2:], []])
            elif parts and parts[-1][0].endswith("\\") and not parts[-1][1]:
                parts[-1][0] += "\n" + line # the command goes on
            elif parts:
                parts[-1][1].append(line)
        reason = reason_not_to_run([command for command, _ in parts])
        if reason:
            self.skip(name, reason)
            return None
        good, now, details = True, [], ""
        status = 0
        for command, shown in parts:
            for name_made, how in MADE.items():
                if name_made in command and "--dump " + name_made not in command:
                    folder.make(name_made, how)
            made = re.fullmatch(r"cat (\S+)", command)
            if made and not os.path.exists(os.path.join(folder.path, made[1])):
                with open(os.path.join(folder.path, made[1]), "w") as file:
                    file.write("\n".join(shown) + "\n")
            status, output = folder.run(command.replace("$?", str(status)), typed_in(command, shown))
            if command.startswith("kvmap shell"):
                output = output.rpartition("\n\nVerdict\n")[0]
            # A command that is shown without output may print, as `kvmap run` with a report.
            alike = same(tokens("\n".join(shown)), tokens(output)) or (not shown and status in statuses_of(command))
            good = good and alike
            now.append("$ " + command)
            now += shown if alike else output.rstrip("\n").split("\n")
            if not alike:
                details += "$ %s\n%s" % (command, output)
        self.result(good, name, details)
        return None if good or "..." in [line.strip() for line in lines] else now

    def commands(self, folder, name, lines):
        for line in lines:
            command = re.sub(r"\s+# .*$", "", line)
            if not command.strip() or command.startswith("#"):
                continue
            reason = reason_not_to_run([command])
            if reason:
                self.skip(name + ": " + command, reason)
                continue
            status, output = folder.run(command)
            self.result(status in statuses_of(command), name + ": " + command, "status %d\n%s" % (status, output))

    def script(self, folder, name, lines):
        with open(folder.path + "/sample.kvs", "w") as file:
            file.write("\n".join(lines) + "\n")
        status, output = folder.run("kvmap run sample.kvs")
        self.result(status == 0, name, "status %d\n%s" % (status, output))

    def mutant_findings(self, folder):
        """The findings of all deliberate bugs, as tokens."""
        if self.mutants is None:
            _, output = folder.run("for script in tests/mutants/*.kvs; do kvmap run $script --guest "
                                   "build/tests/mutants/kvmap-guest-mutants.elf; done")
            found = re.findall(r"(?m)^  \d+\. (V\d+ at 0x.*\n(?:      .*\n)+)", output)
            # Not the script's operation, nor the commands to type next.
            self.mutants = [re.sub(r"(?m)^      (after|next) .*\n(?: {15}.*\n)*", "", finding) for finding in found]
        return self.mutants

    def finding(self, folder, name, lines):
        """Returns the most similar finding, if the document's is none."""
        invariant = lines[0].split()[0]
        if invariant == "V10":
            self.skip(name, "needs root")
            return None
        shown = tokens("\n".join(lines))
        found = [finding for finding in self.mutant_findings(folder) if finding.split()[0] == invariant]
        good = shown in [tokens(finding) for finding in found]
        self.result(good, name, "no deliberate bug makes this finding")
        if good or not found:
            return None
        nearest = max(found, key=lambda finding: difflib.SequenceMatcher(None, tokens(finding), shown).ratio())
        return ["    " + line.replace("      ", "  ", 1) for line in nearest.rstrip("\n").split("\n")]

    def document(self, path):
        with open(path) as file:
            text = file.read()
        lines = text.split("\n")
        folder = Folder(self.source, self.build)
        replaced = []
        for start, end, kind in blocks_of(text):
            name = "%s:%d" % (os.path.relpath(path, self.source), start)
            if kind == "sh":
                self.commands(folder, name, lines[start:end])
            elif kind == "kvs":
                self.script(folder, name, lines[start:end])
            elif lines[start].startswith("$ "):
                now = self.session(folder, name, lines[start:end])
                if now:
                    replaced.append((start, end, now))
        for start, end in findings_of(text):
            name = "%s:%d" % (os.path.relpath(path, self.source), start + 1)
            now = self.finding(folder, name, lines[start:end])
            if now:
                replaced.append((start, end, now))
        folder.remove()
        if self.write and replaced:
            for start, end, now in sorted(replaced, reverse=True):
                lines[start:end] = now
            with open(path, "w") as file:
                file.write("\n".join(lines))


def main():
    if len(sys.argv) < 5 or sys.argv[1] not in ("check", "write"):
        sys.exit(__doc__)
    samples = Samples(os.path.realpath(sys.argv[2]), os.path.realpath(sys.argv[3]), sys.argv[1] == "write")
    for path in sys.argv[4:]:
        samples.document(os.path.realpath(path))
    print("1..%d" % samples.number)
    sys.exit(samples.failed != 0 and not samples.write)


main()
