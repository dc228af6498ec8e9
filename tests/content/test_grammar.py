from __future__ import annotations

import time

import pytest

from commsengine.content.grammar import ANY, Uses
from commsengine.content.templates import compiled, parse
from commsengine.errors import RenderError

NAMES = {"person": ANY, "milestones": {"go_live": None}, "rows": [{"name": None, "points": [None]}], "role": None}

BOMBS = [
    "{{ 'a' | center(200000000) }}",
    "{{ 'a' * 1000000000 }}",
    "{{ 10 ** 10 ** 10 }}",
    "{{ range(100000) | join }}",
    "{% for i in range(100000) %}{% for j in range(100000) %}x{% endfor %}{% endfor %}",
    "{% for i in [1,2,3] %}x{% endfor %}",
    "{% for i in 'aaaaaaaaaa' %}x{% endfor %}",
    "{% for i in person.name %}x{% endfor %}",
    "{% for a in rows %}{% for b in rows %}{% for c in rows %}x{% endfor %}{% endfor %}{% endfor %}",
    "{% for a in rows recursive %}{{ loop(rows) }}{% endfor %}",
    "{% set a = 'xxxxxxxxxx' %}{% set a = a ~ a %}{{ a }}",
    "{% set a %}x{% endset %}",
    "{% macro m() %}{{ m() }}{% endmacro %}{{ m() }}",
    "{% include 'wiifm' %}",
    "{% extends 'wiifm' %}",
    "{% import 'wiifm' as w %}",
    "{% block x %}{% endblock %}",
    "{% filter upper %}x{% endfilter %}",
    "{{ 'a' | replace('', 'bbbbbbbbbbbbbbbbbbbb') }}",
    "{{ '%1000000000d' | format(1) }}",
    "{{ '%1000000000d' % 1 }}",
    "{{ 'a'.ljust(1000000000) }}",
    "{{ ('a',) * 100000000 }}",
    "{{ 'a' | indent(100000000) }}",
    "{{ 'a' | wordwrap(1) }}",
    "{{ lipsum(n=100000) }}",
    "{{ 'a' | list | slice(100000000) | list }}",
    "{{ [1] | batch(100000000, 'x') | list }}",
    "{{ ().__class__.__bases__[0].__subclasses__() }}",
    "{{ person.__class__.__mro__ }}",
    "{{ ''['__class__'] }}",
    "{{ person | attr('__class__') }}",
    "{{ cycler.__init__.__globals__.os.popen('id').read() }}",
    "{{ self._TemplateReference__context }}",
    "{{ '{0.__class__}'.format(person) }}",
    "{{ " + "(" * 20000 + "1" + ")" * 20000 + " }}",
    "{{ " + "not " * 15000 + "1 }}",
    "{% if role %}" * 4000 + "{% endif %}" * 4000,
    "{{ " + "9" * 60000 + " }}",
    "x" * 70000,
]


@pytest.mark.parametrize("bomb", BOMBS, ids=range(len(BOMBS)))
def test_a_bomb_is_refused_before_anything_runs(bomb: str) -> None:
    began = time.process_time()
    with pytest.raises(RenderError):
        compiled(bomb, "bomb.md", NAMES)
    assert time.process_time() - began < 3


def uses(source: str) -> Uses:
    found = parse(source, NAMES)
    assert found.flaws == []
    return found


def test_a_plain_value_may_be_filled_in_later() -> None:
    found = uses("{{ person.name }} {{ person['cost center'] }} {{ person.a if role else person.b }}")
    assert (found.by_value, found.by_truth) == (set(), {"role"})
    assert found.required == {"person.name", "person.cost center", "person.a", "person.b"}


def test_what_decides_or_is_changed_makes_another_text() -> None:
    found = uses("{{ person.a|upper }}{{ person.b ~ '!' }}{% if person.c == 'x' or person.d in ['y'] %}{% endif %}")
    assert found.by_value == {"person.a", "person.b", "person.c", "person.d"}


def test_what_may_be_missing_is_not_required() -> None:
    found = uses(
        "{% if person.a and not person.b %}x{% endif %}{{ person.a }}"
        "{{ person.c|default('-') }}{% if person.d is defined %}{% endif %}"
    )
    assert found.required == set()
    assert (found.by_truth, found.by_value) == ({"person.a", "person.b"}, {"person.c", "person.d"})


def test_loops_over_lists_and_lists_in_them() -> None:
    uses(
        "{% for row in rows %}{{ loop.index }} {{ row.name }}"
        "{% for point in row.points %}{{ point }}{% endfor %}{% endfor %}"
    )


