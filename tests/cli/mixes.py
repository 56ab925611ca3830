#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""mixes.py: scripts of random operations. A seed determines the script, its machine and its options.

`mixes.py SEED` prints one. Memory runs out in most of them, so that any allocation may be refused; its variable is then
unset, what uses it is refused, and the script goes on. Apart from that, each operation is as expected: a script frees only
what it has, and says `expect refused` or `expect fault` of what must not work.
"""
import dataclasses
import random
import sys

PAGE = 4096
KIB, MIB = 1 << 10, 1 << 20
SIZES = [1, 8, 13, 64, 100, 192, 700, 1024, 3000, 4096, 4097, 5000, 8192, 12289, 16384, 65536, 100000, 131072]
LARGE = [262144, 524288, MIB, 2 * MIB, 3 * MIB]
AREAS = ["vmalloc", "vzalloc", "vmalloc_huge", "vmalloc_32", "vmalloc_user"]
# Flags of objects and areas; those of the second list may not be waited with, and are allowed in an interrupt.
WAITING = ["GFP_KERNEL", "GFP_KERNEL|__GFP_ZERO", "GFP_KERNEL|__GFP_NOWARN", "GFP_KERNEL|__GFP_HIGH", "GFP_KERNEL|__GFP_THISNODE",
           "__GFP_DIRECT_RECLAIM|__GFP_IO", "__GFP_DIRECT_RECLAIM|__GFP_KSWAPD_RECLAIM|__GFP_FS"]
ATOMIC = ["GFP_ATOMIC", "GFP_NOWAIT", "GFP_ATOMIC|__GFP_ZERO", "GFP_NOWAIT|__GFP_HIGH", "GFP_ATOMIC|__GFP_NOWARN"]
LOW = ["GFP_KERNEL|__GFP_DMA", "GFP_KERNEL|__GFP_DMA32|__GFP_ZERO", "GFP_DMA", "GFP_DMA32"]
FUNCTIONS = ["vmalloc", "vzalloc", "kmalloc", "alloc_pages", "nothing", "vmalloc_huge", "kvmalloc", "vmap", "vm_map_ram",
             "vfree_atomic", "vm_unmap_aliases"]
# Refused wherever they run.
WRONG = ["vmalloc 0", "vmalloc 1024G", "vzalloc_node 0 0", "vmalloc_user 0", "vmalloc_huge 0", "__vmalloc 4K GFP_KERNEL|__GFP_NOFAIL",
         "__vmalloc 4K GFP_DMA|GFP_DMA32", "vmalloc_array 0x100000000 0x100000000", "vcalloc 0x100000000 0x100000000",
         "kvmalloc 0", "kvmalloc_array 0x100000000 0x100000000", "kvcalloc 0x100000000 0x100000000",
         "kmalloc_array 0x100000000 0x100000000", "kcalloc 0x100000000 0x100000000", "kcalloc 0 8", "krealloc text 64",
         "kmalloc 0", "kmalloc 5M", "kzalloc 5M",
         "kmalloc 64 GFP_DMA|GFP_DMA32", "kmalloc 64 GFP_KERNEL|__GFP_NOFAIL", "bug 1", "vfree 0x1000", "vfree text", "kfree rodata",
         "vunmap text", "vm_unmap_ram rodata 1", "set_memory_ro text 1", "vrealloc text 4K", "kvrealloc rodata 64"]
# Refused in an interrupt, since they may wait. {} is a variable of an area.
MAY_WAIT = ["vmalloc 4K", "vzalloc 64K", "kmalloc 64", "kzalloc 4K GFP_KERNEL", "kvmalloc 64", "kcalloc 3 64", "kvcalloc 2 4K", "krealloc 0 64", "purge", "vm_unmap_aliases",
            "vmap {}", "vm_map_ram {}", "vrealloc {} 8K", "kvrealloc {} 8K", "set_memory_ro {} 1", "set_memory_x {} 1"]


@dataclasses.dataclass
class Variable:
    """What the script has in a variable, if no allocation was refused."""
    name: str
    kind: str           # "area", "object", "either" (kvmalloc), "vmap", "vm_map_ram", or "block", to leave little memory
    size: int
    of: object = None   # a second mapping: the variable of its area
    mappings: int = 0   # second mappings of an area
    known: bool = False # its contents
    exact: bool = True  # the size is not in doubt, and the area was not resized
    readonly: bool = False
    executable: bool = False

    def root(self):
        return self.of or self

    def pages(self):
        return -(-self.size // PAGE)


class Mix:
    def __init__(self, seed):
        self.random = random.Random(seed)
        pick = self.random.choice
        self.cpus, self.nodes = pick([1, 1, 1, 2, 2, 2, 2, 3, 3, 4, 4, 5, 6, 7, 8]), pick([1, 1, 1, 2, 3, 4])
        self.memory = pick([8, 8, 10, 12, 16, 16, 18, 24, 32, 48, 64])
        self.policy = pick(["strict", "lazy", "eager"])
        self.options = ["--seed", str(self.random.randrange(1, 1000))]
        self.finds_freed = self.chance(0.2)
        if self.finds_freed:
            self.options += ["--debug-slab"]
        if self.chance(0.25):
            self.options += ["--fail-allocation", str(self.random.randrange(1, 200))]
        self.crashes = self.chance(0.04)
        self.lines = [f"cpus {self.cpus}", f"nodes {self.nodes}", f"memory {self.memory}M", f"policy {self.policy}"]
        self.live, self.count, self.indent = [], 0, ""
        self.only = None  # in a `parallel`: the CPU that runs the operations, and
        self.owner = {}   # the CPU of each variable that is not a second mapping

    # ---- lines ----

    def chance(self, part):
        return self.random.random() < part

    def number(self, below):
        return self.random.randrange(below)

    def add(self, text, atomic=False):
        """An operation on some CPU; atomic: also in an interrupt."""
        cpu = self.number(self.cpus) if self.only is None else self.only
        if atomic and self.chance(0.3):
            text = "in interrupt " + text
        self.lines.append(self.indent + (f"on cpu {cpu} {text}" if cpu else text))

    def new(self, kind, size, **rest):
        self.count += 1
        variable = Variable(f"v{self.count}", kind, size, **rest)
        if self.only is not None and not variable.of:
            self.owner[variable.name] = self.only
        self.live.append(variable)
        return variable

    def some(self, *kinds, **wanted):
        """A live variable of these kinds and attributes, or None."""
        found = [one for one in self.live if one.kind in kinds and all(getattr(one, key) == wanted[key] for key in wanted)
                 and (self.only is None or self.owner[one.root().name] == self.only)]
        return self.random.choice(found) if found else None

    def size(self):
        return self.random.choice(SIZES if self.chance(0.93) else LARGE)

    # ---- operations ----

    def make_area(self):
        size, node = self.size(), self.number(self.nodes)
        count = self.random.choice([1, 3, 16])
        flags = self.random.choice(WAITING + ATOMIC + LOW)
        form = self.random.choice([f"{function} {size}" for function in AREAS] +
                                  [f"vmalloc_node {size} {node}", f"vzalloc_node {size} {node}", f"__vmalloc {size} {flags}"] * 2)
        if self.chance(0.15):
            size = min(size, 65536) * count
            form = self.random.choice(["vmalloc_array", "vcalloc"]) + f" {count} {size // count}"
        zero = any(word in form for word in ["zalloc", "_user", "vcalloc", "__GFP_ZERO"])
        self.add(f"{self.new('area', size, known=zero).name} = {form}")

    def make_object(self):
        size, node = self.size(), self.number(self.nodes)
        zero = self.chance(0.3)
        function = "kzalloc" if zero else "kmalloc"
        variable = self.new("object", size, known=zero)
        if self.chance(0.3):
            self.add(f"{variable.name} = {function} {size} {self.random.choice(ATOMIC)}", atomic=True)
        elif not zero and self.chance(0.3):
            self.add(f"{variable.name} = kmalloc_node {size} {node}")
        elif self.chance(0.2):
            self.add(f"{variable.name} = {'kcalloc' if zero else 'kmalloc_array'} {self.random.choice([f'1 {size}', f'{size} 1'])}")
        else:
            flags = self.random.choice([""] * 4 + WAITING + LOW)
            self.add(f"{variable.name} = {function} {size} {flags}".rstrip())

    def make_either(self):
        size = self.size()
        form = self.random.choice([f"kvmalloc {size}", f"kvzalloc {size}", f"kvmalloc_array 1 {size}", f"kvcalloc {size} 1",
                                   f"kvmalloc_node {size} {self.number(self.nodes)}"])
        self.add(f"{self.new('either', size, known='z' in form or 'kvcalloc' in form).name} = {form}")

    def fill(self):
        variable = self.some("area", "object", "either", "vmap", "vm_map_ram", readonly=False)
        if variable and not variable.root().readonly:
            self.add(f"fill {variable.name}{self.random.choice(['', f' seed {self.number(9)}'])}", atomic=True)
            variable.known = True

    def check(self):
        variable = self.some("area", "object", "either", "vmap", "vm_map_ram", known=True)
        if variable:
            self.add(f"check {variable.name}", atomic=True)

    def access(self):
        variable = self.some("area", "object", "either", "vmap", "vm_map_ram", readonly=False)
        if not variable or variable.size < 8 or variable.root().readonly:
            return
        offset = self.random.choice([0, variable.size - 8, self.number(variable.size - 7)])
        self.add(f"read {variable.name}+{offset}", atomic=True)
        if variable.kind == "area" and variable.exact and -variable.size % PAGE >= 8 and self.chance(0.3):
            offset = variable.size  # what the area has beyond its size
        if self.chance(0.5):
            self.add(f"write {variable.name}+{offset} {self.number(1 << 64)}", atomic=True)

    def release(self):
        variable = self.some("area", "object", "either", mappings=0)
        if not variable:
            return
        self.live.remove(variable)
        how = self.random.choice({"area": ["vfree", "vfree", "vfree_atomic", "kvfree"], "object": ["kfree", "kvfree"],
                                  "either": ["kvfree"]}[variable.kind])
        if self.only is None and self.chance(0.25) and (variable.kind == "area" or self.finds_freed or variable.size > 2 * PAGE):
            # Nothing is allocated meanwhile: the second free must be refused, and an access must fault. An object that
            # another one of its CPU's list hides is found with --debug-slab only.
            self.add(f"{how} {variable.name}")
            if how == "vfree" and self.chance(0.5):
                self.add(f"expect fault freed {variable.name}+{self.number(variable.pages()) * PAGE if variable.exact else 0}")
            self.add(f"expect refused {how} {variable.name}")
        else:
            self.add(f"{how} {variable.name}", atomic=True)

    def release_block(self):
        """Of what the beginning of the script took; most of it stays."""
        variable = self.some("block")
        if variable and self.chance(0.4):
            self.live.remove(variable)
            self.add(f"kvfree {variable.name}", atomic=True)

    def resize(self):
        old = self.some("area", "either", "object", mappings=0, readonly=False)
        if not old:
            return
        function = {"area": "vrealloc", "object": "krealloc"}.get(old.kind, "kvrealloc")
        if old.kind == "area" and self.chance(0.3):
            function = "kvrealloc"
        size = self.size() if self.chance(0.97) else 0
        flags = self.random.choice(["", "", " __GFP_ZERO", " GFP_KERNEL|__GFP_ZERO", " GFP_KERNEL"])
        if size and self.chance(0.3):
            old.exact, old.size = False, min(old.size, size)  # whether it was refused or not
            self.add(f"{old.name} = {function} {old.name} {size}{flags}")
            return
        self.live.remove(old)
        new = self.new(old.kind, size, known=old.known, exact=False)
        if self.only is None:
            self.owner.pop(old.name, None)
        self.add(f"{new.name} = {function} {old.name} {size}{flags}")
        if not size:
            self.live.remove(new)

    def map_again(self):
        area = self.some("area", exact=True, executable=False)  # V7: no frame is writable and executable
        if area:
            kind = self.random.choice(["vmap", "vm_map_ram"])
            area.mappings += 1
            new = self.new(kind, area.pages() * PAGE, of=area, known=area.known)
            self.add(f"{new.name} = {kind} {area.name}")

    def unmap(self):
        mapping = self.some("vmap", "vm_map_ram")
        if mapping:
            mapping.of.mappings -= 1
            self.live.remove(mapping)
            if mapping.kind == "vmap":
                self.add(f"vunmap {mapping.name}")
            else:
                self.add(f"vm_unmap_ram {mapping.name} {mapping.pages()}")

    def protect(self):
        """From writable to read-only to executable, and back."""
        area = self.some("area", exact=True, mappings=0)
        if not area:
            return
        name, pages = area.name, area.pages()
        if area.executable:
            self.add(f"expect refused set_memory_rw {name} {pages}")
            self.add(f"set_memory_nx {name} {pages}")
            area.executable = False
        elif area.readonly and self.chance(0.5):
            self.add(f"set_memory_rw {name} {pages}")
            area.readonly = False
        elif area.readonly:
            self.add(f"set_memory_x {name} {pages}")
            self.add(f"execute {name}")
            area.executable = True
        elif area.size >= 8:
            self.add(f"write {name} 0xc3")
            self.add(f"expect fault noexecute {name}")
            self.add(f"expect refused set_memory_x {name} {pages}")
            self.add(f"expect refused set_memory_ro {name} {pages + 1}")
            self.add(f"set_memory_ro {name} {pages}")
            self.add(f"expect fault readonly {name}+{self.number(pages) * PAGE}")
            area.readonly = True

    def fault(self):
        variable = self.some("area", "vmap", "vm_map_ram", exact=True)
        forms = ["null 0", "readonly text", "readonly rodata", "noexecute rodata", "unmapped 0xffffb00000000000",
                 "unmapped execute 0xffffb00000000000", "null write 8"]
        if variable:
            forms += [f"guard {access}{variable.name}+{variable.pages() * PAGE}" for access in ["", "read ", "write "]] * 3
        self.add(f"expect fault {self.random.choice(forms)}", atomic=True)

    def refused(self):
        area, thing = self.some("area", exact=True), self.some("object", exact=True)
        forms = list(WRONG)
        if area:
            forms += [f"vfree {area.name}+4K", f"vfree {area.name}+8", f"kfree {area.name}", f"vunmap {area.name}",
                      f"vrealloc {area.name}+4K 8K", f"vm_unmap_ram {area.name} {area.pages()}",
                      f"vrealloc {area.name} 8K __GFP_NOFAIL"] * 2
        if thing and thing.size >= 16:
            forms += [f"kfree {thing.name}+8", f"vfree {thing.name}", f"set_memory_ro {thing.name} 1", f"vunmap {thing.name}"] * 2
        self.add(f"expect refused {self.random.choice(forms)}", atomic=True)
        if area:
            cpu = self.number(self.cpus) if self.only is None else self.only
            form = self.random.choice(MAY_WAIT).format(area.name)
            self.lines.append(f"{self.indent}on cpu {cpu} in interrupt expect refused {form}")

    def flush(self):
        self.add(self.random.choice(["purge", "vm_unmap_aliases"]))

    def others(self):
        """What needs no variable."""
        number = self.number
        self.add(self.random.choice([f"fragment {1 + number(60)}% of {self.random.choice(['256K', '1M', '2M'])}", "fragment 50% seed 3",
                                     f"stress {number(1000)} {1 + number(40)}", "stress_free",
                                     f"pair {self.random.choice(FUNCTIONS)} {self.random.choice(['4K', '16K', '64K'])} {1 + number(8)}",
                                     f"areas {1 + number(40)} {self.random.choice(['4K', '8K', '20K'])}{self.random.choice(['', ' holes'])}"]))

    def show(self):
        variable = self.some("area", "object", "either", "vmap", "vm_map_ram")
        self.add('print "a text"' + (f" {variable.name}" if variable else " text"), atomic=True)

    def loop(self):
        """Makes and frees the same again and again; without the free, what it had stays until the end."""
        self.lines.append(f"{self.indent}repeat {2 + self.number(4)}")
        outside, live, self.indent = self.indent, list(self.live), self.indent + "  "
        self.random.choice([self.make_area, self.make_object, self.make_either])()
        variable = self.live.pop()
        self.add(f"fill {variable.name}")
        self.add(f"check {variable.name}")
        if self.chance(0.7):
            self.add({"area": "vfree", "object": "kfree", "either": "kvfree"}[variable.kind] + f" {variable.name}", atomic=True)
        self.live, self.indent = live, outside
        self.lines.append(f"{self.indent}end")

    def parallel(self):
        """
        Each CPU works on variables of its own, in an order of its own. Where memory is out, each allocation interrupts all
        other CPUs, which takes long on a host with fewer: they do less, the more they are.
        """
        self.owner = {variable.name: self.number(self.cpus) for variable in self.live if not variable.of}
        self.lines.append("parallel")
        for cpu in range(self.cpus):
            self.only, self.indent = cpu, "  "
            self.add(f"stress {self.number(1000)} {4 + self.number(100 // self.cpus ** 2)}")
            for _ in range(self.number(2 + 12 // self.cpus)):
                self.random.choice(self.steps())()
        self.only, self.indent = None, ""
        self.lines.append("end")

    # ---- the script ----

    def steps(self):
        return ([self.make_area] * 5 + [self.make_object] * 3 + [self.make_either] * 2 + [self.fill] * 4 + [self.check] * 4 +
                [self.access] * 2 + [self.release] * 5 + [self.resize] * 3 + [self.map_again, self.unmap] * 2 + [self.protect] * 2 +
                [self.fault] * 2 + [self.refused] * 2 + [self.flush, self.others, self.others, self.show, self.loop, self.release_block, self.release_block])

    def take_memory(self):
        """Leaves little memory. Blocks and frames held are fast: no page of them is mapped or written."""
        left = self.memory * (MIB - 7 * KIB) - 3600 * KIB - self.number(1200 * KIB)
        for size in [4 * MIB, 2 * MIB, MIB, 256 * KIB]:
            while left >= size:
                left -= size
                if size <= MIB and self.chance(0.5):
                    self.add(f"fragment {60 + self.number(40)}% of {size}")
                else:
                    self.add(f"{self.new('block', size).name} = {self.random.choice(['kvmalloc', 'kmalloc', 'vmalloc_huge'])} {size}")
        if self.chance(0.9):
            self.add(f"fragment {95 + self.number(6)}% of {self.random.choice(['2M', '64M', '64M'])}")
        for count, size in [(2, 256 * KIB), (3, 32 * KIB), (3, 4 * KIB)][:self.random.choice([0, 2, 3, 3, 3])]:
            self.lines.append(f"repeat {count}")
            self.add(f"rest = kmalloc {size}")
            self.lines.append("end")

    def script(self):
        if len(self.lines) > 4:
            return "\n".join(self.lines) + "\n"
        if self.chance(0.95):
            self.take_memory()
        for _ in range(15 + self.number(45)):
            self.random.choice(self.steps())()
            if self.chance(0.02):
                self.add("verify")
            if self.cpus > 1 and self.chance(0.08 / self.cpus):
                self.parallel()
        self.lines.append("verify")
        self.lines.append(f"show {self.random.choice(['meminfo', 'vmallocinfo', 'buddyinfo', 'slabinfo', 'areas'])}")
        if self.crashes:
            self.lines.append("crash " + self.random.choice(["triple-fault", "emulation", "mmio", "oops"]))
        return "\n".join(self.lines) + "\n"


if __name__ == "__main__":
    print(Mix(int(sys.argv[1])).script(), end="")
