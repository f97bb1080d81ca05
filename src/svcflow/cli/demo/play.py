"""Play: hand the scenes of the week to an engine, on a virtual clock."""

from __future__ import annotations

from collections.abc import Mapping

from svcflow.cli.demo.scene import FINISH, Scene, Told
from svcflow.cli.demo.week import week
from svcflow.cli.language import Tongue
from svcflow.errors import Refused
from svcflow.model.field import Value
from svcflow.runtime.clock import VirtualClock
from svcflow.runtime.engine import Engine
from svcflow.text import Text

__all__ = ["play"]


def play(engine: Engine, clock: VirtualClock, lang: Tongue) -> int:
    """Play the week up to its end; return how many commands were given."""
    scenes = week()
    for scene in scenes:
        clock.move_to(scene.at)
        _act(engine, scene, lang)
    clock.move_to(FINISH)
    engine.tick()
    return len(scenes)


def _act(engine: Engine, scene: Scene, lang: Tongue) -> None:
    try:
        _command(engine, scene, _data(scene.data, lang), lang)
    except Refused:
        if not scene.refused:
            raise


def _command(engine: Engine, scene: Scene, data: dict[str, Value], lang: Tongue) -> None:
    name, actor, evidence = scene.instance, scene.actor, scene.evidence
    if scene.act == "start":
        engine.start(scene.what, data=data, recipient=scene.recipient, actor=actor, instance_id=name)
    elif scene.act == "fire":
        reason = None if scene.override is None else scene.override.in_(lang)
        engine.fire(name, scene.what, actor=actor, data=data, evidence=evidence, override=reason)
    elif scene.act == "hold":
        engine.hold(name, reason=scene.what, actor=actor, evidence=evidence)
    else:
        engine.resume(name, actor=actor)


def _data(told: Mapping[str, Told], lang: Tongue) -> dict[str, Value]:
    return {key: value.in_(lang) if isinstance(value, Text) else value for key, value in told.items()}
