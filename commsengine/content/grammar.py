"""What a template may say: values, texts with values, ``if``, ``for`` over short lists, a few filters; nothing that
grows or calls.

The check runs on the parsed tree, before Jinja2 compiles (and would already compute) anything. It also tells which
values a text uses and how: one that merely stands in ``{{ }}`` may be filled in later, one that decides may not.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Any

from jinja2 import nodes

from commsengine.cadence.people import COLUMNS
from commsengine.cadence.plan import ANGLES, Plan
from commsengine.text import either, near_names
from commsengine.translation import N_, _

LONGEST = 64_000
"""Characters of one template."""

FILTERS = frozenset(
    {"capitalize", "default", "first", "join", "last", "length", "lower", "title", "trim", "truncate", "upper"}
)
# A field is proposed under a name that was not written, so it must be nearly the same word.
LIKE_A_FIELD = 0.75

TESTS = frozenset({"defined", "undefined"})
TEXT = "_"
"""The one thing that may be called: a text that the catalogs of languages have."""

_PLACE = re.compile(r"\{([a-z][a-z0-9_]*)\}")
_A_TEXT = N_('Write it as {{ _("Hello {name},", name=person.first_name) }}.')

ANY = "any"
"""In a vocabulary: a name with fields that are known only once the person is."""

Vocabulary = Mapping[str, Any]
"""Known names: ``None`` for a value, a mapping for fields, ``[…]`` for a list of values or rows, ``ANY`` if open."""

_ARITHMETIC = ("Add", "Sub", "Mul", "Div", "FloorDiv", "Mod", "Pow", "Neg", "Pos")
_SPOKEN = {
    **dict.fromkeys(_ARITHMETIC, N_("arithmetic")), **dict.fromkeys(("Getattr", "Getitem"), N_("a field of a field")),
    "Dict": N_("a mapping"), "Test": N_("this test"), "Call": N_("calling something"),
    "Assign": "'set'", "AssignBlock": "'set'", "Macro": "'macro'", "Include": "'include'",
    "Import": "'import'", "FromImport": "'import'", "Extends": "'extends'", "Block": "'block'", "CallBlock": "'call'",
    "FilterBlock": "'filter'", "Slice": N_("a slice"), "With": "'with'",
}  # fmt: skip

SIGNER_FIELDS = ("name", "first_name", "email", "phone", "job")
SIGNERS = ("lead", "manager", "sponsor", "sender")
VARYING = ("person", *SIGNERS, "links")
"""Names that differ from person to person: written as slots, filled in last. (``again`` is one too.)"""


@dataclass(frozen=True, slots=True)
class Flaw:
    """One thing a template says that it may not; ``line`` counts from 1."""

    line: int
    message: str
    fix: str


@dataclass(slots=True)
class Uses:
    """The names a template uses, dotted, each with its first line.

    ``by_value``: decides or is changed by a filter. ``by_truth``: only asked whether it is there.
    ``required``: must exist for the person; a name that the text asks about anywhere need not.
    """

    names: dict[str, int] = field(default_factory=dict)
    by_value: set[str] = field(default_factory=set)
    by_truth: set[str] = field(default_factory=set)
    required: set[str] = field(default_factory=set)
    flaws: list[Flaw] = field(default_factory=list)


def examine(tree: nodes.Template, vocabulary: Vocabulary) -> Uses:
    examination = _Examination(vocabulary)
    for node in tree.body:
        examination.statement(node, {}, 0)
    examination.uses.required -= examination.asked
    return examination.uses


class _Examination:
    def __init__(self, vocabulary: Vocabulary) -> None:
        self.vocabulary = vocabulary
        self.uses = Uses()
        self.asked: set[str] = set()

    def statement(self, node: nodes.Node, scope: Mapping[str, Any], depth: int) -> None:
        if isinstance(node, nodes.Output):
            for shown in node.nodes:
                if not isinstance(shown, nodes.TemplateData):
                    self.expression(shown, scope, "plain")
        elif isinstance(node, nodes.If):
            self.expression(node.test, scope, "truth")
            for child in (*node.body, *node.elif_, *node.else_):
                self.statement(child, scope, depth)
        elif isinstance(node, nodes.For):
            self._loop(node, scope, depth)
        else:
            self._refuse(node)

    def _loop(self, node: nodes.For, scope: Mapping[str, Any], depth: int) -> None:
        rows = self._resolve(node.iter, scope)
        if not isinstance(rows, list):
            known = ", ".join(sorted(name for name, kind in self.vocabulary.items() if isinstance(kind, list)))
            none = _("There are no lists here: write the lines one by one.")
            fix = _("The lists here are {names}.", names=known) if known else none
            self._flaw(node, _("'for' runs over something that is not one of the lists"), fix)
            return
        if depth >= 2 or node.recursive or node.test or not isinstance(node.target, nodes.Name):
            fix = _("Write at most a loop in a loop, with one plain name.")
            self._flaw(node, _("this 'for' is nested too deeply or too complex"), fix)
            return
        inner = {**scope, node.target.name: rows[0], "loop": {"first": None, "last": None, "index": None}}
        for child in (*node.body, *node.else_):
            self.statement(child, inner, depth + 1)

    def expression(self, node: nodes.Node, scope: Mapping[str, Any], how: str) -> None:
        if isinstance(node, nodes.Name | nodes.Getattr | nodes.Getitem):
            self._name(node, scope, how)
        elif isinstance(node, nodes.Filter):
            self._filter(node, scope)
        elif isinstance(node, nodes.Test) and node.name in TESTS and not node.args:
            self.expression(node.node, scope, "guarded")
        elif isinstance(node, nodes.CondExpr):
            self.expression(node.test, scope, "truth")
            for branch in (node.expr1, node.expr2):
                if branch is not None:
                    self.expression(branch, scope, how)
        elif isinstance(node, nodes.Not):
            self.expression(node.node, scope, how)
        elif isinstance(node, nodes.And | nodes.Or):
            self.expression(node.left, scope, "truth" if how == "truth" else "value")
            self.expression(node.right, scope, "truth" if how == "truth" else "value")
        elif isinstance(node, nodes.Compare | nodes.Concat | nodes.Operand | nodes.List | nodes.Tuple):
            for child in node.iter_child_nodes():
                self.expression(child, scope, "value")
        elif isinstance(node, nodes.Call) and dotted(node.node) == TEXT and TEXT not in scope:
            self._text(node, scope, how)
        elif not isinstance(node, nodes.Const):
            self._refuse(node)

    def _text(self, node: nodes.Call, scope: Mapping[str, Any], how: str) -> None:
        text = node.args[0].value if len(node.args) == 1 and isinstance(node.args[0], nodes.Const) else None
        if not isinstance(text, str) or not text or node.dyn_args or node.dyn_kwargs:
            self._flaw(node, _("'_' takes one text in quotes, and values by name"), _(_A_TEXT))
            return
        if how != "plain":
            self._flaw(node, _("'_' is used where its text is not simply shown"), _("Decide with 'if' which to show."))
            return
        self._places(node, text)
        for value in node.kwargs:
            self.expression(value.value, scope, "plain")

    def _places(self, node: nodes.Call, text: str) -> None:
        # Each value once, and as a bare name: a text is filled in by str.format, which could do much more.
        written, given = sorted(_PLACE.findall(text)), sorted(value.key for value in node.kwargs)
        if re.search("[{}]", _PLACE.sub("", text)):
            cause = _("the text has a brace that holds no plain name")
            self._flaw(node, cause, _("Write a value as {name}, in small letters."))
        elif written != given:
            inside, behind = _spoken(written), _spoken(given)
            cause = _("the text has {inside} in braces, and {behind} given to it", inside=inside, behind=behind)
            self._flaw(node, cause, _("Write each value once in the text, as {name}, and once behind it, as name=…."))

    def _filter(self, node: nodes.Filter, scope: Mapping[str, Any]) -> None:
        if node.name not in FILTERS:
            self._flaw(node, _("the filter '{name}' is not allowed", name=node.name), _known(node.name, FILTERS))
            return
        if node.kwargs or node.dyn_args or node.dyn_kwargs or node.node is None:
            self._refuse(node)
            return
        if node.name == "join" and not self._joins_a_list(node, scope):
            return
        self.expression(node.node, scope, "guarded" if node.name == "default" else "value")
        for argument in node.args:
            self.expression(argument, scope, "value")

    def _joins_a_list(self, node: nodes.Filter, scope: Mapping[str, Any]) -> bool:
        # Between the letters of a text, and again between those of the outcome, join would fill any memory.
        known = self._resolve(node.node, scope) if node.node and dotted(node.node) else None
        if known is not ... and not isinstance(known, list):
            cause = _("'join' comes after something that is not one of the lists")
            self._flaw(node, cause, _("Write the words one by one."))
        return isinstance(known, list)

    def _name(self, node: nodes.Expr, scope: Mapping[str, Any], how: str) -> None:
        kind = self._resolve(node, scope)
        name = dotted(node)
        if kind is ... or name is None or name.partition(".")[0] in scope:
            return
        if (kind is not None and kind != ANY) and how != "truth":
            if isinstance(kind, list) and how == "value":
                return
            many = isinstance(kind, list)
            fix = _("Write a 'for' over it.") if many else _("Write which: {names}.", names=_listed(name + ".", kind))
            self._flaw(node, _("'{name}' is not a single value", name=name), fix)
            return
        self.uses.names.setdefault(name, node.lineno)
        if how in ("value", "guarded"):
            self.uses.by_value.add(name)
        elif how == "truth":
            self.uses.by_truth.add(name)
        (self.uses.required if how in ("value", "plain") else self.asked).add(name)

    def _resolve(self, node: nodes.Node, scope: Mapping[str, Any]) -> Any:
        """What a name stands for; ``...`` after a flaw was noted."""
        name = dotted(node)
        if name is None:
            self._refuse(node)
            return ...
        known: Any = {**self.vocabulary, **scope}
        said = ""
        for part in name.split(".", 1):
            if known == ANY:
                return None
            if not isinstance(known, Mapping) or part not in known:
                written = said + part
                fix = (_in_fields(part, known) if not said else "") or _known(part, known, said)
                self._flaw(node, _("'{name}' is not defined", name=written), fix)
                return ...
            known, said = known[part], f"{said}{part}."
        return None if known == ANY else known

    def _refuse(self, node: nodes.Node) -> None:
        kind = type(node).__name__
        cause = _("{part} is not allowed in a template", part=_(_SPOKEN.get(kind, f"'{kind.lower()}'")))
        self._flaw(node, cause, _("Templates only show values, with 'if' and 'for'."))

    def _flaw(self, node: nodes.Node, message: str, fix: str) -> None:
        self.uses.flaws.append(Flaw(node.lineno, message, fix))


def dotted(node: nodes.Node) -> str | None:
    """``person.name`` for ``{{ person.name }}`` and ``{{ person["name"] }}``; ``None`` for anything deeper."""
    if isinstance(node, nodes.Name):
        return node.name
    if isinstance(node, nodes.Getattr) and isinstance(node.node, nodes.Name):
        return f"{node.node.name}.{node.attr}"
    if isinstance(node, nodes.Getitem) and isinstance(node.node, nodes.Name) and isinstance(node.arg, nodes.Const):
        return f"{node.node.name}.{node.arg.value}"
    return None


def _known(word: str, known: Any, said: str = "") -> str:
    names = sorted(map(str, known)) if isinstance(known, Mapping | frozenset) else []
    if near := near_names(word, names):
        return _("Did you mean {names}?", names=either(said + name for name in near))
    if not names:
        return _("It has no fields: leave out what follows the dot.")
    return _("Known here: {names}.", names=_listed(said, names))


def _in_fields(word: str, known: Any) -> str:
    """A field written without what it belongs to: ``first_nme`` for ``person.first_name``."""
    if not isinstance(known, Mapping) or near_names(word, map(str, known), 1):
        return ""
    roots = sorted(known, key=lambda name: name == "person")  # a field of several is most likely the person's
    mappings = {name: known[name] for name in roots if isinstance(known[name], Mapping)}
    rooted = {str(field): f"{name}.{field}" for name, fields in mappings.items() for field in fields}
    near = near_names(word, rooted, 1, LIKE_A_FIELD)
    return f"{_('Did you mean {names}?', names=rooted[near[0]])} {_known('', known)}" if near else ""


def _spoken(names: list[str]) -> str:
    return ", ".join(names) or _("nothing")


def _listed(said: str, names: Any) -> str:
    return ", ".join(said + str(name) for name in sorted(names))


def plan_names(plan: Plan, columns: Collection[str] | None = None) -> Vocabulary:
    """``columns`` are the attributes people have; ``None`` leaves them open."""
    person: Any = ANY if columns is None else dict.fromkeys({*COLUMNS, "first_name", *columns})
    return {
        "person": person,
        "milestones": dict.fromkeys(plan.milestones),
        "campaign": dict.fromkeys(("id", "title")),
        **{member: dict.fromkeys(SIGNER_FIELDS) for member in SIGNERS},
    }


def template_names(plan: Plan, columns: Collection[str] | None = None) -> Vocabulary:
    # A name that a kind of message has no use for is empty there.
    return {
        **plan_names(plan, columns),
        "manager": dict.fromkeys((*SIGNER_FIELDS, "adds")),
        "links": dict.fromkeys(("answer", "calendar", "heard", "mine", "more", "page", "webcal")),
        "touch": dict.fromkeys(("number", "variant", "kind", "unclear", "asks")),
        "wiifm": dict.fromkeys(ANGLES),
        "briefing": dict.fromkeys(("day", "past", "only", "same", "named", "asks_first")),
        **dict.fromkeys((
            "again", "all_answers", "answer", "ask", "calls_today", "channel", "commit", "corrected", "direction",
            "ending", "given", "headline", "input", "is_called", "key_point", "language", "manager_sees", "often",
            "once", "others", "promised", "question", "questions_shown", "reply_by", "role", "several_leads", "start",
            "text", "to_do", "tried",
        )),
        "points": [dict.fromkeys(("angle", "title", "text"))],
        "choices": [None],
        "key_points": [None],
        "asks": [None],
        "figures": [None],
        "chosen": [None],
        "troubles": [None],
        "overdue": [None],
        "commitments": [None],
        "numbers": [None],
        "moved": [dict.fromkeys(("name", "before", "before_planned", "now", "now_planned", "because"))],
        "calls": [{
            **dict.fromkeys(("id", "name", "role", "phone", "reason", "tried", "by", "campaign", "lead", "buttons")),
            "talk": [dict.fromkeys(("title", "text"))],
            "points": [None],
        }],
        "replies": [dict.fromkeys(("asked", "about", "said", "ending", "promised"))],
        "answers": [dict.fromkeys(("name", "about", "text", "day", "id", "alike"))],
        "questions": [dict.fromkeys(("id", "name", "about", "since", "overdue", "text", "alike"))],
        "recorded": [dict.fromkeys(("name", "by", "came", "day", "note"))],
        "parts": [{"title": None, "lines": [None]}],
        "held": [dict.fromkeys(("name", "about", "reason"))],
    }  # fmt: skip


def answer_slot(place: int) -> str:
    """``place`` is where the person sees the answer, counted from 0."""
    return f"choice.{place}"


def answer_id_slot(place: int) -> str:
    return f"choice.{place}.id"


def layout_names(plan: Plan) -> Vocabulary:
    return {**template_names(plan), **dict.fromkeys(("title", "body", "footer", "action", "page"))}
