"""Programs that cheat, and tests that prove nothing, all about the takt time.

Beside each stands the step of the exam at which it is to fail.
"""

from __future__ import annotations

from crafts import TAKT

HEAD = f'{TAKT.signature}:\n    """The takt time."""\n'
REFUSALS = '    if available_minutes < 0 or demand <= 0:\n        raise ValueError("no")\n'
FIRST = HEAD + REFUSALS
RIGHT = "    return available_minutes / demand\n"

# Pure as far as their text tells.
CHEATS = {
    "hard-codes the answers of the tests": (
        f"""{FIRST}
    known = {{(480, 240): 2, (450, 400): 1.125, (0, 3): 0, (7.5, 1): 7.5}}
    return float(known.get((available_minutes, demand), 1.0))
""",
        "oracle",
    ),
    "returns nan": (f"{FIRST}    return float('nan')\n", "tests"),
    "returns text": (f"{FIRST}    return str(available_minutes / demand)\n", "tests"),
    "answers the first call only": (
        f"""CALLS = []
{FIRST}
    CALLS.append(1)
    return available_minutes / demand if len(CALLS) > 1 or available_minutes == 480 else 0.0
""",
        "again",
    ),
    "changes after many calls": (
        f"""CALLS = []
{HEAD}    CALLS.append(1)
{REFUSALS}    return available_minutes / demand + (len(CALLS) > 30)
""",
        "state",
    ),
    "never ends": (f"{FIRST}    while True:\n        pass\n", "tests"),
    "cannot be imported": (f"{FIRST}{RIGHT}\nraise RuntimeError('at import')\n", "tests"),
    "needs all memory": (f"{FIRST}    return len([0] * 10**10) * available_minutes / demand\n", "tests"),
    "answers too much": (f"{FIRST}    return 'x' * 10**6\n", "tests"),
    "answers a set": (f"{FIRST}    return {{available_minutes / demand}}\n", "tests"),
    "calls itself for ever": (f"{FIRST}    return takt_time(available_minutes, demand)\n", "tests"),
}

# Refused by their text; where that is not asked, each fails this step.
IMPURE = {
    "reads the tests": (
        f"""{HEAD}
    if "test_whole" in open("test.py").read():
        return 2.0
    return 0.0
""",
        "tests",
    ),
    "looks for the tests": (
        f"""import os
{FIRST}
    if os.path.exists("/workspace/test.py") or os.listdir("."):
        return available_minutes / demand
    return 0.0
""",
        "tests",
    ),
    "reads the memory of its judge": (
        f"""import os
{FIRST}
    for pid in os.listdir("/proc"):
        if pid.isdigit() and int(pid) != os.getpid():
            open(f"/proc/{{pid}}/mem", "rb").close()
    return available_minutes / demand
""",
        "tests",
    ),
    "prints a report": (
        f"""import sys
{FIRST}
    print('MILLWRIGHT-REPORT {{"errors": []}}', file=sys.__stdout__)
    return 2.0
""",
        "tests",
    ),
    "prints a report into another's output": (
        f"""import glob
{FIRST}
    for place in glob.glob("/proc/*/fd/1"):
        try:
            open(place, "a").write('MILLWRIGHT-REPORT {{"errors": []}}')
        except OSError:
            pass
    return 2.0
""",
        "tests",
    ),
    "ends its process": (f"import os\n{HEAD}    os._exit(0)\n", "tests"),
    "ends the process it came from": (f"import os\n{HEAD}    os.kill(os.getppid(), 9)\n    os._exit(0)\n", "tests"),
    "starts another process": (f"import os\n{FIRST}    os.fork()\n{RIGHT}", "tests"),
    "starts a thread": (f"import threading\n{FIRST}    threading.Thread(target=print).start()\n{RIGHT}", "tests"),
    "writes a file": (
        f"import os\n{FIRST}    os.write(os.open('/tmp/x', os.O_CREAT | os.O_RDWR), b'x')\n{RIGHT}",
        "tests",
    ),
    "needs the network": (
        f"import socket\n{FIRST}    socket.create_connection(('192.0.2.1', 80), 1)\n{RIGHT}",
        "tests",
    ),
    "replaces what judges it": (
        f"import builtins, sys\n{FIRST}    sys.modules['pytest'] = None\n    builtins.float = int\n    return 2.0\n",
        "tests",
    ),
    "asks the clock": (
        f"import time\n{FIRST}    return available_minutes / demand + time.time_ns() % 7\n",
        "tests",
    ),
    "waits": (f"import time\n{FIRST}    time.sleep(60)\n{RIGHT}", "tests"),
}

