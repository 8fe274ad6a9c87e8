"""Formulas as MathML, which browsers set by themselves; numbered ones can be linked.

`\\tag{5.1}` makes an anchor, and "formula (5.1)" in a text leads there. Both are written in the
notebooks as they are to be read in JupyterLab and on Colab.
"""

import re

from chapters import chapters
from docutils import nodes
from latex2mathml.converter import convert

TAG = re.compile(r"\s*\\tag\{([\dAB]\.\d+)\}")
SPOKEN_OF = re.compile(r"(?<=[Ff]ormula )\(([\dAB]\.\d+)\)")
TYPED = {"←": r"\gets ", "·": r"\cdot ", "×": r"\times "}  # signs that stand between two others
NAME = r"<mi>(?:log|ln|sin|cos|exp|max|min)</mi>"
THIN = '<mspace width="0.1667em"/>'
SPACING = [  # as TeX has it
    (rf"({NAME})(?!<mo stretchy=\"false\">\(|</mrow>)", rf"\1{THIN}"),
    (rf"(</mi>|</mn>|</msub>|</mfrac>|\)</mo>)(?={NAME})", rf"\1{THIN}"),
    (rf"{THIN}{THIN}", THIN),
    (r"<mo>/</mo>", '<mo lspace="0" rspace="0">/</mo>'),
    (r"(?<=[=,(]</mo>)<mo>−</mo>|(?<=<mrow>)<mo>−</mo>", '<mo form="prefix">−</mo>'),
    (r"<mi>(?=[Α-Ω]</mi>)", '<mi mathvariant="normal">'),
]


def mathml(latex: str, display: str) -> str:
    for sign, command in TYPED.items():
        latex = latex.replace(sign, command)
    made = convert(TAG.sub("", latex), display=display)
    made = re.sub(r"&#x0*([0-9A-F]+);", lambda found: plain(int(found[1], 16)), made)
    for pattern, better in SPACING:
        made = re.sub(pattern, better, made)
    return made


def plain(code: int) -> str:
    return f"&#{code};" if chr(code) in "<>&" else chr(code)


def anchor(number: str) -> str:
    return f"eq-{number.replace('.', '-')}"


def inline(translator, node) -> None:
    translator.body.append(mathml(node.astext(), "inline"))
    raise nodes.SkipNode


def block(translator, node) -> None:
    tag = TAG.search(node.astext())
    number = f'<span class="lm-number">({tag[1]})</span>' if tag else ""
    place = f' id="{anchor(tag[1])}"' if tag else ""
    formula = mathml(node.astext(), "block")
    translator.body.append(
        f'<div class="lm-formula"{place}><div class="lm-set">{formula}</div>{number}</div>\n'
    )
    raise nodes.SkipNode


def resolve(app, doctree, docname) -> None:
    if app.builder.format != "html":
        return
    pages = {chapter.title.split(".")[0]: chapter.name for chapter in chapters()}
    for text in list(doctree.findall(nodes.Text)):
        if isinstance(text.parent, nodes.literal | nodes.reference):
            continue
        before, *rest = SPOKEN_OF.split(text.astext())
        parts = [nodes.Text(before)]
        for number, after in zip(rest[::2], rest[1::2], strict=True):
            page = app.builder.get_relative_uri(docname, pages[number[0]])
            address = f"{page}#{anchor(number)}"
            parts.append(nodes.reference("", f"({number})", internal=True, refuri=address))
            parts.append(nodes.Text(after))
        if rest:
            place = text.parent.index(text)
            text.parent[place : place + 1] = parts


def setup(app) -> dict:
    app.add_html_math_renderer("mathml", (inline, None), (block, None))
    app.connect("doctree-resolved", resolve)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
