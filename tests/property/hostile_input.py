"""Feed one reader with hostile input for a while, in a process of its own whose memory is bounded.

Usage: hostile_input.py TARGET SECONDS SEED. It says how many inputs it tried, or shows the one that got another
answer than a document, a log, a verdict or a documented error, or that took too long.
"""

from __future__ import annotations

import gc
import gzip
import random
import resource
import signal
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path

from svcflow import worktime
from svcflow.analysis.xes import XesLog
from svcflow.errors import DeclarationError, GuardError, LogError, Problem, UnknownCalendar
from svcflow.kernel import compile_procedure
from svcflow.kernel.compiled import calendars_of
from svcflow.model.catalog import Catalog, load, load_mapping, load_scenario, shipped_folder
from svcflow.model.guard import Guard
from svcflow.model.yaml.document import read_document
from svcflow.text import NO_TEXT
from svcflow.worktime.calendar import WorkCalendar

CALENDARS = calendars_of(Catalog.shipped())
LONGEST_S = 1.0
"""For inputs of up to a hundredth of a mebibyte or so; whatever is larger has its share more."""
MEMORY = 200 * 2**20
MEBIBYTE = 2**20
DATA = {
    "fee": 300,
    "priority": "emergency",
    "tea": False,
    "recipient": {"group": "staff"},
    "text": "x" * 10_000,
}
EVENT = (
    '<event><string key="concept:name" value="报修"/><date key="time:timestamp" '
    'value="2017-01-09T09:49:50.000+01:00"/><int key="n" value="-2"/></event>'
)
LOG = (
    '<?xml version="1.0" encoding="UTF-8"?><log xes.version="1.0"><global scope="event"><string key="a" '
    f'value="b"/></global><trace><string key="concept:name" value="c1"/>{EVENT * 4}</trace><trace>{EVENT}</trace></log>'
)
GUARDS = (
    'priority == "emergency" and fee > 200',
    "fee + 1 - 2 * 3 / 4 >= 299.5 or not tea",
    'priority in ("emergency", "high") and recipient.group != "leaders"',
    'starts_with(lower(priority), "em") and max(fee, 2, len(text)) <= 1e5',
)
WORDS = {
    "guard": "and|or|not|in|is|lambda|__class__|.|(|)|[|]|{|}|**|*|%|//|:=|'|\"|\\|1e999|9999999999999999|fee|text|"
    "recipient|max|len|lower|None|True|==|<|if|else|for|@|~|\n|\t|\x00|é|审|\ud800|# ",
    "procedure": "- |: |? |{|}|[|]|&a |*a|!!python/object |<<: |>|\\||'|\"|#|\n|\n  |\n    |\t|\x00|\ufeff|\x85|é|审|1wd|"
    "0m|-1h|99999999999999d|1e999|.inf|null|true|steps:|to:|within:|id:|warn: [50%]|from:|parallel:|2026-02-30|~|%",
    "scenario": "- |: |{|}|[|]|*a|!!x |\n|\n  |\t|0|-1|1e999|.inf|.nan|null|poisson|lognormal|mean:|1wd|0m|99999999d|'",
    "mapping": "- |: |{|}|[|]|*a|!!x |\n|\n  |\t|0|null|'|\"|activity:|trigger:|columns:|%Y|\ud800|审",
    "calendar": "- |: |{|}|[|]|*a|!!x |\n|\n  |\t|24:00|08:30-08:30|22:00-06:00|-1|mon-fri|2026-02-30|9999-12-31|"
    "0001-01-01|Asia/Nowhere|../../etc|weekly:|covers:|holidays:|date:|null|'",
    "xes": "<event>|</event>|<trace>|</trace>|</log>|<!DOCTYPE a [<!ENTITY x 'y'>]>|&x;|&amp;|&#0;|&#55296;|<![CDATA[|]]>|"
    "<!--|-->|<?p ?>|\"|'|/>|<string key='concept:name' value=''/>|<date key='time:timestamp' value='2017-13-01'/>|"
    "<int key='n' value='1e9'/>|<float key='n' value='nan'/>|xmlns:a='b'|\x00|\ufffe|审|<list><values>|encoding='utf-7'",
}


