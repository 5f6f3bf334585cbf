# SPDX-License-Identifier: MIT
"""A program in a terminal that pyte emulates; no test here.

Nothing sleeps to synchronise: what is written is read until the screen shows what is waited for, with a
deadline that fails the test.
"""

import codecs
import contextlib
import fcntl
import os
import pty
import select
import signal
import struct
import termios
import time

import pyte

DEADLINE = 30
KEYS = {
    "up": "\033OA", "down": "\033OB", "right": "\033OC", "left": "\033OD",
    "home": "\033[1~", "end": "\033[4~", "page-up": "\033[5~", "page-down": "\033[6~",
    "enter": "\r", "escape": "\033", "backspace": "\x7f", "tab": "\t", "back-tab": "\033[Z",
    "f1": "\033OP", "f2": "\033OQ", "f3": "\033OR", "f4": "\033OS", "f5": "\033[15~",
    "f6": "\033[17~", "f7": "\033[18~", "f8": "\033[19~", "f9": "\033[20~", "f10": "\033[21~",
    "ctrl-c": "\x03", "ctrl-l": "\x0c", "ctrl-z": "\x1a",
}  # fmt: skip


def set_size(fd, columns, lines):
    fcntl.ioctl(fd, termios.TIOCSWINSZ, struct.pack("HHHH", lines, columns, 0, 0))


class Screen(pyte.Screen):
    """With scrolling by several lines (SU, SD), which pyte has not."""

    def scroll_up(self, count=1):
        self.scroll(count, (self.margins or pyte.screens.Margins(0, self.lines - 1)).bottom, self.index)

    def scroll_down(self, count=1):
        self.scroll(count, (self.margins or pyte.screens.Margins(0, self.lines - 1)).top,
                    self.reverse_index)

    def scroll(self, count, line, by_one):
        was, self.cursor.y = self.cursor.y, line
        for _ in range(count or 1):
            by_one()
        self.cursor.y = was


class Stream(pyte.Stream):
    csi = dict(pyte.Stream.csi, S="scroll_up", T="scroll_down")
    events = pyte.Stream.events | {"scroll_up", "scroll_down"}


class Terminal:
    """The program's end is a session of its own, as after a login."""

    def __init__(self, argv, columns=80, lines=24, env=None, cwd=None):
        environment = dict(os.environ, TERM="screen-256color", LC_ALL="C.UTF-8")
        for name in ("NO_COLOR", "COLUMNS", "LINES"):
            environment.pop(name, None)
        for name, value in (env or {}).items():
            environment[name] = value
            if value is None:
                environment.pop(name)
        self.screen = Screen(columns, lines)
        self.stream = Stream(self.screen)
        self.decoder = codecs.getincrementaldecoder("utf-8")("replace")
        self.written = b""  # all that came
        self.status = None
        # the other end stays open here: what it is set to can be looked at after the end
        self.fd, self.other = pty.openpty()
        set_size(self.fd, columns, lines)
        self.modes = termios.tcgetattr(self.other)
        self.pid = os.fork()
        if self.pid == 0:
            with contextlib.suppress(OSError):
                self.become(argv, environment, cwd)
            os._exit(127)

    def become(self, argv, environment, cwd):
        os.setsid()
        fcntl.ioctl(self.other, termios.TIOCSCTTY, 0)
        for fd in range(3):
            os.dup2(self.other, fd)
        os.closerange(3, 256)
        for signum in (signal.SIGINT, signal.SIGQUIT, signal.SIGPIPE, signal.SIGHUP):
            signal.signal(signum, signal.SIG_DFL)
        if cwd:
            os.chdir(cwd)
        os.execvpe(argv[0], argv, environment)

    # ---- reading

    def read(self, seconds):
        """What came within some time; False if nothing did."""
        if not select.select([self.fd], [], [], seconds)[0]:
            return False
        try:
            chunk = os.read(self.fd, 65536)
        except OSError:
            return False
        self.written += chunk
        self.stream.feed(self.decoder.decode(chunk))
        return bool(chunk)

    def wait(self, condition, what=None):
        """Reads until condition() holds, and returns what it said."""
        deadline = time.monotonic() + DEADLINE
        while time.monotonic() < deadline:
            said = condition()
            if said:
                return said
            self.read(0.05)
        raise AssertionError(f"waited for {what or condition}; the screen is\n{self.text()}")

    def wait_for(self, text):
        return self.wait(lambda: text in self.text(), repr(text))

    def wait_without(self, text):
        return self.wait(lambda: text not in self.text(), "no " + repr(text))

    def lines(self):
        return [line.rstrip() for line in self.screen.display]

    def text(self):
        return "\n".join(self.lines()).rstrip() + "\n"

    def line_with(self, text):
        return next((y for y, line in enumerate(self.lines()) if text in line), None)

    # ---- typing

    def type(self, text):
        os.write(self.fd, text.encode())

    def press(self, *keys):
        for key in keys:
            self.type(KEYS.get(key, key))

    def click(self, y, x, button=0):
        """As xterm tells it; 64 and 65 are the wheel, which is not let go."""
        for code in (button, 3) if button < 64 else (button,):
            self.type(f"\033[M{chr(32 + code)}{chr(33 + x)}{chr(33 + y)}")

    def resize(self, columns, lines):
        self.screen.resize(lines, columns)
        set_size(self.fd, columns, lines)

    # ---- the end

    def send(self, signum):
        os.kill(self.pid, signum)

    def ended(self):
        if self.status is None:
            pid, status = os.waitpid(self.pid, os.WNOHANG)
            if pid:
                self.status = os.waitstatus_to_exitcode(status)
        return self.status is not None

    def wait_end(self):
        """Its exit status, minus the number of a signal."""
        self.wait(self.ended, "the end")
        while self.read(0.05):
            pass
        return self.status

    def has_old_modes(self):
        return termios.tcgetattr(self.other)[:4] == self.modes[:4]

    def is_given_back(self):
        """Whether all that was switched on was switched off after."""
        switches = [(b"\033[?1049h", b"\033[?1049l"), (b"\033[?25l", b"\033[?25h"),
                    (b"\033[?1h", b"\033[?1l"), (b"\033[?1000h", b"\033[?1000l")]
        # the cursor has two ways of being seen
        said = self.written.replace(b"\033[34h\033[?25h", b"\033[?25h")
        return all(said.rfind(on) < said.rfind(off) for on, off in switches if on in said)

    def close(self):
        if not self.ended():
            os.kill(self.pid, signal.SIGKILL)
            self.status = os.waitstatus_to_exitcode(os.waitpid(self.pid, 0)[1])
        os.close(self.fd)
        os.close(self.other)
