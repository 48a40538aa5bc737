"""The prompt as its user waits for it, on a pseudo-terminal: prompt.py BSS_LUA COUNT.

A line a measurement, in microseconds: `p_ready` from the start of the process to the prompt, `p_tab` from Tab to the
completed word, at a part and at an option.
"""
import os
import pty
import select
import signal
import sys
import tempfile
import time

program, count = sys.argv[1], int(sys.argv[2])


class Prompt:
    def __init__(self, home):
        self.begin = time.perf_counter()
        self.pid, self.terminal = pty.fork()
        if self.pid == 0:
            os.execve(program, [program], {"HOME": home, "TERM": "xterm-256color", "LANG": "C.UTF-8"})

    def wait(self, text):
        seen = b""
        while text not in seen:
            if not select.select([self.terminal], [], [], 10)[0]:
                sys.exit(f"{text} did not come: {seen}")
            seen += os.read(self.terminal, 65536)
        return time.perf_counter()

    def type(self, keys, text):
        begin = time.perf_counter()
        os.write(self.terminal, keys)
        return self.wait(text) - begin

    def end(self):
        os.kill(self.pid, signal.SIGKILL)
        os.waitpid(self.pid, 0)
        os.close(self.terminal)


with tempfile.TemporaryDirectory() as home:
    for _ in range(count):
        prompt = Prompt(home)
        print("p_ready", round(1e6 * (prompt.wait(b"]> ") - prompt.begin)))
        for typed, completed in [(b"bss.scheduler.lea", b"rned"), (b"bss.scheduler.learned{ every = 2, be", b"ta")]:
            prompt.type(typed, typed[-3:])
            print("p_tab", round(1e6 * prompt.type(b"\t", completed)))
            prompt.type(b"\x03", b"]> ")
        prompt.end()
