"""A run of lookaside whose three streams are one terminal, at which a test types."""
import os
import pty
import re
import select
import time

PROMPT = r"\(lookaside\) $"  # the monitor's


class Terminal:
    """Starts the command. `complain` is called with a text when something does not come."""

    def __init__(self, command, complain, limit_seconds=30):
        self.complain, self.limit_seconds = complain, limit_seconds
        self.child, self.master = pty.fork()
        if self.child == 0:
            os.execv(command[0], command)
        self.text, self.is_closed = "", False

    def read(self, seconds):
        if not select.select([self.master], [], [], seconds)[0]:
            return False
        try:
            part = os.read(self.master, 65536)
        except OSError:  # the other side is closed
            part = b""
        self.is_closed = not part
        self.text += part.decode("latin-1").replace("\r", "")
        return bool(part)

    def until(self, pattern):
        """What stands before and in the first match, which must come within the limit."""
        end = time.monotonic() + self.limit_seconds
        while not (found := re.search(pattern, self.text)):
            if not self.read(1) and (self.is_closed or time.monotonic() > end):
                self.complain(f"{pattern!r} did not come, but {self.text[-300:]!r}")
                return ""
        before, self.text = self.text[:found.end()], self.text[found.end():]
        return before

    def type(self, text):
        os.write(self.master, text.encode())

    def monitor(self):
        """From the guest to the monitor; what that says first."""
        self.type("\x01c")
        return self.until(PROMPT)

    def ask(self, line):
        """The monitor's answer to a line."""
        self.type(line + "\n")
        return self.until(PROMPT)

    def end(self):
        while self.read(20):
            pass
        return os.waitstatus_to_exitcode(os.waitpid(self.child, 0)[1])
