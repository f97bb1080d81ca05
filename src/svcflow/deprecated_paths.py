"""Import paths that documentation of earlier versions named, and the modules they lead to now."""

from __future__ import annotations

import importlib
import sys
import warnings
from collections.abc import Mapping, Sequence
from importlib.machinery import ModuleSpec
from types import ModuleType

__all__ = ["MOVED", "install"]

MOVED: Mapping[str, str] = {
    "svcflow.drawing.year": "svcflow.drawing.calendar_year",
    "svcflow.kernel.delegation": "svcflow.kernel.lifecycle.delegation",
    "svcflow.model.document": "svcflow.model.yaml.document",
}
"""Old path to new path. An entry stays until the first release that announces its end."""


class MovedModuleFinder:
    """Finder that answers an old path with the module at its new one, and a DeprecationWarning.

    It has no base class, since importing `importlib.abc` takes 10 ms of `import svcflow`.
    """

    def find_spec(
        self,
        fullname: str,
        path: Sequence[str] | None = None,  # noqa: ARG002  # part of the protocol
        target: ModuleType | None = None,  # noqa: ARG002  # part of the protocol
    ) -> ModuleSpec | None:
        """Return the spec of a moved module; None for every other name."""
        new = MOVED.get(fullname)
        if new is None:
            return None
        warnings.warn(
            f"{fullname} has moved: import it from {new} / {fullname} 已移至 {new}",
            DeprecationWarning,
            stacklevel=2,  # the import statement: frames of importlib are not counted
        )
        return ModuleSpec(fullname, _MovedModuleLoader(new))  # type: ignore[arg-type]  # loaders are known by their methods


class _MovedModuleLoader:
    def __init__(self, new: str) -> None:
        self._new = new
        self._spec: ModuleSpec | None = None

    def create_module(self, spec: ModuleSpec) -> ModuleType:  # noqa: ARG002  # part of the protocol
        module = importlib.import_module(self._new)
        self._spec = module.__spec__
        return module

    def exec_module(self, module: ModuleType) -> None:
        # The import system has put the spec of the old path on the module, which has run long ago.
        module.__spec__ = self._spec


def install() -> None:
    """Let old paths be found, after every other finder, so that no import of an existing module gets slower."""
    if not any(isinstance(finder, MovedModuleFinder) for finder in sys.meta_path):
        sys.meta_path.append(MovedModuleFinder())
