"""Notes on what no box shows: the data of an instance, the indicators that are measured, the sources cited."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator

import attrs

from svcflow.drawing.scene.map_scene import Note
from svcflow.drawing.scene.phrases import name_of, trigger_text
from svcflow.model.field import Field
from svcflow.model.guard_wording import guard_text, value_text
from svcflow.model.parameter import Parameter, written_quantity
from svcflow.model.procedure import Indicator, Procedure
from svcflow.model.source import Source
from svcflow.model.step import walk
from svcflow.text import NO_TEXT, Text
from svcflow.wording import COUNTED, DEVIATIONS, FIELD_TYPES, SUBJECTS

_REQUIRED = Text(zh="必填", en="required")
_PERSONAL = Text(zh="个人信息", en="personal")
_DATA = Text(zh="信息", en="Data")
_INDICATORS = Text(zh="指标", en="Indicators")
_PARAMETERS = Text(zh="参数", en="Parameters")
_SOURCES = Text(zh="依据", en="Sources")
_EXCELLENCE = Text(zh="超值服务", en="Service beyond the standard")
_NO_COST = Text(zh="不增加项目和费用", en="never further items or cost")


def data_notes(procedure: Procedure) -> Iterator[Note]:
    """Yield a note on the fields, one on the indicators, the parameters, the sources and excellence each, as far as they are declared."""
    if procedure.fields:
        yield Note(
            head=_DATA, body=_listed([_field(procedure, field) for field in procedure.fields.values()])
        )
    yield from _settled(procedure)
    if procedure.indicators:
        yield Note(
            head=_INDICATORS,
            body=_listed([_indicator(procedure, each) for each in procedure.indicators.values()]),
        )
    if procedure.parameters:
        texts = [_parameter(procedure, each) for each in procedure.parameters.values()]
        yield Note(head=_PARAMETERS, body=_listed(texts))
    if procedure.sources:
        yield Note(head=_SOURCES, body=_listed([_source(source) for source in procedure.sources.values()]))
    if procedure.excellence is not None:
        yield Note(head=_EXCELLENCE, body=_NO_COST)


def _parameter(procedure: Procedure, parameter: Parameter) -> Text:
    """Return a parameter with the bounds within which an institution may set it."""
    words, low, high = parameter.text(procedure.sources), parameter.minimum, parameter.maximum
    bounds = " ".join(
        (
            *([f"≥ {written_quantity(low)}"] if low is not None else ()),
            *([f"≤ {written_quantity(high)}"] if high is not None else ()),
        )
    )
    if not bounds:
        return words
    return Text(zh=f"{words.zh}，可调 {bounds}", en=f"{words.en}, may be set {bounds}")


def _settled(procedure: Procedure) -> Iterator[Note]:
    """Yield the values that stay as they are from a move on."""
    moves = {move.trigger: move for step in walk(procedure.steps) for move in reversed(step.to)}
    for field in procedure.fields.values():
        if field.settled_by is not None:
            called = name_of(field.name, field.id)
            by = trigger_text(field.settled_by, moves[field.settled_by].name)
            yield Note(
                head=Text(zh=called.zh or called.en, en=called.en or called.zh),
                body=Text(
                    zh=f"自“{by.zh or by.en}”起不得改动，返工退回其前除外",
                    en=f"may not change after {(by.en or by.zh)!r}, unless rework leads back before it",
                ),
            )


def _field(procedure: Procedure, field: Field) -> Text:
    about = [
        *([FIELD_TYPES[field.type]] if field.type != "text" else ()),
        *([_values(field)] if field.choices else ()),
        *([Text(zh=field.unit, en=field.unit)] if field.unit else ()),
        *([_bounds(field)] if field.minimum is not None or field.maximum is not None else ()),
        *([_REQUIRED] if field.required else ()),
        *([_default(field)] if field.default is not None else ()),
        *([_PERSONAL] if field.personal else ()),
        *([_stands_for(field)] if field.stands_for else ()),
        *_companions(procedure, field),
    ]
    return _with(name_of(field.name, field.id), about)


def _values(field: Field) -> Text:
    names = [value_text(field, value) for value in field.choices]
    return Text(zh="、".join(name.zh for name in names), en=" / ".join(name.en for name in names))


def _bounds(field: Field) -> Text:
    low, high = field.minimum, field.maximum
    both = " ".join(
        (*([f"≥ {low}"] if low is not None else ()), *([f"≤ {high}"] if high is not None else ()))
    )
    return Text(zh=both, en=both)


def _default(field: Field) -> Text:
    value = value_text(field, field.default)
    return Text(zh=f"默认{value.zh}", en=f"else {value.en}")


def _stands_for(field: Field) -> Text:
    subject = SUBJECTS[field.stands_for or ""]
    return Text(zh=f"按{subject.zh}统计", en=f"figures by {subject.en}")


def _companions(procedure: Procedure, field: Field) -> Iterator[Text]:
    """Yield the fields that a rating names beside itself."""
    for key, words in (
        (field.reason, Text(zh="理由", en="reason")),
        (field.beyond_standard, Text(zh="超出标准之处", en="beyond the standard")),
        (field.follow_up, Text(zh="追评", en="rated once more")),
    ):
        if key is not None:
            name = name_of(procedure.fields[key].name, key)
            yield Text(zh=f"{words.zh}：{name.zh or name.en}", en=f"{words.en}: {name.en or name.zh}")


def _indicator(procedure: Procedure, indicator: Indicator) -> Text:
    about = [
        *([_counted(procedure, indicator)] if indicator.of else ()),
        *(_exclusion(procedure, indicator)),
        *([Text(zh=f"权重 {indicator.weight}", en=f"weight {indicator.weight}")] if indicator.weight else ()),
        *([Text(zh=indicator.source, en=indicator.source)] if indicator.source else ()),
    ]
    name = name_of(indicator.name, indicator.id)
    target = f" {indicator.target}" if indicator.target else ""
    return _with(Text(zh=f"{name.zh or name.en}{target}", en=f"{name.en or name.zh}{target}"), about)


def _counted(procedure: Procedure, indicator: Indicator) -> Text:
    of = _of(procedure, indicator.of or "")
    shares = [COUNTED[key] for key in (indicator.numerator, indicator.denominator) if key]
    zh, en = "/".join(share.zh for share in shares), " / ".join(share.en for share in shares)
    return Text(zh=f"{of.zh} {zh}".strip(), en=f"{of.en} {en}".strip())


def _of(procedure: Procedure, of: str) -> Text:
    """Return the name of the limit, rating, kind of deviation or trigger that an indicator is of."""
    names = (
        *(limit.name for limit in procedure.time_limits.values() if limit.id == of),
        *(field.name for field in procedure.fields.values() if field.id == of),
        DEVIATIONS.get(of, NO_TEXT),
        *(move.name for step in procedure.all_steps.values() for move in step.to if move.trigger == of),
    )
    return name_of(next(filter(None, names), NO_TEXT), of)


def _exclusion(procedure: Procedure, indicator: Indicator) -> Iterator[Text]:
    for rule in indicator.exclude:
        words = guard_text(rule.when, procedure.fields)
        yield Text(
            zh=f"不计{words.zh}：{rule.reason.in_('zh')}", en=f"without {words.en}: {rule.reason.in_('en')}"
        )


def _source(source: Source) -> Text:
    """Return a source; an English map names one with a Chinese title by its key, as few who read it have the font."""
    url = f" {source.url}" if source.url else ""
    english = source.text("en")
    if any(unicodedata.east_asian_width(letter) in "WF" for letter in source.title):
        about = attrs.evolve(source, title="").text("en")
        english = f"{source.id} ({about})" if about else source.id
    return Text(zh=source.text("zh") + url, en=english + url)


def _with(name: Text, about: list[Text]) -> Text:
    zh, en = "，".join(part.zh or part.en for part in about), ", ".join(part.en or part.zh for part in about)
    return Text(
        zh=f"{name.zh or name.en}（{zh}）" if about else name.zh or name.en,
        en=f"{name.en or name.zh} ({en})" if about else name.en or name.zh,
    )


def _listed(parts: list[Text]) -> Text:
    return Text(zh="；".join(part.zh for part in parts), en="; ".join(part.en for part in parts))
