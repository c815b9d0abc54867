"""
Known ways out of sandboxes: none may lead out of ours.
"""

from __future__ import annotations

import time

from sipsorcery.appserver.plans.engine import End, HostCall
from tests.appserver.python.test_engine import EngineCase

# Each would get hold of the system, of the interpreter, or of the host, if it came to
# its last line.
WAYS_OUT = """
().__class__.__base__.__subclasses__()
().__class__.__mro__[1].__subclasses__()
object.__subclasses__()
type(sys).__mro__[1].__subclasses__()
sys.__class__.__init__.__globals__
sys.dial.__globals__
sys.dial.__func__.__globals__
sys.dial.__self__.__dict__
sys.__dict__["dial"]
sys.__reduce_ex__(2)
req.__init__.__globals__["os"]
getattr(sys, "_" + "_class__").__bases__
vars(sys)["dial"]
(lambda: 0).__code__.co_consts
(lambda: 0).__globals__
(x for x in [1]).gi_frame.f_back.f_globals
print.__self__.__dict__
str.__dict__["format"]
__builtins__["open"]
globals()["__builtins__"]
__import__("os").system("id")
__import__("subprocess").run("id")
import ctypes; ctypes.CDLL(None)
import subprocess; subprocess.run("id")
import importlib; importlib.import_module("os")
import socket; socket.socket()
import pickle; pickle.loads(b"cos\\nsystem\\n(S'id'\\ntR.")
import gc; gc.get_objects()
import inspect; inspect.stack()
import builtins; builtins.open("/etc/passwd")
import sipsorcery
import os; os.system("id")
import os; os.fork()
import os; os.listdir("/")
import os; os.environ["PATH"]
import pathlib; pathlib.Path("/etc/passwd").read_text()
open("/etc/passwd").read()
open("/tmp/x", "w").write("x")
eval("__import__('os').system('id')")
exec("import subprocess")
compile("1", "", "eval")
breakpoint()
input()
"{0.__class__.__init__.__globals__}".format(sys)
"{0.dial.__globals__}".format(sys)
f"{sys.__class__.__init__.__globals__}"
"%(a)s".__mod__.__self__.__class__.__subclasses__()
Exception().__traceback__.tb_frame
""".strip().splitlines()

RESOURCES = """
while True: pass
x = [0]\\nwhile True: x += x
x = 10 ** 10 ** 8
x = 'x' * 10 ** 10
x = {}\\nfor i in range(10 ** 9): x[i] = i
x = list(range(10 ** 9))
def f(): f()\\nf()
x = []\\nfor i in range(10 ** 7): x = [x]
x = 2\\nwhile True: x = x ** 2
x = str(10 ** 4000) * 10 ** 6
x = sum(i for i in iter(int, 1))
import re\\nre.match(r'(a|a)*(a|a)*(a|a)*b', 'a' * 30000)
import json\\njson.loads('[' * 10 ** 6)
sorted(range(10 ** 9))
while True: print('x' * 10000)
x = [0] * 1000\\nfor i in range(3): x = [x] * 1000\\nsys.dial(x)
x = [0] * 1000\\nfor i in range(3): x = [x] * 1000\\nraise ValueError(x)
x = ['a' * 60000] * 1000\\nx = [x] * 1000\\nsys.dial(x)
sys.dial('a' * 10 ** 8)
sys.dial(*range(10 ** 6))
sys.dial(b'a' * 10 ** 7)
while True: print('x' * 60000, end='')
while True: sys.log('x' * 60000)
x = [0] * 1000\\nfor i in range(3): x = [x] * 1000\\nx
raise SystemExit('x' * 10 ** 7)
raise ValueError('x' * 10 ** 7)
while True: sys.nosuch
try:\\n    while True: pass\\nexcept BaseException:\\n    while True: pass
""".strip().splitlines()


class EscapeTests(EngineCase):
    def test_ways_out(self) -> None:
        """
        What would lead out of the sandbox is an error of the dialplan.
        """
        through = []
        for way in WAYS_OUT:
            step = self.step(f"{way}\nsys.log('OUT')")
            if isinstance(step, HostCall) or "OUT" in step.lines:
                through.append(way)
        self.assertEqual(through, [])

    def test_resources(self) -> None:
        """
        What would take all time or memory ends soon, and the next run is as ever.
        """
        for script in RESOURCES:
            began = time.monotonic()
            step = self.step(script.replace("\\n", "\n"))
            self.assertIsInstance(step, End, script)
            # The limit is 0.2 s; beyond it the worker is killed a second later.
            self.assertLess(time.monotonic() - began, 5, script)
            self.assertIsInstance(self.step("sys.dial('a')"), HostCall, script)

    def test_tampering(self) -> None:
        """
        Whatever a dialplan does to its objects, the host keeps its own.
        """
        run, step = self.start(
            "sys.username = 'admin'\n"
            "req.method = 'x'\n"
            "sys.last_failure_status = 200\n"
            "sys.dial('a')"
        )
        self.assertIsInstance(step, HostCall)
        self.assertEqual(run.request.owner, "joe")
        step = self.go_on(run, {"status": 486, "reason": "Busy"})
        self.assertEqual(step, End(486, "Busy"))

    def test_shadowing(self) -> None:
        """
        A dialplan that puts something of its own in the place of sys deceives itself.
        """
        script = (
            "class Sys:\n    def dial(self, to): return 1\nsys = Sys()\nsys.dial('a')"
        )
        self.assertIsInstance(self.step(script), End)
