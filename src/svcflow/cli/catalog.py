"""Procedures, scenarios and mappings that a command names by file or by id."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

import attrs

from svcflow.errors import DeclarationError, Problem
from svcflow.nearest import nearest
from svcflow.text import Text

if TYPE_CHECKING:
    from svcflow.model.catalog import Catalog
    from svcflow.model.log_mapping import LogMapping
    from svcflow.model.procedure import Procedure
    from svcflow.model.scenario import Scenario

__all__ = ["catalog_at", "find_mapping", "find_procedure", "find_scenario", "is_file"]

Declared = TypeVar("Declared", "LogMapping", "Scenario")


def catalog_at(folder: str | None) -> Catalog:
    """Return the catalog of a folder, or the shipped one. Raises: DeclarationError."""
    from svcflow.model.catalog import Catalog

    return Catalog.shipped() if folder is None else Catalog.from_folder(folder)


def find_procedure(named: str, folder: str | None) -> tuple[Procedure, Catalog]:
    """Return the procedure of a YAML file, or of `ID` or `ID@VERSION` in the catalog, with its catalog.

    The catalog of a file is its folder where no `--procedures` is given, so that calendars and mappings
    beside it are found; a folder with faulty neighbours does not keep a sound file from being read.

    Raises: DeclarationError, UnknownProcedure.
    """
    from svcflow.model.catalog import load

    if is_file(named):
        procedure = load(named)
        if folder is not None:
            catalog = catalog_at(folder)
            return catalog.in_force(procedure), catalog
        beside = _beside(Path(named))
        procedure = beside.in_force(procedure)
        return procedure, attrs.evolve(beside, procedures={(procedure.id, procedure.version): procedure})
    catalog = catalog_at(folder)
    name, sign, version = named.partition("@")
    key = (name, int(version)) if sign and version.isascii() and version.isdigit() else named
    return catalog[key], catalog


def find_mapping(named: str | None, procedure: Procedure, catalog: Catalog) -> LogMapping:
    """Return a mapping by file or id; without a name the only one there is for the procedure.

    Raises: DeclarationError.
    """
    from svcflow.model.catalog import load_mapping

    if named is not None and is_file(named):
        return load_mapping(named)
    return _chosen(named, procedure, catalog.mappings, Text(zh="日志对照表", en="mapping"), "--mapping")


def find_scenario(named: str | None, procedure: Procedure, catalog: Catalog) -> Scenario | None:
    """Return a scenario by file or id; without a name the only one there is for the procedure, None without any.

    Raises: DeclarationError.
    """
    from svcflow.model.catalog import load_scenario

    if named is not None and is_file(named):
        return load_scenario(named)
    if named is None and all(each.procedure != procedure.id for each in catalog.scenarios.values()):
        return None
    return _chosen(named, procedure, catalog.scenarios, Text(zh="情形", en="scenario"), "--scenario")


def is_file(named: str) -> bool:
    """Return whether a name is that of a file: by its suffix, or because the file is there."""
    return Path(named).suffix in (".yaml", ".yml") or Path(named).is_file()


def _beside(file: Path) -> Catalog:
    """Return the catalog of the folder of a file, without procedures and without files that cannot be read."""
    from svcflow.model.catalog import Catalog, declared_in, yaml_files
    from svcflow.model.log_mapping import LogMapping
    from svcflow.model.parameter import Overrides
    from svcflow.model.scenario import Scenario
    from svcflow.model.yaml.document import read_document

    catalog = Catalog()
    calendars, scenarios, mappings, overrides = {}, {}, {}, {}
    for path in yaml_files(file.parent, below=False):
        if path == file:
            continue
        try:
            document = read_document(path)
            if document.kind == "calendar":
                calendars[str(document.data["calendar"])] = document
                continue
            declared = None if document.kind == "procedure" else declared_in(document)
            if isinstance(declared, Scenario):
                scenarios[declared.id] = declared
            elif isinstance(declared, LogMapping):
                mappings[declared.id] = declared
            elif isinstance(declared, Overrides):
                overrides[declared.id] = declared
        except DeclarationError:  # `svcflow check` reports it
            continue
    return attrs.evolve(
        catalog, calendars=calendars, scenarios=scenarios, mappings=mappings, overrides=overrides
    )


def _chosen(
    named: str | None, procedure: Procedure, declared: Mapping[str, Declared], what: Text, option: str
) -> Declared:
    """Return what is declared under an id; without one the only declaration for a procedure."""
    if named is not None and named in declared:
        return declared[named]
    fitting = [each for each in declared.values() if each.procedure == procedure.id]
    if named is None and len(fitting) == 1:
        return fitting[0]
    message = (
        Text(zh=f"没有{what.zh} {named}", en=f"there is no {what.en} {named!r}")
        if named is not None
        else Text(zh=f"须指明{what.zh}", en=f"a {what.en} must be named")
    )
    near = nearest(named or "", [each.id for each in fitting])
    remedy = Text(
        zh=f"用 {option} 给出文件或名称{near and f'；{near.zh}'}",
        en=f"give a file or name with {option}{near and f'; {near.en}'}",
    )
    raise DeclarationError([Problem((), message, remedy)])
