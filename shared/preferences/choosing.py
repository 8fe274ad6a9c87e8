"""A page on which somebody chooses: two continuations, one click, and a file of choices.

It is plain HTML with a few lines of JavaScript, so that it works on the site, in JupyterLab and in
Colab, without a kernel. Choices stay in the browser until they are saved.
"""

import html
import json
from collections.abc import Sequence

from shared.book import Picture
from shared.preferences.tastes import taste

CODE = """(function(){const box=document.getElementById('NAME'),key='NAME';
const all=JSON.parse(box.dataset.pairs);
const at=n=>box.querySelector('[data-lm="'+n+'"]');let kept=[];
try{kept=JSON.parse(localStorage.getItem(key))||[]}catch(e){}
const keep=()=>{try{localStorage.setItem(key,JSON.stringify(kept))}catch(e){}};
function agreed(){let same=0,clear=0;
all.forEach((p,i)=>{if(p[3]!=p[4]){clear++;same+=(kept[i].chosen==p[1])==(p[3]>p[4])}});
return clear?'The reader of section 8.2 has a favorite in '+clear+' of these pairs, and in '+
same+' it is yours. ':''}
function show(){const n=kept.length,done=n>=all.length;
at('count').textContent=n+' of '+all.length+' choices';
at('prompt').textContent=done?'Done. '+agreed()+'Save your choices: they are a small data set.':
all[n][0];
for(const i of [1,2]){at(i).hidden=done;at(i).textContent=done?'':all[n][i].trim()}
for(const b of ['undo','save']){at(b).disabled=!n;at(b).style.opacity=n?1:.5}}
const pick=i=>{const p=all[kept.length];if(!p)return;
kept.push({prompt:p[0],chosen:p[i],rejected:p[3-i]});keep();show();at('count').focus()};
at(1).onclick=()=>pick(1);at(2).onclick=()=>pick(2);
at('undo').onclick=()=>{kept.pop();keep();show()};
at('save').onclick=()=>{const a=document.createElement('a');
a.href=URL.createObjectURL(new Blob([kept.map(c=>JSON.stringify(c)+'\\n').join('')]));
a.download='choices.jsonl';a.click()};show()})()"""
BUTTON = (
    "font:inherit;text-align:left;padding:.6em .8em;border:1px solid currentColor;"
    "border-radius:6px;background:none;color:inherit;cursor:pointer;"
)
CARD = BUTTON + "flex:1 1 14em"


def choice_box(prompts: Sequence[str], continuations: Sequence[tuple[str, str]]) -> Picture:
    """Beginnings, each with two continuations, to be chosen from one after the other.

    At the end it says how often the simulated reader, by its points, would have agreed.
    Raises ValueError if there are none, or not two different ones for each beginning.
    """
    equal = [i for i, (a, b) in enumerate(continuations) if a.split() == b.split()]
    if not prompts or len(prompts) != len(continuations) or equal:
        raise ValueError(
            f"{len(prompts)} beginnings, {len(continuations)} pairs, of which {equal} are equal"
        )
    both = zip(prompts, continuations, strict=True)
    pairs = [[p, *two, *(taste(p, text) for text in two)] for p, two in both]
    first = [html.escape(text.strip()) for text in pairs[0][:3]]
    data, name = html.escape(json.dumps(pairs), quote=True), "lm-choices"
    markup = (
        f'<div class="lm-figure lm-drawing" id="{name}" data-lm-suppress-shortcuts="true" '
        f'data-pairs="{data}" style="text-align:left;padding:.4em">'
        f'<p data-lm="count" role="status" tabindex="-1">0 of {len(pairs)} choices</p>'
        f'<p data-lm="prompt">{first[0]}</p><div style="display:flex;gap:.8em;flex-wrap:wrap">'
        f'<button data-lm="1" style="{CARD}">{first[1]}</button>'
        f'<button data-lm="2" style="{CARD}">{first[2]}</button></div>'
        '<p style="margin-top:.8em">'
        f'<button data-lm="undo" style="{BUTTON}" disabled>one back</button> '
        f'<button data-lm="save" style="{BUTTON}" disabled>save choices.jsonl</button></p>'
        f"<script>{CODE.replace('NAME', name)}</script></div>"
    )
    return Picture(markup, f"A beginning and two continuations to choose from, {len(pairs)} times.")
