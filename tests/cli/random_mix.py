#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""random_mix.py KVMAP: runs scripts of random operations; none may have a finding.

RANDOM_SEEDS (default 8) seeds from RANDOM_FIRST (default 1) on. A seed determines the script and its machine: 1 to 8 CPUs,
1 to 4 nodes, 8M to 64M, a policy, slab_debug, an allocation that fails. Memory runs out in most of them: a refusal is no
failure. `random_mix.py --script SEED` prints a script, with its options in the first line.
"""
import json
import os
import random
import subprocess
import sys
import tempfile

SIZES = [1, 8, 13, 64, 100, 192, 700, 1024, 3000, 4096, 5000, 8192, 16384, 65536, 100000, 262144, 1 << 20, 3 << 20]
AREAS = ["vmalloc", "vzalloc", "vmalloc_huge", "vmalloc_32", "vmalloc_user"]
OBJECTS = ["kmalloc", "kzalloc"]
EITHER = ["kvmalloc", "kvzalloc"]


class Mix:
    """A script under construction. live: name -> kind; a variable that was refused is unset, and no operation uses it."""

    def __init__(self, seed):
        self.pick = random.Random(seed)
        self.cpus = self.pick.choice([1, 1, 2, 3, 4, 8])
        self.nodes = self.pick.choice([1, 1, 1, 2, 3, 4])
        memory = self.pick.choice([16, 18, 24, 32, 48, 64] if self.nodes > 1 or self.cpus > 4 else [8, 10, 12, 16, 24, 32, 64])
        self.options = ["--cpus", self.cpus, "--nodes", self.nodes, "--memory", f"{memory}M",
                        "--policy", self.pick.choice(["strict", "lazy", "eager"])]
        if self.pick.random() < 0.2:
            self.options.append("--debug-slab")
        if self.pick.random() < 0.2:
            self.options += ["--fail-allocation", self.pick.randrange(1, 200)]
        self.lines, self.live, self.known, self.mapped, self.rights, self.names = [], {}, set(), {}, {}, 0

    def add(self, text):
        cpu = self.pick.randrange(self.cpus)
        self.lines.append(f"on cpu {cpu} {text}" if cpu else text)

    def name(self):
        self.names += 1
        return f"v{self.names}"

    def some(self, kinds):
        names = [name for name, kind in self.live.items() if kind in kinds and name not in self.mapped.values()]
        return self.pick.choice(names) if names else None

    def make(self):
        name, size = self.name(), self.pick.choice(SIZES) * self.pick.choice([1, 1, 1, 2])
        kind = self.pick.choice(["area", "area", "object", "either"])
        node = self.pick.randrange(self.nodes)
        forms = {"area": [f"{function} {size}" for function in AREAS] + [f"vmalloc_node {size} {node}", f"__vmalloc {size} GFP_DMA32"],
                 "object": [f"{function} {size}" for function in OBJECTS] + [f"kmalloc_node {size} {node}", f"kmalloc {size} GFP_ATOMIC"],
                 "either": [f"{function} {size}" for function in EITHER]}[kind]
        form = self.pick.choice(forms)
        self.add(("in interrupt " if "GFP_ATOMIC" in form and self.pick.random() < 0.5 else "") + f"{name} = {form}")
        self.live[name] = kind
        if "zalloc" in form or "_user" in form:
            self.known.add(name)

    def fill(self):
        name = self.some(["area", "object", "either", "map"])
        if name and name not in self.rights:
            self.add(f"fill {name} seed {self.pick.randrange(9)}")
            self.known.add(name)

    def check(self):
        if self.known & self.live.keys():
            self.add(f"check {self.pick.choice(sorted(self.known & self.live.keys()))}")

    def free(self):
        name = self.some(["area", "object", "either"])
        if name:
            kind = self.live.pop(name)
            how = {"area": ["vfree", "vfree_atomic", "in interrupt vfree", "kvfree"], "object": ["kfree", "in interrupt kfree", "kvfree"],
                   "either": ["kvfree"]}[kind]
            self.add(f"{self.pick.choice(how)} {name}")
            self.rights.pop(name, None)

    def resize(self):
        name = self.some(["area", "either"])
        if name and name not in self.rights:
            function = "vrealloc" if self.live[name] == "area" else "kvrealloc"
            new, kind = self.name(), self.live[name]
            # A refusal leaves the old variable its memory, which then stays until the end.
            del self.live[name]
            self.add(f"{new} = {function} {name} {self.pick.choice(SIZES)}{self.pick.choice(['', ' __GFP_ZERO'])}")
            self.live[new] = kind

    def map(self):
        name = self.some(["area"])
        if name and name not in self.rights:
            new = self.name()
            self.add(f"{new} = vmap {name}")
            self.live[new] = "map"
            self.mapped[new] = name

    def unmap(self):
        name = self.some(["map"])
        if name:
            self.add(f"vunmap {name}")
            del self.live[name], self.mapped[name]

    def other(self):
        self.add(self.pick.choice(["purge", "vm_unmap_aliases", f"fragment {self.pick.randrange(1, 30)}% of 2M", "verify",
                                   f"stress {self.pick.randrange(1000)} {self.pick.randrange(1, 200)}", "pair vmalloc 64K 20",
                                   "pair vfree_atomic 4K 20", "stress_free", f"areas {self.pick.randrange(1, 200)} 4K"]))

    def parallel(self):
        self.lines.append("parallel")
        for cpu in range(self.cpus):
            self.lines.append(f"  on cpu {cpu} stress {self.pick.randrange(1000)} {self.pick.randrange(1, 300)}")
            if self.pick.random() < 0.3:
                self.lines.append(f"  on cpu {cpu} stress_free")
        self.lines.append("end")

    def script(self):
        steps = [self.make] * 8 + [self.fill] * 4 + [self.check] * 4 + [self.free] * 6 + [self.resize] * 3 + [self.map, self.unmap] * 2
        steps += [self.other] * 2 + [self.parallel] * (self.cpus > 1)
        for _ in range(self.pick.randrange(20, 150)):
            self.pick.choice(steps)()
        self.lines.append("verify")
        return "\n".join(self.lines) + "\n"


def trouble(kvmap, mix, path):
    """(what is wrong about a run, empty if nothing is; whether page frames ran out)."""
    with open(path, "w", encoding="ascii") as out:
        out.write(mix.script())
    run = subprocess.run([kvmap, "run", path, "--json", *map(str, mix.options)], capture_output=True, text=True, timeout=300)
    lines = [json.loads(line) for line in run.stdout.splitlines()]
    verdict = [line for line in lines if line["type"] == "verdict"]
    failed = [line for line in lines if line["type"] == "operation" and line["status"] not in ("done", "refused")]
    out_of_memory = any(line["type"] == "warning" and "free" in line for line in lines)
    if run.returncode in (0, 2) and verdict and not verdict[-1]["findings"] and not failed:
        return "", out_of_memory
    findings = [line for line in lines if line["type"] == "finding"][:3]
    return f"status {run.returncode} {run.stderr[:300]} {failed[:2]} {findings}", out_of_memory


def main():
    if sys.argv[1] == "--script":
        mix = Mix(int(sys.argv[2]))
        text = mix.script()
        print("#", *mix.options)
        print(text, end="")
        return
    first, count, wrong, without = int(os.environ.get("RANDOM_FIRST", 1)), int(os.environ.get("RANDOM_SEEDS", 8)), 0, 0
    with tempfile.TemporaryDirectory() as folder:
        for seed in range(first, first + count):
            what, out_of_memory = trouble(sys.argv[1], Mix(seed), os.path.join(folder, "mix.kvs"))
            without += out_of_memory
            if what:
                wrong += 1
                print(f"# seed {seed}: {what}", flush=True)
    print("1..2")
    print(f"{'not ' if wrong else ''}ok 1 - {count} mixes of operations, {wrong} with findings")
    print(f"{'' if without * 4 >= count else 'not '}ok 2 - memory ran out in {without}")


main()
