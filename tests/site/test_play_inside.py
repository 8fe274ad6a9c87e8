"""Looking inside, step by step: what the page says are the model's numbers."""

import re

import torch

from tests.site.play import STAND_IN, WAIT, stored


def look(play, prompt="Mia had a red", width=1280):
    page = play(width)
    page.get_by_role("tab", name="Look inside").click()
    page.get_by_label("A prompt").fill(prompt)
    page.locator("#lm-look").click()
    page.locator("#lm-tour").wait_for(timeout=WAIT)
    page.wait_for_function("!find('look').ariaBusy")
    return page


def number(text):
    return float(text.replace("\u2212", "-").replace(",", "").rstrip("%").strip())


def step(page, name):
    page.get_by_role("button", name=name, exact=True).click()
    return page.locator("#lm-step-said").inner_text()


@torch.no_grad()
def test_the_numbers_in_the_text_are_pytorchs(play, stand_in):
    page = look(play)
    model = stored((stand_in / "model.js").read_text(encoding="utf-8"))
    ids = page.evaluate("trace.ids")
    assert [int(i) for i in page.locator(".lm-ids span").all_inner_texts()] == ids
    x = model.wte(torch.tensor([ids])) + model.wpe(torch.arange(len(ids)))
    last = model.wte.weight[ids[-1]][:3].tolist()
    found = re.findall(r"\(([^()]*), …\)", step(page, "Embedding"))
    assert [number(a) for a in found[0].split(",")] == [round(a, 2) for a in last]
    said = step(page, "Block 1: attention")
    q, k, _ = model.h[0].attn.qkv(model.h[0].ln_1(x))
    t, s, h = page.evaluate("[follow.t, follow.s, follow.h]")
    weight = (q[0, h, t] @ k[0, h, : t + 1].T / (24 / 3) ** 0.5).softmax(-1)[s]
    product = q[0, h, t] @ k[0, h, s]
    assert f"head {h + 1}" in said
    assert abs(number(re.search(r"is (\S+); divided", said)[1]) - product) < 0.006
    assert abs(number(re.search(r"weight of ([\d.]+):", said)[1]) - weight) < 6e-4
    said = step(page, "Logits")
    probs = model(torch.tensor([ids]))[0, -1].softmax(-1)
    assert abs(number(re.search(r"probability of (\S+) %", said)[1]) / 100 - probs.max()) < 6e-4
    shares = page.locator(".lm-logits .lm-percent").all_inner_texts()
    shares = [number(share.split("→")[1]) for share in shares]
    for found, expected in zip(shares, probs.topk(10).values.tolist(), strict=True):
        assert abs(found / 100 - expected) < 6e-4
    rows = page.locator("#lm-lens tr")
    assert rows.count() == 2 * STAND_IN.n_layers + 1
    lengths = [x]
    for block in model.h:
        x = x + block.attn(block.ln_1(x))
        lengths.append(x)
        x = x + block.mlp(block.ln_2(x))
        lengths.append(x)
    for row, stream in zip(rows.all(), lengths, strict=True):
        shown = number(row.locator("td").first.inner_text())
        assert abs(shown - stream[0, -1].norm()) < 0.06


def test_a_walk_by_keyboard(play):
    page = look(play, width=360)
    titles = []
    forward = page.get_by_role("button", name="Next")
    for n in range(2 * STAND_IN.n_layers + 3):
        titles.append(page.locator("#lm-step-title").inner_text())
        assert page.locator("#lm-path [aria-current=step]").count() == 1
        if n < 2 * STAND_IN.n_layers + 2:
            forward.press("Enter")
    assert len({*titles}) == len(titles) and forward.is_disabled()
    step(page, "Block 1: attention")
    page.get_by_role("radio", name="Head 1").press("ArrowRight")
    assert page.get_by_role("radio", name="Head 2").evaluate("e => e === document.activeElement")
    assert "head 2" in page.locator("#lm-step-said").inner_text()
    page.get_by_role("option", selected=True).press("Home")
    assert page.evaluate("follow.t") == 0
    strip = page.get_by_role("slider", name="query")
    strip.press("End")
    assert f"number {STAND_IN.d_model // STAND_IN.n_heads} of" in strip.get_attribute(
        "aria-valuetext"
    )


def test_the_map_says_its_numbers_under_the_pointer(play):
    page = look(play)
    step(page, "Block 2: attention")
    page.get_by_role("option").nth(3).click()
    canvas, T = page.locator(".lm-big canvas"), page.evaluate("trace.ids.length")
    box = canvas.bounding_box()
    for t, s in ((3, 1), (2, 2), (1, 3)):
        place = {"x": (s + 0.5) * box["width"] / T, "y": (t + 0.5) * box["height"] / T}
        canvas.hover(position=place)
        said = page.locator(".lm-big output").inner_text()
        if s > t:
            assert "comes later" in said
        else:
            weight = page.evaluate("([t, s]) => trace.attention[1][follow.h][t][s]", [t, s])
            assert f"{weight:.3f}" in said


def test_a_long_prompt_and_none(play):
    page = look(play, "one two three four five six seven eight nine ten eleven twelve")
    assert page.get_by_role("option").count() == 24
    assert "the last 24 are shown" in page.locator("#lm-inside-status").inner_text()
    page.get_by_label("A prompt").fill("")
    page.get_by_label("A prompt").press("Enter")
    page.wait_for_function("trace.ids.length === 1")
    assert "<|endoftext|>" in step(page, "Block 1: attention")


def test_the_likeliest_token_is_written(play):
    page = look(play)
    step(page, "Logits")
    before = page.evaluate("trace.ids.length")
    button = page.get_by_role("button", name="and look again")
    if button.count():  # unless it is the end
        button.click()
        page.wait_for_function(f"trace.ids.length !== {before}")


def test_a_link_leads_to_the_same_prompt(play):
    first = look(play, "Ben & a drum")
    first.get_by_role("button", name="Copy a link").click()
    first.wait_for_function("location.hash.includes('prompt')")
    second = play()
    second.evaluate("hash => { location.hash = hash }", first.url.partition("#")[2])
    second.get_by_text("came with a link").wait_for()
    second.locator("#lm-look").click()
    second.locator("#lm-tour").wait_for(timeout=WAIT)
    assert second.evaluate("trace.ids") == first.evaluate("trace.ids")