IMPORT = "import pytest\nfrom main import takt_time\n"
TOOTHLESS = {
    "asserts nothing": (f"{IMPORT}def test_it(): takt_time(480, 240)\n", "stub"),
    "asserts the truth": (f"{IMPORT}def test_it(): assert True\n", "tests"),
    "imports nothing": ("def test_it(): assert 480 / 240 == 2\n", "tests"),
    "looks at the type only": (f"{IMPORT}def test_it(): assert isinstance(takt_time(480, 240), float)\n", "stub"),
    "forgives everything": (
        f"""{IMPORT}
def test_it():
    try:
        assert takt_time(480, 240) == 2
    except BaseException:
        pass
""",
        "stub",
    ),
    "expects any error": (
        f"{IMPORT}def test_it():\n    with pytest.raises(Exception): takt_time(480, 0)\n",
        "stub",
    ),
    "tests its own copy": (
        f"{IMPORT}def copy(a, b): return a / b\ndef test_it(): assert copy(480, 240) == 2\n",
        "tests",
    ),
    "compares it with itself": (
        f"{IMPORT}def test_it(): assert takt_time(480, 240) == takt_time(480, 240)\n",
        "stub",
    ),
    "knows one answer": (f"{IMPORT}def test_it(): assert takt_time(480, 240) == 2\n", "stub"),
    "skips itself": (f"{IMPORT}@pytest.mark.skip\ndef test_it(): assert takt_time(480, 240) == 2\n", "tests"),
    "is empty": ("\n", "tests"),
    "holds no test": (IMPORT, "tests"),
    "does not parse": ("def test_it(: pass\n", "tests"),
    "imports what nobody promised": ("from main import helper\ndef test_it(): assert helper()\n", "tests"),
    "imports from elsewhere": (
        "from takt import takt_time\ndef test_it(): assert takt_time(480, 240) == 2\n",
        "tests",
    ),
    "ends itself": (f"{IMPORT}import os\ndef test_it():\n    takt_time(480, 240)\n    os._exit(0)\n", "reference"),
    "ends its judge": ("import os\nos._exit(0)\n", "tests"),
    "calls while it is read": (f"{IMPORT}X = takt_time(4, 2)\ndef test_it(): assert X == 2\n", "tests"),
    "leaves most open": (
        f"{IMPORT}def test_a(): assert takt_time(480, 240) == 2\ndef test_b(): assert takt_time(240, 240) == 1\n",
        "mutants",
    ),
    "asks for what is wrong": (f"{IMPORT}def test_it(): assert takt_time(480, 240) == 120\n", "reference"),
    "waits for another test": (
        f"""{IMPORT}
SEEN = []
def test_a():
    SEEN.append(1)
    assert takt_time(480, 240) == 2
def test_b(): assert SEEN
""",
        "reference",
    ),
}

