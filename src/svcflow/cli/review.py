"""Review: many declaration files read one by one; every mistake and every finding with its place."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import pairwise
from pathlib import Path

import attrs

from svcflow.checks import Finding, check
from svcflow.checks.finding import finding
from svcflow.errors import DeclarationError, Problem, UnknownCalendar
from svcflow.model.catalog import load, load_mapping, load_scenario
from svcflow.model.document import Document, read_document
from svcflow.model.procedure import Procedure
from svcflow.text import Text
from svcflow.worktime import WorkCalendar, shipped_calendar

__all__ = ["Review", "review"]


@attrs.frozen
class Review:
    """Hold what was read and what was found."""

    files: tuple[Path, ...]
    problems: tuple[Problem, ...]
    findings: tuple[Finding, ...]


def review(paths: Sequence[Path]) -> Review:
    """Read and check every document of the paths; folders are searched for `.yaml` and `.yml`."""
    reading = _Reading()
    files: list[Path] = []
    for path in paths:
        below = sorted(_below(path)) if path.is_dir() else [path]
        if not below:
            message = Text(zh=f"{path} 中没有 .yaml 文件", en=f"there is no .yaml file in {path}")
            reading.problems.append(Problem((), message))
        files += [file for file in below if file not in files]
    documents = list(reading.documents(files))
    for document in documents:
        reading.learn(document)
    for file, document in zip(reading.files, documents, strict=True):
        reading.judge(file, document)
    reading.compare()
    return Review(tuple(files), tuple(reading.problems), tuple(sorted(reading.findings)))


def _below(folder: Path) -> Iterator[Path]:
    return (path for path in folder.rglob("*") if path.suffix in (".yaml", ".yml"))


class _Reading:
    """Collect mistakes and findings over several files that may name each other."""

    def __init__(self) -> None:
        self.files: list[Path] = []
        self.problems: list[Problem] = []
        self.findings: list[Finding] = []
        self._calendars: dict[str, Document] = {}
        self._declared: dict[tuple[str, str, str], str] = {}
        self._procedures: dict[tuple[str, int], tuple[Procedure, Document]] = {}

    def documents(self, files: Iterable[Path]) -> Iterator[Document]:
        """Yield the documents that are YAML at all."""
        for file in files:
            try:
                document = read_document(file)
            except DeclarationError as error:
                self.problems += error.problems
            else:
                self.files.append(file)
                yield document

    def learn(self, document: Document) -> None:
        """Remember what a document declares, refusing two of one name."""
        name, version = str(document.data[document.kind]), str(document.data.get("version", 1))
        key = (document.kind, name, version if document.kind == "procedure" else "")
        if document.kind == "calendar":
            self._calendars[name] = document
        first = self._declared.setdefault(key, document.file)
        if first != document.file:
            message = Text(
                zh=f"{document.kind} {name} 已在 {first} 中声明",
                en=f"{document.kind} {name} is declared in {first} too",
            )
            remedy = Text(zh="换一个名称或版本", en="give it another name or version")
            self.problems += document.placed([Problem((document.kind,), message, remedy)])

    def judge(self, file: Path, document: Document) -> None:
        """Build what the document declares; a procedure is checked."""
        try:
            if document.kind == "procedure":
                procedure = load(file)
                found = check(procedure, calendar=self._calendar(procedure.calendar))
                self.findings += (_placed(one, document) for one in found)
                self._procedures[procedure.id, procedure.version] = (procedure, document)
            elif document.kind == "calendar":
                document.build(WorkCalendar.from_mapping)
            else:
                (load_scenario if document.kind == "scenario" else load_mapping)(file)
        except DeclarationError as error:
            self.problems += error.problems
        except UnknownCalendar as error:
            remedy = Text(
                zh=f"{error.remedy.zh} 自定日历须一并检查：给出其文件",
                en=f"{error.remedy.en} A calendar of your own must be checked along: give its file too",
            )
            self.problems += document.placed([Problem(("calendar",), error.message, remedy)])

    def compare(self) -> None:
        """Compare each version of a procedure with the one before it, as far as both were read."""
        for (before, (older, _)), (after, (newer, document)) in pairwise(
            sorted(self._procedures.items(), key=_key)
        ):
            if before[0] == after[0]:
                self.findings += (_placed(one, document) for one in _personal_later(older, newer))

    def _calendar(self, name: str) -> WorkCalendar:
        """Return a calendar of these files, or a shipped one; a faulty one is reported where it is declared."""
        document = self._calendars.get(name)
        try:
            return shipped_calendar(name) if document is None else document.build(WorkCalendar.from_mapping)
        except DeclarationError:
            return shipped_calendar("always")


def _key(item: tuple[tuple[str, int], object]) -> tuple[str, int]:
    return item[0]


def _personal_later(older: Procedure, newer: Procedure) -> Iterator[Finding]:
    for name, field in newer.fields.items():
        if field.personal and name in older.fields and not older.fields[name].personal:
            yield finding(
                "personal-later",
                ("fields", name, "personal"),
                Text(
                    zh=f"字段 {name} 在第 {older.version} 版不是个人信息；那时记入留痕的值是明文，不能抹去",
                    en=f"{name} is not personal in version {older.version}; what was recorded then stays in the clear "
                    "and cannot be erased",
                ),
                Text(
                    zh="用 migrate --dry-run 查看哪些实例已有；新字段从第一版起就标明",
                    en="see by migrate --dry-run which instances hold it; mark a new field from its first version on",
                ),
            )


def _placed(finding: Finding, document: Document) -> Finding:
    line, column = document.place(finding.path)
    return attrs.evolve(finding, file=document.file, line=line, column=column)
