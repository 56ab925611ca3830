#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""kvmap shell in a pseudo-terminal: python3 shell_terminal.py KVMAP. Prints TAP.

Waits for what must appear, never for a time: a line that does not come within minutes is a failure.
"""
import fcntl
import itertools
import os
import pty
import re
import select
import signal
import socket
import struct
import sys
import termios
import time

PATIENCE = int(os.environ.get("PATIENCE", "300"))  # seconds
number = 0
failed = False


def report(name, good, why=""):
    global number, failed
    number += 1
    failed |= not good
    print(f"{'ok' if good else 'not ok'} {number} - {name}")
    for line in str(why).splitlines() if not good else []:
        print(f"# {line}")
    sys.stdout.flush()


class Missing(Exception):
    pass


class Terminal:
    """A shell in a terminal of that many columns."""

    def __init__(self, *arguments, columns=110, command="shell", before=None):
        self.pid, self.fd = pty.fork()
        if not self.pid:
            if before:
                before()
            for name in (signal.SIGINT, signal.SIGQUIT):
                signal.signal(name, signal.SIG_DFL)
            os.environ.update(TERM="xterm", NO_COLOR="1")
            os.execv(sys.argv[1], [sys.argv[1], command, *arguments])
        self.resize(columns)
        self.text = ""
        self.start = 0  # of what expect() has not seen

    def resize(self, columns):
        fcntl.ioctl(self.fd, termios.TIOCSWINSZ, struct.pack("HHHH", 40, columns, 0, 0))

    def read(self, seconds):
        if not select.select([self.fd], [], [], max(seconds, 0))[0]:
            return False
        try:
            data = os.read(self.fd, 65536)
        except OSError:
            return False
        self.text += data.decode("utf-8", "replace")
        return bool(data)

    def expect(self, pattern):
        """Waits until the pattern appears after what was expected before."""
        end = time.monotonic() + PATIENCE
        while True:
            found = re.search(pattern, self.text[self.start:])
            if found:
                self.start += found.end()
                return found
            if not self.read(end - time.monotonic()):
                raise Missing(f"{pattern!r} did not appear in\n{self.text[self.start:][-3000:]!r}")

    def send(self, keys):
        os.write(self.fd, keys.encode())

    def prompt(self, prompt=r"kvmap> "):
        self.expect(prompt)
        # The editor prints its prompt first, and then takes the terminal over.
        end = time.monotonic() + PATIENCE
        while termios.tcgetattr(self.fd)[3] & termios.ICANON and time.monotonic() < end:
            time.sleep(0.001)

    def end(self):
        """Reads to the end. The exit status, or minus the signal."""
        while self.read(PATIENCE):
            pass
        status = os.waitpid(self.pid, 0)[1]
        self.pid = 0
        os.close(self.fd)
        return os.waitstatus_to_exitcode(status)

    def expect_end(self, wanted):
        status = self.end()
        if status != wanted:
            raise Missing(f"status {status}, wanted {wanted}; the end of the output:\n{self.text[-3000:]}")


def too_long(text, columns):
    lines = re.sub(r"\x1b\[[0-9;?]*[a-zA-Z]", "", text).replace("\r", "\n").split("\n")
    return [line for line in lines if len(line) > columns]


def test(name, arguments=(), columns=110, command="shell", before=None):
    def run(body):
        terminal = Terminal(*arguments, columns=columns, command=command, before=before)
        try:
            body(terminal)
            report(name, True)
        except (Missing, AssertionError) as error:
            report(name, False, error)
            if terminal.pid:
                os.kill(terminal.pid, signal.SIGKILL)
                os.waitpid(terminal.pid, 0)
    return run


@test("operations are typed, and Ctrl-D ends with the verdict's status")
def _(shell):
    shell.prompt()
    shell.send("a = vmalloc 64K\r")
    shell.expect(r"\+ area 'a' 0x[0-9a-f]+, 64 KiB: new")
    shell.expect("verified: ")
    shell.prompt()
    shell.send("\x04")
    shell.expect("VERIFIED: ")
    shell.expect_end(0)


@test("the line can be edited, and the history brings lines back")
def _(shell):
    shell.prompt()
    # One letter is wrong, and mended.
    shell.send("a = vmallox 4K\x1b[D\x1b[D\x1b[D\x7fc\r")
    shell.expect("0x[0-9a-f]+, 4 KiB")
    shell.prompt()
    shell.send("purge\r")
    shell.expect("flushed")
    shell.prompt()
    shell.send("\x1b[A\x1b[A\r")
    shell.expect("area 'a' 0x[0-9a-f]+, 4 KiB: new")
    shell.prompt()
    shell.send("exit\r")
    shell.expect_end(0)


@test("mistyped lines are explained, and letters of other scripts are seen")
def _(shell):
    shell.prompt()
    for line, wanted in (("a = vmalock 4K", "did you mean 'vmalloc'"), ("mpa", "did you mean `map`"),
                         ("vfree b", "unknown variable 'b'"), ("exit now", "an argument too many"),
                         ("print \"\u00e4\"", "ASCII"), ("x" * 3000, "a line of 3000 bytes"),
                         ("map --range " + "y" * 1500, "the line is too long"), ("", ""), ("  # comment", "")):
        shell.send(line + "\r")
        shell.expect(wanted)
        shell.prompt()
    shell.send("quit\r")
    shell.expect("VERIFIED: ")
    shell.expect_end(0)


@test("Tab completes operations, variables and commands")
def _(shell):
    shell.prompt()
    shell.send("big_area = vmalloc_h\t 2M\r")
    shell.expect("area 'big_area' 0x[0-9a-f]+, 2 MiB: new")
    shell.prompt()
    shell.send("vfree b\t\r")
    shell.expect("area 'big_area' .*: (freed|gone)")
    shell.prompt()
    shell.send("proc me\t\r")
    shell.expect("MemTotal:")
    shell.prompt()
    shell.send("vmalloc_\t")
    shell.expect("vmalloc_array +vmalloc_huge")
    shell.send("\x15exit\r")
    shell.expect_end(0)


@test("Ctrl-C drops the line at the prompt, and a block")
def _(shell):
    shell.prompt()
    shell.send("a = vmalloc 4")
    shell.expect("vmalloc 4")
    shell.send("\x03")
    shell.expect(r"\^C")
    shell.prompt()
    shell.send("repeat 2\r")
    shell.prompt("     > ")
    shell.send("purge\r")
    shell.prompt("     > ")
    shell.send("\x03")
    shell.prompt()
    shell.send("a = vmalloc 8K\r")
    shell.expect("8 KiB: new")
    shell.prompt()
    shell.send("\x04")
    shell.expect_end(0)


@test("Ctrl-C stops a guest that hangs, which can be inspected, continued, stopped again and restarted")
def _(shell):
    shell.prompt()
    shell.send("a = vmalloc 4K\r")
    shell.expect("verified")
    shell.prompt()
    for keys in ("crash hang\r", "continue\r"):
        shell.send(keys)
        # Early or late: it stops before the operation, or in it.
        shell.expect("\n")
        shell.send("\x03")
        shell.expect(r"stopped at shell:2: crash hang")
        shell.prompt(r"kvmap \(stopped\)> ")
        shell.send("backtrace\r")
        shell.expect("ring_run")
        shell.prompt(r"kvmap \(stopped\)> ")
        shell.send("map\r")
        shell.expect("direct map")
        shell.prompt(r"kvmap \(stopped\)> ")
        shell.send("vfree a\r")
        shell.expect("is stopped in the middle of an operation: `continue`")
        shell.prompt(r"kvmap \(stopped\)> ")
    shell.send("restart\r")
    shell.prompt()
    shell.send("a = vmalloc 16K\r")
    shell.expect("16 KiB: new")
    shell.prompt()
    shell.send("\x04")
    shell.expect_end(0)


@test("Ctrl-C stops a guest that hangs after a map that was watched, too")
def _(shell):
    shell.prompt()
    shell.send("map --watch\r")
    shell.expect("direct map")
    shell.send("\x03")
    shell.prompt()
    shell.send("crash hang\r")
    shell.expect("\n")
    shell.send("\x03")
    shell.expect(r"stopped at shell:1: crash hang")
    shell.prompt(r"kvmap \(stopped\)> ")
    shell.send("\x04")
    shell.expect_end(0)


@test("a hang of several CPUs, too", ("--cpus", "3"))
def _(shell):
    shell.prompt()
    shell.send("on cpu 2 crash hang\r")
    shell.expect("\n")
    shell.send("\x03")
    shell.expect("stopped at")
    shell.prompt(r"kvmap \(stopped\)> ")
    shell.send("backtrace --cpu 2\r")
    shell.expect("CPU 2: ")
    shell.prompt(r"kvmap \(stopped\)> ")
    shell.send("\x04")
    shell.expect("Not verified: what the guest was stopped in: (shell:1: on cpu 2 crash hang|before)")
    shell.expect_end(0)


@test("findings in the middle of an operation are not called so", ("--guest", os.environ["MUTANT_GUEST"]))
def _(shell):
    shell.prompt()
    for line, what in (("verify off", ""), ("a = vmalloc 4K", "4 KiB: new"), ("bug guard-mapped", "done"),
                       ("bug lost-frame", "done")):
        shell.send(line + "\r")
        shell.expect(what)
        shell.prompt()
    for keys in itertools.chain(("crash hang\r",), itertools.repeat("continue\r")):
        shell.send(keys)
        shell.expect("\n")
        shell.send("\x03")
        shell.expect("stopped at")
        shell.prompt(r"kvmap \(stopped\)> ")
        shell.send("areas\r")
        # A guest that has not begun with it yet has findings.
        if shell.expect("MAPPED: V3|not verified: claims and tables differ").group() != "MAPPED: V3":
            break
        shell.prompt(r"kvmap \(stopped\)> ")
    shell.expect("while a CPU is in an operation, CPU 0 in line 4 of its script: `continue`")
    shell.prompt(r"kvmap \(stopped\)> ")
    shell.send("frames\r")
    shell.expect("not verified: claims and tables differ while a CPU is in an operation, CPU 0 in line 4 of its script: `continue`")
    shell.prompt(r"kvmap \(stopped\)> ")
    shell.send("frames a\r")
    shell.expect("Frame 0x")
    shell.prompt(r"kvmap \(stopped\)> ")
    shell.send("restart\r")
    shell.prompt()
    shell.send("\x04")
    shell.expect_end(0)


@test("a guest that dies leaves the prompt and what can be looked at, and status 1")
def _(shell):
    shell.prompt()
    shell.send("crash triple-fault\r")
    shell.expect("a triple fault")
    shell.prompt(r"kvmap \(dead\)> ")
    shell.send("vfree a\r")
    shell.expect("`restart` boots it anew")
    shell.prompt(r"kvmap \(dead\)> ")
    shell.send("exit\r")
    shell.expect("NOT VERIFIED")
    shell.expect_end(1)


@test("lines of 60 columns fit", columns=60)
def _(shell):
    shell.prompt()
    for line in ("a = vmalloc 64K", "repeat 20", "b = vmalloc 4K", "vfree b", "end", "vfree a", "vfree a", "help"):
        shell.send(line + "\r")
        shell.prompt(r"(kvmap|     )> ")
    shell.send("\t")
    shell.expect("(?s)areas.*\n.*vmalloc_huge")
    shell.expect("kvmap> ")
    assert not too_long(shell.text, 60), "\n".join(too_long(shell.text, 60))
    shell.send("\x04")
    shell.end()


@test("a shell that was stopped goes on with the line that was begun")
def _(shell):
    shell.prompt()
    shell.send("a = vmal")
    shell.expect("a = vmal")
    os.kill(shell.pid, signal.SIGSTOP)
    os.waitid(os.P_PID, shell.pid, os.WSTOPPED)
    # As a shell with jobs does, and programs that run meanwhile.
    modes = termios.tcgetattr(shell.fd)
    modes[3] |= termios.ICANON | termios.ECHO
    termios.tcsetattr(shell.fd, termios.TCSANOW, modes)
    os.kill(shell.pid, signal.SIGCONT)
    shell.expect("kvmap> a = vmal")
    shell.prompt("")
    shell.send("\t\t")
    shell.expect("vmalloc_huge")
    shell.expect("kvmap> a = vmalloc")
    shell.send(" 64K\r")
    shell.expect("64 KiB: new")
    shell.prompt()
    shell.send("\x04")
    shell.expect_end(0)


@test("a line wraps where the terminal ends now")
def _(shell):
    shell.prompt()
    shell.resize(60)
    os.kill(shell.pid, signal.SIGWINCH)
    shell.send("print \"" + "x" * 55)
    # 60 columns, with the prompt; then something that goes to the next one.
    shell.expect(r"x{46}[^x]+x{9}")
    shell.send("\"\r")
    shell.expect("done")
    shell.prompt()
    shell.send("\x04")
    shell.expect_end(0)


@test("map --watch shows in another terminal what comes and goes", ("--control", "auto"))
def _(shell):
    shell.prompt()
    watch = Terminal("--watch", str(shell.pid), command="map")
    try:
        watch.expect("direct map")
        shell.send("a = vmalloc 64K\r")
        shell.prompt()
        watch.expect(r"\+ 0xffffc90000000000 +64 KiB .* 'a'")
        watch.expect(r"  0xffffc90000000000 +64 KiB .* 'a'")
        shell.send("vfree a\r")
        shell.prompt()
        watch.expect(r"- 0xffffc90000000000 +64 KiB .* 'a'")
        # Another width is no change of the guest.
        watch.resize(80)
        start = len(watch.text)
        watch.expect("direct map")
        shell.send("b = vmalloc 64K\r")
        shell.prompt()
        watch.expect(r"\+ 0xffffc90000011000 +64 KiB .*")
        assert not re.search(r"[-+] 0xffff888", watch.text[start:]), watch.text[start:]
        watch.send("\x03")
        watch.expect_end(0)
    finally:
        if watch.pid:
            os.kill(watch.pid, signal.SIGKILL)
            os.waitpid(watch.pid, 0)
    shell.send("\x04")
    shell.expect_end(0)


LONG = "repeat 5000; a = vmalloc 64K; vfree a; end; b = vmalloc 16K"


@test("run --watch shows what comes and goes, the end, and the report", ("--watch", "--timeout", "100000", "-e", LONG),
      command="run")
def _(run):
    run.expect("direct map")
    # A fast guest may be at its end already.
    run.expect(r"[+ ] 0xffffc9[0-9a-f]+ +16 KiB .* 'b'")
    run.expect("5,?000 times")
    run.expect("VERIFIED: ")
    run.expect_end(0)


@test("run --watch fits into 60 columns", ("--watch", "--timeout", "100000", "-e", LONG), command="run", columns=60)
def _(run):
    run.expect(r"(0x|\+ )ffffc9[0-9a-f]+ +16 KiB ")
    run.expect("VERIFIED: ")
    run.expect_end(0)
    assert not too_long(run.text, 60), "\n".join(too_long(run.text, 60))


def leave_socket():
    """What a process with this number that was killed leaves."""
    folder = os.path.join(os.environ["XDG_RUNTIME_DIR"], "kvmap")
    os.makedirs(folder, 0o700, exist_ok=True)
    left = socket.socket(socket.AF_UNIX)
    left.bind(os.path.join(folder, f"{os.getpid()}.sock"))
    left.close()


@test("run --watch takes the place of a socket that another process left", ("--watch", "-e", "b = vmalloc 16K"), command="run",
      before=leave_socket)
def _(run):
    run.expect(r"[+ ] 0xffffc9[0-9a-f]+ +16 KiB .* 'b'")
    run.expect("VERIFIED: ")
    run.expect_end(0)


@test("Ctrl-C ends run --watch with the report of what was done", ("--watch", "-e", "crash hang"), command="run")
def _(run):
    run.expect("direct map")
    run.send("\x03")
    run.expect("INTERRUPTED by SIGINT")
    run.expect_end(-signal.SIGINT)


@test("run --watch ends at once when there is no VM", ("--watch", "--control", "/none/socket"), command="run")
def _(run):
    run.expect("/none/socket: no control socket")
    run.expect_end(2)


@test("SIGTERM ends it")
def _(shell):
    shell.prompt()
    os.kill(shell.pid, signal.SIGTERM)
    shell.expect_end(-signal.SIGTERM)


print(f"1..{number}")
sys.exit(failed)
