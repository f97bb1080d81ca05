"""Random procedures for property tests: lanes, detours, loops, waits, branches, hostile and long names."""

from __future__ import annotations

from datetime import date

from hypothesis import strategies as st

from svcflow.model.automatic_move import AutomaticMove
from svcflow.model.field import Field
from svcflow.model.procedure import Procedure, Role, StartRule
from svcflow.model.regular_start import RegularStart
from svcflow.model.step import Branch, Step, Transition
from svcflow.model.subprocedure import SubProcedure
from svcflow.text import Text

WORDS = st.one_of(
    st.sampled_from(
        ["", "受理", "现场检测与故障诊断（含拍照）", "<script>alert(1)</script>", "A \"quoted\" & 'odd' name"]
    ),
    st.text(min_size=0, max_size=40),
)
TEXTS = st.builds(lambda zh, en: Text(zh=zh, en=en), WORDS, WORDS)
KINDS = st.sampled_from(["normal", "normal", "exception", "rework"])
STARTS = [
    RegularStart(id="quarterly", every="3mo", day=31, at="08:30", closed_day="previous"),
    RegularStart(id="weekly", every="14cd", from_=date(2026, 1, 5), at="16:00", for_="retirees_at_home"),
]


@st.composite
def chain(draw: st.DrawFn, prefix: str, roles: list[str], end: str, depth: int) -> list[Step]:
    """Draw a chain of steps from the first to an end, with extra moves back and forth."""
    count = draw(st.integers(1, 6 if depth == 0 else 3))
    keys = [f"{prefix}{n}" for n in range(count)]
    out = []
    for n, key in enumerate(keys):
        branches = []
        if depth < 2 and draw(st.integers(0, 5)) == 0:
            branches = [
                Branch(
                    f"b{b}",
                    draw(chain(f"{key}_{b}_", roles, f"{key}_{b}_end", depth + 1)),
                    name=draw(TEXTS),
                )
                for b in range(draw(st.integers(2, 3)))
            ]
        onward = keys[n + 1] if n + 1 < count else end
        moves = [Transition("done" if branches else f"{key}_next", onward, name=draw(TEXTS))]
        for extra in range(draw(st.integers(0, 2))):
            target = draw(st.sampled_from([*keys, end]))
            moves.append(Transition(f"{key}_x{extra}", target, name=draw(TEXTS), kind=draw(KINDS)))
        then = draw(st.sampled_from([None, None, "2wd", "until - 10m"]))
        if then is not None:
            moves.append(Transition(f"{key}_later", onward, name=draw(TEXTS), kind=draw(KINDS)))
            when = {"at": then} if then.startswith("until") else {"after": then}
            then = AutomaticMove(f"{key}_later", **when)
        out.append(
            Step(
                key,
                name=draw(TEXTS),
                role=draw(st.sampled_from([*roles, None])),
                within=draw(st.sampled_from([None, "15m", "3wd"])),
                waits=None if branches else draw(st.sampled_from([None, None, "third_party"])),
                parallel=branches,
                then=then,
                runs=None
                if branches
                else draw(st.sampled_from([None, None, None, SubProcedure("other_procedure")])),
                to=moves,
            )
        )
    return [*out, Step(end, name=draw(TEXTS), end="completed" if depth == 0 else "done")]


@st.composite
def procedures(draw: st.DrawFn) -> Procedure:
    """Draw a whole procedure."""
    roles = [f"role{n}" for n in range(draw(st.integers(1, 4)))]
    return Procedure(
        id="random",
        starts=draw(st.lists(st.sampled_from(STARTS), max_size=2, unique_by=lambda start: start.id)),
        name=draw(TEXTS),
        fields=[
            Field("until", type="instant", name=draw(TEXTS)),
            Field("due", type="instant", name=draw(TEXTS)),
        ],
        roles=[Role(key, name=draw(TEXTS)) for key in roles],
        start=draw(
            st.none()
            | st.builds(
                StartRule,
                role=st.sampled_from([*roles]),
                name=TEXTS,
                requires=st.just(("due",)),
                before=st.sampled_from([None, "due", "due - 30m", "due - 12wd"]),
            )
        ),
        steps=draw(chain("s", roles, "end", 0)),
    )