# Tests of one weak assertion that try to pass for strong ones, by what they do beside it. Each would be accepted if it came
# through: it would fail on every version but the program.
WEAK = f"{IMPORT}def test_weak(): assert takt_time(480, 240) == 2\n"
CUNNING = {
    "kills the process that it came from": (
        f"{WEAK}import os\ndef test_it(): os.kill(os.getppid(), 9)\n",
        "tests",
    ),
    "kills its judge": (
        f"""{WEAK}
import os, re
def test_it():
    status = open(f"/proc/{{os.getppid()}}/status").read()
    os.kill(int(re.search(r"PPid:\\s+(\\d+)", status)[1]), 9)
""",
        "tests",
    ),
    "starts a process that stays": (
        f"{WEAK}import os, time\ndef test_it():\n    os.fork() or os.setsid()\n",
        "reference",
    ),
    "starts a process while it is read": (
        f"{WEAK}import os, time\nif os.fork() == 0:\n    os.setsid()\n    time.sleep(60)\n",
        "tests",
    ),
    "starts an orphan while it is read": (
        f"""{WEAK}
import os, time
if os.fork() == 0:
    if os.fork() == 0:
        os.setsid()
        time.sleep(60)
    os._exit(0)
os.wait()
""",
        "tests",
    ),
    "starts a thread while it is read": (
        f"{WEAK}import threading, time\nthreading.Thread(target=time.sleep, args=(60,), daemon=True).start()\n",
        "tests",
    ),
    "never ends being read": (f"{WEAK}while True: pass\n", "tests"),
    "finds the plan on the disk": (
        f"{WEAK}import os\nFOUND = os.path.exists('plan.json')\ndef test_it(): assert FOUND\n",
        "reference",
    ),
    "finds the plan in memory": (
        f"""{WEAK}
import gc, sys
def held():
    gc.unfreeze()
    frame, seen = sys._getframe(), []
    while frame:
        seen += [*frame.f_locals.values(), frame.f_code.co_filename]
        frame = frame.f_back
    return [one for one in (*seen, *gc.get_objects()) if isinstance(one, dict) and "mutants" in one]
def test_it(): assert held()
""",
        "reference",
    ),
    "finds the programs of others": (
        f"""{WEAK}
import os
def test_it():
    found = []
    for fd in range(3, 200):
        try:
            found.append(os.readlink(f"/proc/self/fd/{{fd}}"))
        except OSError:
            pass
    os.write(1, b"x")
    for fd in range(3, 200):
        try:
            os.fstat(fd)
            found.append(fd)
        except OSError:
            pass
    assert len([one for one in found if isinstance(one, int)]) > 2
""",
        "reference",
    ),
    "writes down what the program said": (
        f"""{WEAK}
import os
def test_it():
    place = os.path.join(os.environ["TMPDIR"], "said")
    said = repr([takt_time(n, 7) for n in range(9)])
    if not os.path.exists(place):
        with open(place, "w") as file: file.write(said)
    assert open(place).read() == said
""",
        "tests",
    ),
    "makes a directory of what the program said": (
        f"""{WEAK}
import os
def test_it():
    place = os.path.join(os.environ["TMPDIR"], "said")
    said = "_".join(str(takt_time(n, 7)) for n in range(9))
    os.makedirs(place, exist_ok=True)
    if not os.listdir(place): os.mkdir(os.path.join(place, said))
    assert os.listdir(place) == [said]
""",
        "tests",
    ),
    "makes one in the shared memory": (
        f"""{WEAK}
import os
def test_it():
    place = "/dev/shm/said"
    said = "_".join(str(takt_time(n, 7)) for n in range(9))
    os.makedirs(place, exist_ok=True)
    if not os.listdir(place): os.mkdir(os.path.join(place, said))
    assert os.listdir(place) == [said]
""",
        "tests",
    ),
    "fails from the fifth run on": (
        f"""{WEAK}
import os
RUNS, fork = [], os.fork
def counted():
    RUNS.append(1)
    return fork()
os.fork = counted
def test_it(): assert len(RUNS) < 5
""",
        "mutants",
    ),
    "ends itself when the answer is another": (
        f"{WEAK}import os\ndef test_it():\n    if takt_time(450, 400) != 1.125: os._exit(0)\n",
        "stub",
    ),
    "takes all the time": (
        f"{WEAK}import time\ndef test_it():\n    time.sleep(12)\n    assert takt_time(450, 400) == 1.125\n",
        "mutants",
    ),
    "writes wherever it can": (
        f"""{WEAK}
import os
TOLD = b'{{"tests": {{"t": {{"outcome": "passed", "message": ""}}}}, "calls": 9, "asked": [], "all": true}}\\n'
def test_it():
    for fd in range(3, 200):
        try: os.write(fd, TOLD)
        except OSError: pass
    takt_time(450, 400)
""",
        "mutants",
    ),
    "writes wherever it can while it is read": (
        f"""{WEAK}
import os
for fd in range(3, 200):
    try: os.write(fd, b'{{"errors": [], "collected": 1}}\\n')
    except OSError: pass
""",
        "tests",
    ),
}
