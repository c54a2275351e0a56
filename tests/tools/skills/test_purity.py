"""What a tool may not use is told by line; what computes is allowed."""

from __future__ import annotations

import pytest

from tools.skills.purity import impurities


@pytest.mark.parametrize(
    "code",
    [
        "import math, statistics, re, json\nfrom collections import Counter, defaultdict\nx = math.pi",
        "from datetime import date, datetime\nx = datetime.strptime('2024', '%Y'), date.fromisoformat",
        "from collections.abc import Sequence\nimport collections.abc\nx = collections.abc.Mapping",
        "from __future__ import annotations\nfrom typing import Literal\nfrom decimal import Decimal, ROUND_HALF_UP",
        "from random import Random\nx = Random(7).random()",
        "import random\nx = random.Random(7).shuffle",
        "from skills.takt_time import takt_time",
        "def f(x): raise ValueError(f'no {type(x).__name__}')",
        "if __name__ == '__main__':\n    import sys\n    print(open(sys.argv[1]).read())",
        "import urllib.parse\nx = urllib.parse.quote('a')",
        "import io, csv\nx = csv.reader(io.StringIO('a,b'))",
        "class A:\n    def __init__(self): self.now = 1\n    def today(self): return self.now",
    ],
)
def test_what_computes_is_allowed(code: str) -> None:
    assert impurities(code, ["takt_time"]) == []


@pytest.mark.parametrize(
    ("code", "why"),
    [
        ("import os", "imports os"),
        ("import os.path as p", "imports os.path"),
        ("def f():\n    import socket", "line 2: it imports socket"),
        ("from subprocess import run", "imports subprocess"),
        ("from . import main", "imports ."),
        ("import numpy as np", "imports numpy"),
        ("import time", "imports time"),
        ("import random\nx = random.random()", "random.random"),
        ("from random import choice", "of random it may use Random"),
        ("from io import open", "io.open"),
        ("import statistics\nx = statistics.sys", "statistics.sys"),
        ("from statistics import sys", "statistics.sys"),
        ("import re as r\nx = r.enum.sys", "re.enum"),
        ("x = open('a')", "uses open, which opens files"),
        ("f = eval", "uses eval"),
        ("x = __import__('os')", "uses __import__"),
        ("x = getattr(1, 'a' + 'b')", "uses getattr"),
        ("x = ().__class__.__base__.__subclasses__()", "reaches for"),
        ("x = __builtins__['open']", "reaches for __builtins__"),
        ("from datetime import datetime\nx = datetime.now()", "asks the clock (datetime.now)"),
        ("import datetime\nx = datetime.date.today()", "asks the clock"),
        ("from skills.takt_time import takt_time", "none of the skills that it was given"),
        ("import skills", "none of the skills that it was given"),
        ("import urllib.request", "imports urllib.request"),
    ],
)
def test_what_reaches_out_is_told(code: str, why: str) -> None:
    assert any(why in told for told in impurities(code)), impurities(code)
