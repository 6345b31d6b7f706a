"""A template with conditions on variables is rendered without Jinja, exactly as Jinja renders it."""

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from jinja2 import TemplateError, nodes

from runner.language.templates.environment import NotRenderable, environment
from runner.language.templates.simple import parse_conditional, render_conditional

JINJA = environment(lambda name: None)
VALUES: dict[str, Any] = {
    "a": "fog", "b": "  Dawn ", "empty": "", "zero": 0, "half": 0.5, "yes": True, "nothing": None,
    "person": {"name": "Ines", "items": "lamp"},
}  # fmt: skip
TEXTS = {
    "{% if a %}A {{ a }}. {% endif %}end": "A fog. end",
    "{% if empty %}A{% else %}B{% endif %}": "B",
    "{% if empty %}A{% elif zero %}B{% elif a == 'fog' %}C{% else %}D{% endif %}": "C",
    "one\n  {% if a %}\n  two {{ b | trim }}\n  {% endif %}\nthree": "one\n  two Dawn\nthree",
    "{{ a }} {% if a %}\n x{% endif %}": "fog  x",
    "{% if not a or b != a and yes %}A{% endif %}": "A",
    "{% if other is defined %}A{% endif %}{% if a is not defined %}B{% endif %}": "",
    "{% if a %}{% if empty %}A{% else %}{{ half }} {{ yes }}{% endif %}{% endif %}": "0.5 true",
    "{% if person.name %}{{ person.name | upper }}{% endif %}": "INES",
}
FOR_JINJA = (
    "{%- if a %}A{% endif %}",
    "{% if a -%}A{% endif %}",
    "{% if a %}{# why #}{% endif %}",
    "{% if a in b %}A{% endif %}",
    "{% if a | length > 3 %}A{% endif %}",
    "{% if (a) %}A{% endif %}",
    "{% if a == b == empty %}A{% endif %}",
    "{% if a is string %}A{% endif %}",
    "{% if loop %}A{% endif %}",
    "{% if a %}A",
    "{% if a %}A{% else %}B{% else %}C{% endif %}",
    "{% for x in a %}{{ x }}{% endfor %}",
    "{% if a %}\r\nA{% endif %}",
    "{% if " + "not " * 5_000 + "a %}A{% endif %}",
    "{% if a %}" * 100 + "{% endif %}" * 100,
)
MISSING = (
    "{% if other %}A{% endif %}",
    "{% if a %}{{ nothing }}{% endif %}",
    "{% if a %}{{ person.items }}{% endif %}",
)


@pytest.mark.parametrize("text", TEXTS)
def test_a_condition_is_rendered(text: str) -> None:
    template = parse_conditional(text)
    assert template is not None
    assert template.pieces is not None
    assert render_conditional(template.pieces, VALUES) == TEXTS[text] == JINJA.from_string(text).render(VALUES)


@pytest.mark.parametrize("text", FOR_JINJA)
def test_what_is_more_than_a_condition_is_left_to_jinja(text: str) -> None:
    assert parse_conditional(text) is None


@pytest.mark.parametrize("text", MISSING)
def test_what_is_wrong_while_rendering_is_left_to_jinja(text: str) -> None:
    template = parse_conditional(text)
    assert template is not None
    assert template.pieces is not None
    assert render_conditional(template.pieces, VALUES) is None


operands = st.sampled_from(["a", "b", "empty", "zero", "nothing", "person.name", "other", '"fog"', "'fog'"])
comparisons = st.builds("{} {} {}".format, operands, st.sampled_from(["==", "!="]), operands)
definitions = st.builds("{} is {}".format, st.sampled_from(["a", "other"]), st.sampled_from(["defined", "not defined"]))
conditions = st.recursive(
    operands | comparisons | definitions,
    lambda inner: (
        st.builds("not {}".format, inner) | st.builds("{} {} {}".format, inner, st.sampled_from(["and", "or"]), inner)
    ),
    max_leaves=4,
)
_FRAGMENTS = ["x", " ", "\n", "  ", "\t", "\x0b", "}}", "%}", "{", "{{ a }}", "{{ b | trim }}", "{{ person.name }}"]
texts = st.lists(st.sampled_from([*_FRAGMENTS, "{{ half }}", "{{ nothing }}"]), max_size=4).map("".join)
tags = st.sampled_from(["{{% {} %}}", "{{%{}%}}", "{{%  {} \t%}}"])


def blocks(bodies: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    def block(form: str, condition: str, other: str, body: str, elif_body: str, else_body: str) -> str:
        middle = form.format(f"elif {other}") + elif_body + form.format("else") + else_body
        return form.format(f"if {condition}") + body + middle + form.format("endif")

    return st.builds(block, tags, conditions, conditions, bodies, bodies, bodies)


templates = st.recursive(texts, lambda inner: st.builds("{}{}{}".format, inner, blocks(inner), inner), max_leaves=8)


@settings(max_examples=150)
@given(templates)
def test_it_agrees_with_jinja(text: str) -> None:
    template = parse_conditional(text)
    if template is None:
        return
    assert template.names == {node.name for node in JINJA.parse(text).find_all(nodes.Name)}
    assert template.pieces is not None
    rendered = render_conditional(template.pieces, VALUES)
    if rendered is not None:
        assert rendered == JINJA.from_string(text).render(VALUES)
        return
    with pytest.raises((TemplateError, NotRenderable)):
        JINJA.from_string(text).render(VALUES)
