"""Tags of states and transitions for what a step or a move has beyond its name: `role:clerk`."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from svcflow.model.step import Step, Transition


def step_tags(step: Step) -> list[str]:
    """Return the tags of a step: `role`, `waits` and `end`."""
    return _tags({"role": (step.role,), "waits": (step.waits,), "end": (step.end,)})


def move_tags(move: Transition) -> list[str]:
    """Return the tags of a move: `kind`, `role`, `requires` and `at_most`."""
    return _tags(
        {
            "kind": (move.kind if move.kind != "normal" else None,),
            "role": (move.role,),
            "requires": move.requires,
            "at_most": (move.at_most,),
        }
    )


def tagged(owner: object, key: str) -> tuple[str, ...]:
    """Return what the tags of a state or a transition say for one key, in their order; a key alone says nothing.

    >>> from types import SimpleNamespace
    >>> tagged(SimpleNamespace(tags=["requires:reason", "kind:rework", "requires:photo"]), "requires")
    ('reason', 'photo')
    """
    tags = vars(owner).get("tags", ())
    values = (str(tag).removeprefix(f"{key}:") for tag in tags if str(tag).startswith(f"{key}:"))
    return tuple(filter(None, values))


def _tags(values: Mapping[str, Iterable[object]]) -> list[str]:
    return [f"{key}:{value}" for key, several in values.items() for value in several if value is not None]
