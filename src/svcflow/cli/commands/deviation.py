"""`svcflow deviation`: explain a recorded deviation, accept or reject the explanation."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import click

from svcflow.cli.command import argument, asked_of, command, option
from svcflow.cli.moving import Asker, asking
from svcflow.cli.options import named_actor_option
from svcflow.cli.output import answer
from svcflow.cli.section import Section
from svcflow.text import Text

if TYPE_CHECKING:
    from svcflow.cli.listening import ListeningEngine

_reason = option("--reason", required=True, metavar="REASON", wording=Text(zh="理由", en="Why."))


def _answering(function: Callable[..., object]) -> Callable[..., None]:
    """Make a command of a function that answers to a deviation; the deviation is shown as it then stands."""

    @argument("instance")
    @argument("sequence", type=click.IntRange(min=1))
    @_reason
    @named_actor_option
    @asking
    def run(engine: ListeningEngine, instance: str, *, sequence: int, reason: str, by: Asker) -> None:
        function(engine, instance, sequence, reason=reason, by=by)
        _show(engine, instance, sequence)

    return run


@command(
    "explain",
    Text(
        zh="说明一条偏差的原因；序号见 svcflow deviations。实例结束后也可以，并可由多人说明。",
        en="Say why a deviation came about; `svcflow deviations` gives its number. Also after the end of the instance, "
        "and by several persons.",
    ),
    "svcflow deviation explain repair-9 4 --db service.db --actor tech-2:technician \\",
    '    --reason "the lift was out of order"',
)
@_answering
def explain(engine: ListeningEngine, instance: str, sequence: int, *, reason: str, by: Asker) -> None:
    """Explain."""
    engine.explain_deviation(instance, sequence, reason=reason, **by)


@command(
    "accept",
    Text(
        zh="认可对偏差的说明：不归责于人，但照常计数。说明人不能自己认可。",
        en="Accept what was explained: it is put down to nobody, and counts all the same. Who explained it may not "
        "judge it.",
    ),
    'svcflow deviation accept repair-9 4 --db service.db --actor m-1:manager --reason "lift log seen"',
)
@_answering
def accept(engine: ListeningEngine, instance: str, sequence: int, *, reason: str, by: Asker) -> None:
    """Accept."""
    engine.accept_deviation(instance, sequence, reason=reason, **by)


@command(
    "reject",
    Text(
        zh="不认可对偏差的说明。说明人不能自己认定；最后一次认定为准。",
        en="Reject what was explained. Who explained it may not judge it; the last judgement counts.",
    ),
    'svcflow deviation reject repair-9 4 --db service.db --actor m-1:manager --reason "it ran that day"',
)
@_answering
def reject(engine: ListeningEngine, instance: str, sequence: int, *, reason: str, by: Asker) -> None:
    """Reject."""
    engine.reject_deviation(instance, sequence, reason=reason, **by)


def _show(engine: ListeningEngine, instance: str, sequence: int) -> None:
    from svcflow.cli.departures import departures_json, departures_text
    from svcflow.cli.json import deviation_json
    from svcflow.cli.output import paragraphs
    from svcflow.cli.replies import replies_to
    from svcflow.cli.session import names_in, versions_of
    from svcflow.cli.tables import deviation_table

    asked, departed = asked_of(click.get_current_context()), engine.departures(instance)
    found = [one for one in engine.deviations(instance=instance) if one.sequence == sequence]
    replies = replies_to(engine, found)

    def text() -> str:
        grid = deviation_table(found, names_in(engine, versions_of(found), asked.lang), asked.lang, replies)
        return paragraphs((grid, departures_text(engine, departed, asked.lang)))

    answer(
        asked,
        lambda: {
            "deviation": deviation_json(found[0], replies[instance, sequence]),
            "deviations": departures_json(departed),
        },
        text,
    )


run = Section(
    "deviation",
    Text(
        zh="对偏差的说明与认定。偏差从不删除，认可后也照常计数。",
        en="Answers to a deviation: explain, accept, reject. None is ever deleted; an accepted one counts all the same.",
    ),
    {"explain": explain, "accept": accept, "reject": reject},
)
