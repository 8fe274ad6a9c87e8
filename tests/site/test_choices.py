"""The box of chapter 8 in which a reader chooses: clicked, taken back, saved, and read again."""

from shared.preferences import choice_box, read_choices, taste
from shared.world import stories

PROMPTS = ["Mia had a kite.", 'Ben said "no" to <Tom>.', "Zoe ran."]
PAIRS = [(" It flew.", " It tore."), (" Tom left.", " Tom wept."), (" She won.", " She fell.")]


def test_what_is_chosen_is_what_is_saved(browser, tmp_path):
    page = browser.new_page()
    page.set_content(f"<!doctype html><body>{choice_box(PROMPTS, PAIRS).markup}</body>")
    button = {name: page.locator(f'[data-lm="{name}"]') for name in ("1", "2", "undo", "save")}
    said = {name: page.locator(f'[data-lm="{name}"]') for name in ("count", "prompt")}
    assert button["undo"].is_disabled() and button["save"].is_disabled()
    button["2"].click()
    assert said["count"].inner_text() == "1 of 3 choices"
    assert said["prompt"].inner_text() == PROMPTS[1]
    assert [button[n].inner_text() for n in "12"] == ["Tom left.", "Tom wept."]
    button["2"].click()
    button["undo"].click()
    assert said["count"].inner_text() == "1 of 3 choices"
    button["1"].click()
    button["1"].click()
    assert "Done" in said["prompt"].inner_text() and not button["1"].is_visible()
    with page.expect_download() as saving:
        button["save"].click()
    saving.value.save_as(tmp_path / "choices.jsonl")
    page.close()
    found = [(p.prompt, p.chosen, p.rejected) for p in read_choices(tmp_path / "choices.jsonl")]
    (a, b), *others = PAIRS
    assert found == [(p, *pair) for p, pair in zip(PROMPTS, [(b, a), *others], strict=True)]


def test_the_box_says_how_often_the_simulated_reader_agrees(browser):
    """Real episodes beside babble, and one pair without a favorite."""
    prompts, pairs = [], []
    for story in stories(4):
        episode = story.part("episode")
        prompts.append(story.text[: story.text.index(episode)])
        pairs.append((episode, " Blah blah."))
    prompts, pairs = [*prompts, "Ben ran."], [*pairs, (" Hm.", " Ah.")]
    points = [[taste(p, c) for c in two] for p, two in zip(prompts, pairs, strict=True)]
    assert [a > b for a, b in points] == [True] * 4 + [False] and points[4][0] == points[4][1]
    page = browser.new_page()
    page.set_content(f"<!doctype html><body>{choice_box(prompts, pairs).markup}</body>")
    for name in "11211":
        page.locator(f'[data-lm="{name}"]').click()
    said = page.locator('[data-lm="prompt"]').inner_text()
    assert "a favorite in 4 of these pairs, and in 3 it is yours" in said
    page.close()
