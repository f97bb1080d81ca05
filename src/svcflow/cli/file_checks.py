"""Checks of declaration files that may name each other: mistakes and findings, each with its place."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

import attrs

from svcflow.checks import Finding, check, check_calendar
from svcflow.errors import DeclarationError, Problem, UnknownCalendar
from svcflow.model.calendar_names import unknown_calendars
from svcflow.model.called_procedures import called_problems
from svcflow.model.catalog import declared_in, mistakes_of, with_fitting, yaml_files
from svcflow.model.parameter import Overrides
from svcflow.model.procedure import Procedure
from svcflow.model.scenario import Scenario
from svcflow.model.yaml.document import Document, read_document
from svcflow.text import Text
from svcflow.worktime import WorkCalendar, shipped_calendar

__all__ = ["CheckedFiles", "check_files"]


@attrs.frozen
class CheckedFiles:
    """The files that were read, their mistakes, and the findings about what they declare."""

    files: tuple[Path, ...]
    problems: tuple[Problem, ...]
    findings: tuple[Finding, ...]


def check_files(paths: Sequence[Path]) -> CheckedFiles:
    """Read and check every document of the paths; folders are searched for `.yaml` and `.yml`."""
    checker = _FileChecker()
    files: list[Path] = []
    for path in paths:
        below = yaml_files(path) if path.is_dir() else [path]
        if not below:
            message = Text(zh=f"{path} 中没有 .yaml 文件", en=f"there is no .yaml file in {path}")
            checker.problems.append(Problem((), message))
        files += [file for file in below if file not in files]
    documents = list(checker.documents(files))
    for document in documents:
        checker.note(document)
    for document in documents:
        checker.build(document)
    checker.override()
    checker.check()
    return CheckedFiles(tuple(files), tuple(checker.problems), tuple(sorted(checker.findings)))


class _FileChecker:
    """Collector of mistakes and findings over several files that may name each other."""

    def __init__(self) -> None:
        self.problems: list[Problem] = []
        self.findings: list[Finding] = []
        self._calendars: dict[str, Document] = {}
        self._declared: dict[tuple[str, str, str], str] = {}
        self._overrides: list[tuple[Overrides, Document]] = []
        self._procedures: dict[tuple[str, int], tuple[Procedure, Document]] = {}

    def documents(self, files: Iterable[Path]) -> Iterator[Document]:
        """Yield the documents of those files that are YAML."""
        for file in files:
            try:
                document = read_document(file)
            except DeclarationError as error:
                self.problems += error.problems
            else:
                yield document

    def note(self, document: Document) -> None:
        """Note what a document declares; a name that is declared twice is a mistake."""
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

    def build(self, document: Document) -> None:
        """Build what the document declares, and note its mistakes."""
        try:
            if document.kind == "calendar":
                calendar = document.build(WorkCalendar.from_mapping)
                self.findings += (_placed(finding, document) for finding in check_calendar(calendar))
            declared = declared_in(document)
            if isinstance(declared, Procedure):
                self._procedures[declared.id, declared.version] = (declared, document)
            if isinstance(declared, Overrides):
                self._overrides.append((declared, document))
            if isinstance(declared, Procedure | Scenario):
                problems = unknown_calendars(declared, self._calendars)
                self.problems += document.placed(map(_with_its_file, problems))
        except DeclarationError as error:
            self.problems += error.problems

    def override(self) -> None:
        """Give each procedure the values that are set for its parameters, and note the mistakes of these."""
        for overrides, document in self._overrides:
            known = {name for name, _ in self._procedures}
            versions = [key for key in sorted(self._procedures) if key[0] == overrides.id]
            newest = self._procedures[versions[-1]][0] if versions else None
            self.problems += document.placed(mistakes_of(overrides, newest, known))
            for key in versions:
                procedure, where = self._procedures[key]
                self._procedures[key] = with_fitting(procedure, overrides), where

    def check(self) -> None:
        """Check each procedure, as a whole, with those it runs, and against the version before it as far as it was read."""
        newest = {procedure.id: procedure for _, (procedure, _) in sorted(self._procedures.items())}
        for procedure in newest.values():
            _, document = self._procedures[procedure.id, procedure.version]
            called = map(_with_the_other_file, called_problems(procedure, newest))
            self.problems += document.placed(called)
        earlier: Procedure | None = None
        for _, (procedure, document) in sorted(self._procedures.items(), key=lambda item: item[0]):
            before = earlier if earlier is not None and earlier.id == procedure.id else None
            findings = check(
                procedure,
                calendar=self._calendar(procedure.calendar),
                earlier=before,
                procedures=newest.values(),
            )
            self.findings += (_placed(finding, document) for finding in findings)
            earlier = procedure

    def _calendar(self, name: str) -> WorkCalendar:
        """Return a calendar of these files, or a shipped one; a faulty one is reported where it is declared."""
        document = self._calendars.get(name)
        try:
            return shipped_calendar(name) if document is None else document.build(WorkCalendar.from_mapping)
        except (DeclarationError, UnknownCalendar):  # reported where it is declared, or named
            return shipped_calendar("always")


def _with_its_file(problem: Problem) -> Problem:
    remedy = Text(
        zh=f"{problem.remedy.zh} 自定日历须一并检查：给出其文件",
        en=f"{problem.remedy.en} A calendar of your own must be checked along: give its file too",
    )
    return attrs.evolve(problem, remedy=Text(zh=remedy.zh.strip(), en=remedy.en.strip()))


def _with_the_other_file(problem: Problem) -> Problem:
    if problem.path[-1] != "procedure":
        return problem
    remedy = Text(
        zh=f"{problem.remedy.zh} 所办理的流程须一并检查：给出其文件",
        en=f"{problem.remedy.en} A procedure that a step runs must be checked along: give its file too",
    )
    return attrs.evolve(problem, remedy=Text(zh=remedy.zh.strip(), en=remedy.en.strip()))


def _placed(finding: Finding, document: Document) -> Finding:
    line, column = document.place(finding.path)
    return attrs.evolve(finding, file=document.file, line=line, column=column)
