# SPDX-License-Identifier: MIT
"""A shell in tmux, a server of its own; no test here."""

import os
import shutil
import subprocess
import time

import pytest

DEADLINE = 30
PROMPT = "ready>"


class Tmux:
    def __init__(self, directory, columns=80, lines=24):
        self.socket = os.path.join(directory, "tmux")
        self.asked = 0
        environment = {name: value for name, value in os.environ.items()
                       if name not in ("TMUX", "NO_COLOR", "COLUMNS", "LINES")}
        # the server's sizes are those of its windows: nobody is attached
        self.environment = dict(environment, LC_ALL="C.UTF-8")
        self("-f", "/dev/null", "new-session", "-d", "-x", str(columns), "-y", str(lines),
             f"exec env PS1='{PROMPT} ' bash --norc --noprofile")
        self("set-option", "-g", "window-size", "manual")
        self.wait_for(PROMPT)

    def __call__(self, *arguments):
        done = subprocess.run(["tmux", "-S", self.socket, *arguments], env=self.environment,
                              stdout=subprocess.PIPE, text=True, timeout=DEADLINE, check=False)
        return done.stdout

    def text(self):
        return self("capture-pane", "-p")

    def wait(self, condition, what):
        deadline = time.monotonic() + DEADLINE
        while time.monotonic() < deadline:
            if condition():
                return
            time.sleep(0.05)
        raise AssertionError(f"waited for {what}; the screen is\n{self.text()}")

    def wait_for(self, text):
        self.wait(lambda: text in self.text(), repr(text))

    def wait_without(self, text):
        self.wait(lambda: text not in self.text(), "no " + repr(text))

    def type(self, text):
        self("send-keys", "-l", text)

    def press(self, *keys):
        self("send-keys", *keys)

    def run(self, command):
        self.type(command)
        self.press("Enter")

    def resize(self, columns, lines):
        self("resize-window", "-x", str(columns), "-y", str(lines))

    def modes(self):
        """What the terminal is set to, as the shell's next command sees it."""
        self.asked += 1  # what was said the last time may be on the screen again
        end = f"that is all of {self.asked}"
        self.run("clear; stty -a; echo " + end.replace(" ", "' '"))
        self.wait_for(end)
        return self.text().partition(end)[0]

    def flag(self, name):
        """alternate_on, mouse_any_flag, cursor_flag..."""
        return self("display-message", "-p", "#{" + name + "}").strip()

    def close(self):
        self("kill-server")


def need_tmux():
    if shutil.which("tmux"):
        return
    (pytest.fail if os.environ.get("FIREGLASS_CI") == "1" else pytest.skip)("needs tmux")