def test_a_text_with_values_may_stand_where_a_value_may() -> None:
    found = uses('{{ _("Hello {name}, {depot}.", name=person.name, depot=person.a if role else person.b) }}')
    assert (found.by_value, found.by_truth) == (set(), {"role"})
    assert found.required == {"person.name", "person.a", "person.b"}
    uses('{{ _("Plain words, 5 %.") }}{{ _("One") if role else _("Two") }}')
    uses('{% for row in rows %}{{ _("{place}. {name}", place=loop.index, name=row.name) }}{% endfor %}')


@pytest.mark.parametrize(
    ("source", "message"),
    [
        ("{{ _() }}", "takes one text in quotes"),
        ("{{ _(role) }}", "takes one text in quotes"),
        ("{{ _('') }}", "takes one text in quotes"),
        ("{{ _(5) }}", "takes one text in quotes"),
        ('{{ _("a" ~ role) }}', "takes one text in quotes"),
        ('{{ _("{a}", role) }}', "takes one text in quotes"),
        ('{{ _("{a}", **person) }}', "takes one text in quotes"),
        ('{{ _("{a}", *rows) }}', "takes one text in quotes"),
        ('{{ _("Hello {name}") }}', "the text has name in braces, and nothing given to it"),
        ('{{ _("Hello", name=role) }}', "the text has nothing in braces, and name given to it"),
        ('{{ _("Hello {nmae}", name=role) }}', "the text has nmae in braces, and name given to it"),
        ('{{ _("{a} {a}", a=role) }}', "the text has a, a in braces, and a given to it"),
        ('{{ _("{a}", a=role, a=role) }}', "the text has a in braces, and a, a given to it"),
        ('{{ _("{a.__class__}", a=role) }}', "a brace that holds no plain name"),
        ('{{ _("{a:>100000000}", a=role) }}', "a brace that holds no plain name"),
        ('{{ _("{a!r}", a=role) }}', "a brace that holds no plain name"),
        ('{{ _("{_self}", _self=role) }}', "a brace that holds no plain name"),
        ('{{ _("{{a}}", a=role) }}', "a brace that holds no plain name"),
        ('{{ _("a } b") }}', "a brace that holds no plain name"),
        ('{{ _("a")|upper }}', "is not simply shown"),
        ('{{ role ~ _("a") }}', "is not simply shown"),
        ('{% if _("a") == role %}{% endif %}', "is not simply shown"),
        ('{{ role|default(_("a")) }}', "is not simply shown"),
        ('{{ _("{a}", a=rows) }}', "'rows' is not a single value"),
        ('{{ _("{a}", a=persn) }}', "'persn' is not defined"),
        ('{{ _("{a}", a=role.upper()) }}', "calling something is not allowed"),
        ("{{ _ }}", "'_' is not defined"),
        ('{{ _("a")("b") }}', "calling something is not allowed"),
        ('{{ gettext("a") }}', "calling something is not allowed"),
        ('{% for _ in rows %}{{ _("a") }}{% endfor %}', "calling something is not allowed"),
    ],
)
def test_no_other_call_and_no_text_that_is_filled_in_otherwise(source: str, message: str) -> None:
    flaw = parse(f"\n{source}", NAMES).flaws[0]
    assert flaw.line == 2
    assert message in flaw.message
    assert flaw.fix


@pytest.mark.parametrize(
    ("source", "line", "message", "fix"),
    [
        ("a\n{{ milestones.golive }}", 2, "'milestones.golive' is not defined", "Did you mean milestones.go_live?"),
        ("{{ persn.name }}", 1, "'persn' is not defined", "Did you mean person?"),
        ("{{ zzz }}", 1, "'zzz' is not defined", "Known here: milestones, person, role, rows."),
        ("{{ role.name }}", 1, "'role.name' is not defined", "It has no fields: leave out what follows the dot."),
        ("{{ milestones }}", 1, "'milestones' is not a single value", "Write which: milestones.go_live."),
        ("{{ rows }}", 1, "'rows' is not a single value", "Write a 'for' over it."),
        ("{% for r in rows %}{{ r.nam }}{% endfor %}", 1, "'r.nam' is not defined", "Did you mean r.name?"),
        ("{{ role|uper }}", 1, "the filter 'uper' is not allowed", "Did you mean upper?"),
        ("\n\n{{ role", 3, "unexpected end of template", ""),
    ],
)  # fmt: skip
def test_a_flaw_names_its_line_and_what_is_near(source: str, line: int, message: str, fix: str) -> None:
    flaw = parse(source, NAMES).flaws[0]
    assert flaw.line == line
    assert message in flaw.message
    assert fix in flaw.fix
