"""jupyter_kernel_test over our kernel, every sample filled; and what it does not ask: interrupts in four kinds of loop,
by message and by signal, much output, output that is no UTF-8, restart, user expressions, aborted requests.

Run by the tests as: python kernel_conformance.py BSS_LUA [unittest options]. KERNEL_HOME gets the kernel's specification.
"""
import os
import signal
import subprocess
import sys
import time
import unittest

import jupyter_kernel_test
from jupyter_client.manager import start_new_kernel

PROGRAM = sys.argv.pop(1)
HOME = os.environ["KERNEL_HOME"]
subprocess.run([PROGRAM, "kernel", "install", "--prefix", HOME, "--quiet"], check=True)
os.environ["JUPYTER_PATH"] = HOME + "/share/jupyter"
KERNEL = "bss-lua"


class Conformance(jupyter_kernel_test.KernelTests):
    kernel_name = KERNEL
    language_name = "lua"
    file_extension = ".lua"
    code_hello_world = 'print("hello, world")'
    code_stderr = 'io.stderr:write("oops\\n")'
    completion_samples = [
        {"text": "string.for", "matches": {"string.format"}},
        {"text": "bss.pace.ro", "matches": {"bss.pace.root"}},
    ]
    complete_code_samples = ["x = 1", "for i = 1, 2 do\nend", "1 + 1"]
    incomplete_code_samples = ["for i = 1, 2 do", "f(", "[[ text"]
    invalid_code_samples = ["x = = 1", "end"]
    code_page_something = "?bss.pace.root"
    code_generate_error = "error('boom')"
    code_execute_result = [
        {"code": "6 * 7", "result": "42"},
        {"code": "x = 3\nx + 1", "result": "4"},
        {"code": "'a' .. 'b'", "result": '"ab"'},
    ]
    code_display_data = [{"code": "bss.repl.show(bss.plot.line{ 1, 4, 9 })", "mime": "image/svg+xml"}]
    code_history_pattern = "6 * ?"
    supported_history_operations = ("tail", "range", "search")
    code_inspect_sample = "bss.pace.root"
    code_clear_output = "%clear"


def run(client, code, timeout=30, **options):
    """The reply and what was published meanwhile."""
    shown = []
    reply = client.execute_interactive(code, timeout=timeout, output_hook=shown.append, **options)
    return reply["content"], shown