def corpus(target: str) -> tuple[str, ...]:
    """Inputs that are right, from which the hostile ones are made."""
    if target == "guard":
        return GUARDS
    if target == "xes":
        return (LOG,)
    folder = Path(worktime.__file__).parent if target == "calendar" else Path(shipped_folder())
    files = sorted(folder.rglob("*.yaml"))
    texts = [file.read_text(encoding="utf-8") for file in files if read_document(file).kind == target]
    assert texts
    return tuple(text[:8_000] for text in texts)


def spoiled(chance: random.Random, inputs: tuple[str, ...], words: tuple[str, ...]) -> str:
    """An input with pieces lost, doubled, moved, repeated many times, or put in."""
    text = chance.choice(inputs)
    for _ in range(chance.choice((1, 1, 2, 4, 16))):
        start = chance.randrange(len(text) + 1)
        stop = min(len(text), start + chance.choice((0, 1, 3, 20, 200)))
        word = chance.choice(words)
        piece = chance.choice(
            (
                "",
                word,
                word,
                word * chance.choice((2, 40, 2_000)),
                text[start:stop] * 2,
                chr(chance.randrange(0x3000)),
            )
        )
        text = (text[:start] + piece + text[stop:])[:60_000]
    return text


class Reader:
    """Read one input the way users do; only documented errors may come out."""

    def __init__(self, folder: Path) -> None:
        self.file = folder / "input"

    def written(self, content: bytes) -> Path:
        self.file.write_bytes(content)
        return self.file

    def guard(self, text: str, _: random.Random) -> None:
        with suppress(GuardError):
            assert isinstance(Guard(text).holds(DATA), bool)

    def procedure(self, text: str, _: random.Random) -> None:
        self.declared(text, lambda path: compile_procedure(load(path), CALENDARS))

    def scenario(self, text: str, _: random.Random) -> None:
        self.declared(text, load_scenario)

    def mapping(self, text: str, _: random.Random) -> None:
        self.declared(text, load_mapping)

    def calendar(self, text: str, _: random.Random) -> None:
        self.declared(text, lambda path: read_document(path).build(WorkCalendar.from_mapping))

    def declared(self, text: str, read: Callable[[Path], object]) -> None:
        problems: Sequence[Problem] = ()
        try:
            read(self.written(text.encode(errors="surrogatepass")))
        except DeclarationError as error:
            problems = error.problems or [Problem((), NO_TEXT)]
        except UnknownCalendar as error:
            problems = [Problem((), error.message, line=1)]
        assert all(problem.message.zh and problem.line >= 1 for problem in problems)

    def xes(self, text: str, chance: random.Random) -> None:
        encoding = chance.choice(("utf-8", "utf-8", "utf-8", "utf-16", "latin-1"))
        content = text.encode(encoding, errors="replace")
        if chance.random() < 0.2:
            content = gzip.compress(content, 1)
            content = content[: chance.choice((len(content), chance.randrange(len(content))))]
        with suppress(LogError):
            for case in XesLog(self.written(content)):
                assert all(event.activity and event.at for event in case.events)


def bound_memory() -> None:
    """From here on the process may take so much more, and no input may hang."""
    gc.collect()
    pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[0])
    resource.setrlimit(resource.RLIMIT_AS, (pages * resource.getpagesize() + MEMORY,) * 2)


def main() -> None:
    target, seconds, seed = sys.argv[1], float(sys.argv[2]), int(sys.argv[3])
    inputs, words = corpus(target), tuple(WORDS[target].split("|"))
    chance, tried, slowest = random.Random(seed), 0, 0.0
    with tempfile.TemporaryDirectory() as folder:
        read = getattr(Reader(Path(folder)), target)
        for text in inputs:
            read(text, random.Random(1))  # what is imported late is imported now
        bound_memory()
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            text = spoiled(chance, inputs, words)
            began = time.process_time()
            signal.alarm(30)
            try:
                read(text, chance)
            except BaseException:
                print(f"input {tried} of seed {seed}: {text!r}"[:20_000])
                raise
            tried += 1
            slowest = max(slowest, took := time.process_time() - began)
            assert took < LONGEST_S * (1 + len(text) / MEBIBYTE), f"{took:.2f} s for {text!r}"[:20_000]
    print(tried, f"inputs, the slowest took {slowest * 1000:.0f} ms")


if __name__ == "__main__":
    main()
