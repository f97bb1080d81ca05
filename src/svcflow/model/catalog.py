"""Catalog: the procedures, calendars, scenarios and mappings of one folder, by name and version."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import TypeAlias, TypeVar

import attrs

from svcflow.bounds import shown
from svcflow.errors import DeclarationError, FieldError, Problem, UnknownCalendar, UnknownProcedure
from svcflow.model.calendar_names import unknown_calendars
from svcflow.model.called_procedures import called_problems
from svcflow.model.limit_locations import too_long
from svcflow.model.log_mapping import LogMapping, zone_problem
from svcflow.model.parameter import Overrides
from svcflow.model.procedure import Procedure
from svcflow.model.qualification_register import QualificationRegister
from svcflow.model.scenario import Scenario
from svcflow.model.validation.parameters import override_problems
from svcflow.model.yaml.document import Document, read_document
from svcflow.model.yaml.parse import structure_kind, structure_procedure
from svcflow.nearest import nearest
from svcflow.text import NO_TEXT, Text

Declared: TypeAlias = Procedure | Scenario | LogMapping | Overrides
K = TypeVar("K")
V = TypeVar("V")


def load(path: Path | str) -> Procedure:
    """Load one procedure from its YAML file. Raises: DeclarationError listing every mistake."""
    return read_document(path).build(_procedure)


def load_scenario(path: Path | str) -> Scenario:
    """Load one scenario from its YAML file. Raises: DeclarationError."""
    return read_document(path).build(_scenario)


def load_qualifications(path: Path | str) -> QualificationRegister:
    """Load from its YAML file who holds which certificate until when. Raises: DeclarationError."""
    return read_document(path, kinds=("qualifications",)).build(_qualifications)


def load_parameters(path: Path | str) -> Overrides:
    """Load the values that an institution sets for parameters from their YAML file. Raises: DeclarationError."""
    return read_document(path).build(_overrides)


def load_mapping(path: Path | str) -> LogMapping:
    """Load one log mapping from its YAML file. Raises: DeclarationError."""
    return read_document(path).build(_mapping)


@attrs.frozen
class Catalog:
    """Procedures, calendars, scenarios and mappings by name: `catalog["repair"]` is the newest version, `catalog["repair", 1]` that one."""

    procedures: Mapping[tuple[str, int], Procedure] = attrs.field(factory=dict)
    calendars: Mapping[str, Document] = attrs.field(factory=dict)
    scenarios: Mapping[str, Scenario] = attrs.field(factory=dict)
    mappings: Mapping[str, LogMapping] = attrs.field(factory=dict)
    files: Mapping[tuple[str, int], Path] = attrs.field(factory=dict, eq=False)
    overrides: Mapping[str, Overrides] = attrs.field(factory=dict)
    """Values that an institution sets for the parameters of a procedure, by its id; `procedures` have them."""

    @classmethod
    def from_folder(cls, folder: Path | str) -> Catalog:
        """Read every `.yaml` below `folder`. Raises: DeclarationError with the mistakes of all files.

        Lengths of time beyond the bounds are a mistake of the newest version of a procedure only: instances may
        run under an older one since there were no bounds.
        """
        root = Path(folder)
        if not root.is_dir():
            message = Text(zh=f"没有文件夹 {root}", en=f"there is no folder {root}")
            raise DeclarationError([Problem((), message)])
        return _read(yaml_files(root))

    @classmethod
    def shipped(cls) -> Catalog:
        """Read the procedures that come with the library."""
        return cls.from_folder(shipped_folder())

    @classmethod
    def of(cls, *procedures: Procedure) -> Catalog:
        """Make a catalog of procedures built in Python. Raises: DeclarationError, as `from_folder` does."""
        made = cls(procedures={(p.id, p.version): p for p in procedures})
        newest = {procedure.id: procedure for procedure in made}
        problems = [problem for procedure in made for problem in too_long(procedure)]
        problems += [problem for procedure in made for problem in called_problems(procedure, newest)]
        if problems:
            raise DeclarationError(problems)
        return made

    def __getitem__(self, key: str | tuple[str, int]) -> Procedure:
        name, version = catalog_key(key)
        wanted = max(self.versions(name), default=0) if version is None else version
        procedure = self.procedures.get((name, wanted))
        if procedure is None:
            raise self._unknown(name, version)
        return procedure

    def __iter__(self) -> Iterator[Procedure]:
        """Yield the newest version of each procedure, by id."""
        for name in sorted({name for name, _ in self.procedures}):
            yield self[name]

    def __len__(self) -> int:
        return len({name for name, _ in self.procedures})

    def __contains__(self, key: object) -> bool:
        return key in self.procedures or any(name == key for name, _ in self.procedures)

    def versions(self, name: str) -> tuple[int, ...]:
        """Return the versions of one procedure, rising; empty when it is unknown."""
        return tuple(sorted(version for known, version in self.procedures if known == name))

    def personal(self, name: str) -> frozenset[str]:
        """Return the fields that any version of a procedure says are personal."""
        known = (self.procedures[name, version] for version in self.versions(name))
        return frozenset(
            field.id for procedure in known for field in procedure.fields.values() if field.personal
        )

    def in_force(self, procedure: Procedure) -> Procedure:
        """Return a procedure with the values that are set for its parameters, as far as it has and takes them."""
        overrides = self.overrides.get(procedure.id)
        return procedure if overrides is None else with_fitting(procedure, overrides)

    def check_references(self) -> None:
        """Raise DeclarationError where a newest version names a calendar or a procedure that does not exist."""
        newest = {name: self[name] for name in {name for name, _ in self.procedures}}
        problems = [
            attrs.evolve(problem, file=str(self.files.get((procedure.id, procedure.version), "")))
            for procedure in newest.values()
            for problem in (
                *unknown_calendars(procedure, self.calendars),
                *called_problems(procedure, newest),
            )
        ]
        if problems:
            raise DeclarationError(problems)

    def calendar_document(self, name: str) -> Document:
        """Return the document of a calendar of this catalog. Raises: UnknownCalendar."""
        if name not in self.calendars:
            message = Text(zh=f"目录中没有日历“{name}”", en=f"the catalog has no calendar {name!r}")
            raise UnknownCalendar(message)
        return self.calendars[name]

    def _unknown(self, name: str, version: int | None) -> UnknownProcedure:
        versions = self.versions(name)
        if versions:
            listed = ", ".join(map(str, versions))
            return UnknownProcedure(
                Text(
                    zh=f"服务流程 {name} 没有第 {shown(version)} 版",
                    en=f"procedure {name!r} has no version {shown(version)}",
                ),
                Text(zh=f"现有版本：{listed}", en=f"there are: {listed}"),
            )
        known = sorted({known for known, _ in self.procedures})
        message = Text(zh=f"没有服务流程“{name}”", en=f"there is no procedure {name!r}")
        return UnknownProcedure(message, nearest(name, known), name)


def yaml_files(folder: Path, *, below: bool = True) -> list[Path]:
    """Return the declaration files of a folder, and of those `below` it, sorted."""
    paths = folder.rglob("*") if below else folder.glob("*")
    return sorted(path for path in paths if path.suffix in (".yaml", ".yml"))


def with_fitting(procedure: Procedure, overrides: Overrides) -> Procedure:
    """Return a procedure with those of the values that it takes: an earlier version may lack a parameter."""
    declared = procedure.parameters
    fitting = {
        name: override
        for name, override in overrides.values.items()
        if name in declared and declared[name].refuses(override.value) is None
    }
    return procedure.with_parameters(attrs.evolve(overrides, values=fitting)) if fitting else procedure


def declared_in(document: Document) -> Declared | None:
    """Return what a document declares; a calendar is left as it is. Raises: DeclarationError with places."""
    builders: dict[str, Callable[[Mapping[str, object]], Declared]] = {
        "procedure": _procedure,
        "parameters": _overrides,
        "scenario": _scenario,
        "mapping": _mapping,
    }
    make = builders.get(document.kind)
    return None if make is None else document.build(make)


def mistakes_of(overrides: Overrides, procedure: Procedure | None, known: Iterable[str]) -> Iterator[Problem]:
    """Yield the mistakes of the values that are set for a procedure; None stands for one that is not to be found."""
    if procedure is None:
        names = sorted(set(known))
        message = Text(zh=f"没有服务流程“{overrides.id}”", en=f"there is no procedure {overrides.id!r}")
        yield Problem(("parameters",), message, nearest(overrides.id, names) if names else NO_TEXT)
        return
    problems = tuple(override_problems(procedure.parameters, procedure.sources, overrides))
    yield from problems
    if not problems:
        try:
            procedure.with_parameters(overrides)
        except DeclarationError as error:  # what a value makes of a limit is the mistake of the value
            yield from (attrs.evolve(problem, path=("values",)) for problem in error.problems)


def catalog_key(key: object) -> tuple[str, int | None]:
    """Return the id and the version of a catalog key; version None is the newest. Raises: FieldError."""
    name, version = key if isinstance(key, tuple) and len(key) == 2 else (key, None)
    if not isinstance(name, str):
        raise _no_id(name)
    if isinstance(key, tuple) and type(version) is not int:
        raise _no_version(version)
    return name, version


def shipped_folder() -> Path:
    """Return the folder of the procedures that come with the library."""
    package = Path(__file__).resolve().parents[1]
    installed = package / "procedures"
    return installed if installed.is_dir() else package.parents[1] / "procedures"


def _no_id(given: object) -> FieldError:
    kind = type(given).__name__
    return FieldError(
        Text(
            zh=f"procedure：须为流程的编号，或编号与版本，不能是 {kind}",
            en=f"procedure: it takes an id, or an id and a version, not a {kind}",
        ),
        Text(zh='写成 "visit" 或 ("visit", 1)', en='write "visit" or ("visit", 1)'),
    )


def _no_version(given: object) -> FieldError:
    return FieldError(
        Text(
            zh=f"版本须为整数，不能是 {shown(given)}", en=f"a version is a whole number, not {shown(given)}"
        ),
        Text(
            zh='写成数字，如 ("visit", 1)；只写编号即为最新版本',
            en='write the number, as in ("visit", 1), or the id alone for the newest version',
        ),
    )


def _of_kind(data: Mapping[str, object], kind: str, cls: type[V]) -> V:
    if next(iter(data), None) != kind:
        message = Text(zh=f"这不是 {kind} 文件", en=f"this document is no {kind}")
        raise DeclarationError(
            [Problem((), message, Text(zh=f"第一个键写 {kind}", en=f"its first key must be {kind}"))]
        )
    return structure_kind(data, kind, cls)


def _read(paths: Iterable[Path]) -> Catalog:
    documents = _FolderDocuments()
    problems: list[Problem] = []
    for path in paths:
        try:
            documents.add(path, read_document(path))
        except DeclarationError as error:
            problems.extend(error.problems)
    problems.extend(documents.mistaken_overrides())
    problems.extend(documents.too_long())
    problems.extend(documents.unknown_calendars())
    problems.extend(documents.called_procedures())
    if problems:
        raise DeclarationError(problems)
    overrides = {name: overrides for name, (overrides, _) in documents.overrides.items()}
    read = Catalog(
        documents.procedures,
        documents.calendars,
        documents.scenarios,
        documents.mappings,
        documents.files,
        overrides,
    )
    return attrs.evolve(read, procedures={key: read.in_force(each) for key, each in read.procedures.items()})


class _FolderDocuments:
    """Documents of a folder; two of one name are refused."""

    def __init__(self) -> None:
        self.procedures: dict[tuple[str, int], Procedure] = {}
        self.calendars: dict[str, Document] = {}
        self.scenarios: dict[str, Scenario] = {}
        self.mappings: dict[str, LogMapping] = {}
        self.files: dict[tuple[str, int], Path] = {}
        self.overrides: dict[str, tuple[Overrides, Document]] = {}
        self._newest: dict[str, tuple[Procedure, Document]] = {}
        self._scenarios: list[tuple[Scenario, Document]] = []

    def add(self, path: Path, document: Document) -> None:
        if document.kind == "procedure":
            procedure = document.build(structure_procedure)
            key = (procedure.id, procedure.version)
            _put(self.procedures, key, procedure, document)
            self.files[key] = path
            if procedure.id not in self._newest or self._newest[procedure.id][0].version < procedure.version:
                self._newest[procedure.id] = procedure, document
        elif document.kind == "calendar":
            _put(self.calendars, str(document.data["calendar"]), document, document)
        elif document.kind == "parameters":
            overrides = document.build(_overrides)
            _put(self.overrides, overrides.id, (overrides, document), document)
        elif document.kind == "scenario":
            scenario = document.build(_scenario)
            _put(self.scenarios, scenario.id, scenario, document)
            self._scenarios.append((scenario, document))
        else:
            mapping = document.build(_mapping)
            _put(self.mappings, mapping.id, mapping, document)

    def mistaken_overrides(self) -> Iterator[Problem]:
        """Yield the values that the newest version of their procedure has no parameter for, or does not take."""
        for overrides, document in self.overrides.values():
            procedure, _ = self._newest.get(overrides.id, (None, document))
            yield from document.placed(
                mistakes_of(overrides, procedure, (name for name, _ in self.procedures))
            )

    def too_long(self) -> Iterator[Problem]:
        """Yield the lengths of time beyond the bounds that newest versions declare."""
        for procedure, document in self._newest.values():
            yield from document.placed(too_long(procedure))

    def unknown_calendars(self) -> Iterator[Problem]:
        """Yield a mistake for each calendar that a newest version or a scenario names and that does not exist."""
        named: list[tuple[Procedure | Scenario, Document]] = [*self._newest.values(), *self._scenarios]
        for declared, document in named:
            yield from document.placed(unknown_calendars(declared, self.calendars))

    def called_procedures(self) -> Iterator[Problem]:
        """Yield the mistakes between newest versions and the procedures that their steps run."""
        newest = {name: procedure for name, (procedure, _) in self._newest.items()}
        for procedure, document in self._newest.values():
            yield from document.placed(called_problems(procedure, newest))


def _procedure(data: Mapping[str, object]) -> Procedure:
    procedure = structure_procedure(data)
    problems = tuple(too_long(procedure))
    if problems:
        raise DeclarationError(problems)
    return procedure


def _scenario(data: Mapping[str, object]) -> Scenario:
    return _of_kind(data, "scenario", Scenario)


def _overrides(data: Mapping[str, object]) -> Overrides:
    return _of_kind(data, "parameters", Overrides)


def _mapping(data: Mapping[str, object]) -> LogMapping:
    mapping = _of_kind(data, "mapping", LogMapping)
    problems = tuple(zone_problem(mapping.zone))
    if problems:
        raise DeclarationError(problems)
    return mapping


def _qualifications(data: Mapping[str, object]) -> QualificationRegister:
    register = _of_kind(data, "qualifications", QualificationRegister)
    problems = tuple(zone_problem(register.zone))
    if problems:
        raise DeclarationError(problems)
    return register


def _put(where: dict[K, V], key: K, made: V, document: Document) -> None:
    if key in where:
        name = " v".join(map(str, key)) if isinstance(key, tuple) else key
        message = Text(zh=f"{name} 在目录中声明了两次", en=f"{name} is declared twice in the folder")
        remedy = Text(zh="只留一份文件，或改编号", en="keep one of the files, or change the id of the other")
        if isinstance(key, tuple):
            remedy = Text(zh="只留一份文件，或改 version", en="keep one of the files, or change its version")
        raise DeclarationError([Problem((), message, remedy, document.file, 1, 1)])
    where[key] = made