class Beyond(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.manager, cls.client = start_new_kernel(kernel_name=KERNEL)

    @classmethod
    def tearDownClass(cls):
        cls.client.stop_channels()
        cls.manager.shutdown_kernel()

    def interrupted(self, code, interrupt):
        request = self.client.execute(code)
        time.sleep(0.6)
        start = time.monotonic()
        interrupt()
        while True:
            reply = self.client.get_shell_msg(timeout=10)
            if reply["parent_header"].get("msg_id") == request:
                break
        seconds = time.monotonic() - start
        self.assertEqual(reply["content"]["status"], "error", code)
        self.assertEqual(reply["content"]["ename"], "KeyboardInterrupt", code)
        reply, shown = run(self.client, "1 + 1")
        self.assertEqual(reply["status"], "ok")
        return seconds

    LOOPS = [
        "while true do end",
        "coroutine.wrap(function() while true do end end)()",
        "while true do pcall(function() while true do end end) end",
        "a = bss.randn{ 1500, 1500 } for i = 1, 1000 do b = a:matmul(a) end",
    ]

    def test_interrupts(self):
        slowest = 0
        process = self.manager.provisioner.process
        for code in self.LOOPS:
            slowest = max(slowest, self.interrupted(code, self.manager.interrupt_kernel))
            slowest = max(slowest, self.interrupted(code, lambda: os.kill(process.pid, signal.SIGINT)))
        print(f"slowest interrupt of {2 * len(self.LOOPS)}: {1000 * slowest:.0f} ms")
        self.assertLess(slowest, float(os.environ.get("KERNEL_LIMIT", "0.2")))

    def test_much_output(self):
        count, lines = 0, []

        def hook(message):
            nonlocal count
            if message["msg_type"] == "stream":
                count += len(message["content"]["text"])

        code = "local s = ('x'):rep(1023) .. '\\n' for i = 1, 100 * 1024 do io.write(s) end"
        reply = self.client.execute_interactive(code, timeout=180, output_hook=hook)
        self.assertEqual(reply["content"]["status"], "ok")
        self.assertEqual(count, 100 << 20)
        self.assertEqual(run(self.client, "1 + 1")[0]["status"], "ok")

    def test_output_that_is_no_utf8(self):
        reply, shown = run(self.client, r"io.write('a\xff\xfeb\u{e9}\n') print(('\u{20ac}'):rep(70000))")
        self.assertEqual(reply["status"], "ok")
        text = "".join(m["content"]["text"] for m in shown if m["msg_type"] == "stream")
        self.assertTrue(text.startswith("a\ufffd\ufffdb\u00e9\n"), repr(text[:20]))
        self.assertEqual(text.count("\u20ac"), 70000)

    def test_output_of_children_and_order(self):
        reply, shown = run(self.client, "print('one') os.execute('echo two') io.stderr:write('three\\n') 4")
        text = "".join(m["content"]["text"] for m in shown if m["msg_type"] == "stream" and m["content"]["name"] == "stdout")
        self.assertEqual(text, "one\ntwo\n")
        self.assertEqual(shown[-2]["msg_type"], "execute_result")

    def test_messages_of_a_request_stand_together(self):
        """However requests follow each other: busy, the code, what it wrote and gave, idle; nothing of another's."""
        count = 400
        asked = {self.client.execute(f"print({i}) io.stderr:write({i}) {i}"): str(i) for i in range(count)}
        seen = {request: [] for request in asked}
        while not all(messages and messages[-1] == ("status", "idle") for messages in seen.values()):
            message = self.client.get_iopub_msg(timeout=20)
            content = message["content"]
            text = content.get("execution_state") or content.get("text") or content.get("code") or ""
            seen.get(message["parent_header"].get("msg_id"), []).append((message["msg_type"], text.strip()))
        for _ in asked:
            self.client.get_shell_msg(timeout=20)
        for request, number in asked.items():
            messages = seen[request]
            self.assertEqual(messages[0], ("status", "busy"), messages)
            self.assertEqual(messages[1][0], "execute_input", messages)
            self.assertEqual(sorted(messages[2:4]), [("stream", number)] * 2, messages)
            self.assertEqual([kind for kind, _ in messages[4:]], ["execute_result", "status"], messages)

    def test_reading_input(self):
        self.client.allow_stdin = True
        request = self.client.execute("name = io.read() name .. '!'", allow_stdin=True)
        question = self.client.get_stdin_msg(timeout=10)
        self.assertEqual(question["msg_type"], "input_request")
        self.client.input("Ada")
        while True:
            message = self.client.get_iopub_msg(timeout=10)
            if message["msg_type"] == "execute_result":
                break
        self.assertEqual(message["content"]["data"]["text/plain"], '"Ada!"')
        self.client.get_shell_msg(timeout=10)
        reply, _ = run(self.client, "io.read()", allow_stdin=False)
        self.assertEqual(reply["status"], "error")

    def test_rich_results(self):
        _, shown = run(self.client, "bss.plot.line{ 1, 4, 9 }")
        data = [m for m in shown if m["msg_type"] == "execute_result"][0]["content"]["data"]
        self.assertIn("image/svg+xml", data)
        self.assertIn("text/plain", data)
        _, shown = run(self.client, "{ { name = 'a<b', x = 1 }, { name = 'c', x = 2.5 } }")
        data = [m for m in shown if m["msg_type"] == "execute_result"][0]["content"]["data"]
        self.assertIn("<td>a&lt;b</td>", data["text/html"])
        self.assertEqual(data["application/vnd.bss-lua.value+json"]["kind"], "table")
        code = "r = bss.train{ data = bss.data.synthetic{ samples = 90, classes = 3 }, epochs = 1 }\n"
        for value in ["r", "r:confusion('test')"]:
            _, shown = run(self.client, code + value)
            data = [m for m in shown if m["msg_type"] == "execute_result"][0]["content"]["data"]
            self.assertIn("<table>", data["text/html"], value)

    def test_user_expressions_and_silence(self):
        reply, shown = run(self.client, "y = 5", user_expressions={"twice": "y * 2", "wrong": "nothing.x"})
        self.assertEqual(reply["user_expressions"]["twice"]["data"]["text/plain"], "10")
        self.assertEqual(reply["user_expressions"]["wrong"]["status"], "error")
        before, _ = run(self.client, "1")
        reply, shown = run(self.client, "8", silent=True)
        self.assertFalse([m for m in shown if m["msg_type"] == "execute_result"])
        after, _ = run(self.client, "1")
        self.assertEqual(after["execution_count"], before["execution_count"] + 1)

    def test_requests_after_an_error_are_aborted(self):
        first = self.client.execute("for i = 1, 3e7 do end error('x')")
        second = self.client.execute("z = 1")
        status = {}
        while len(status) < 2:
            reply = self.client.get_shell_msg(timeout=20)
            status[reply["parent_header"]["msg_id"]] = reply["content"]["status"]
        self.assertEqual((status[first], status[second]), ("error", "aborted"))

    def test_errors_name_cell_and_line(self):
        reply, _ = run(self.client, "a = 1\nerror('boom')")
        self.assertRegex(reply["evalue"], r"cell \d+:2: boom")
        self.assertTrue(any("error('boom')" in line for line in reply["traceback"]))


class Lifetime(unittest.TestCase):
    def test_restart_and_shutdown(self):
        manager, client = start_new_kernel(kernel_name=KERNEL)
        self.assertEqual(run(client, "kept = 1")[0]["status"], "ok")
        manager.restart_kernel(now=False)
        client.wait_for_ready(timeout=30)
        reply, _ = run(client, "assert(rawget(_G, 'kept') == nil)")
        self.assertEqual(reply["status"], "ok")
        client.execute("while true do end")
        time.sleep(0.3)
        start = time.monotonic()
        client.stop_channels()
        manager.shutdown_kernel()
        self.assertLess(time.monotonic() - start, 3)
        self.assertFalse(manager.is_alive())

    def test_a_kernel_goes_with_its_client(self):
        """Also out of a cell that never ends."""
        code = (
            "import os, sys, time; from jupyter_client.manager import start_new_kernel\n"
            "manager, client = start_new_kernel(kernel_name='bss-lua'); client.execute('while true do end')\n"
            "time.sleep(0.5); print(manager.provisioner.process.pid, flush=True); os._exit(0)"
        )
        pid = int(subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60).stdout)
        deadline = time.monotonic() + 5
        while os.path.exists(f"/proc/{pid}") and time.monotonic() < deadline:
            time.sleep(0.05)
        self.assertFalse(os.path.exists(f"/proc/{pid}"))


if __name__ == "__main__":
    unittest.main(verbosity=1)
