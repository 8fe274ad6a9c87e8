"""The reader's own weights: opened, checked, refused in words."""

import json
import pickle
from dataclasses import asdict

import pytest
import torch
from safetensors.torch import load_file, save_file

from shared.model import GPT, GPTConfig, save_model
from shared.text import SPECIAL_TOKENS, BPETokenizer
from shared.world import stories
from tests.site.play import STAND_IN, WAIT, in_page, random_model, settle

OTHER = GPTConfig(400, 17, 30, 5, 1, qkv_bias=False, tied_embeddings=False)  # no size of the page's


def offer(page, *paths):
    """Choose files, and wait for what the page says of them."""
    page.evaluate("find('own-status').textContent = ''")
    page.locator("#lm-own-files").set_input_files(paths)
    page.wait_for_function("!/^$|being checked/.test(find('own-status').textContent)", timeout=WAIT)
    return page.locator("#lm-own-status").inner_text()


@torch.no_grad()
def logits_are(page, model, T):
    generator = torch.Generator().manual_seed(1)
    ids = torch.randint(model.config.vocab_size, (T,), generator=generator).tolist()
    script = "async ids => { await model.read(ids); return model.logits.map(row => [...row]) }"
    found = torch.tensor(in_page(page, script, ids))
    torch.testing.assert_close(found, model(torch.tensor([ids]))[0], atol=1e-3, rtol=1e-4)


def test_own_weights_give_pytorchs_logits(play, tmp_path):
    page, model = play(), random_model(STAND_IN).eval()
    save_model(model, tmp_path / "model.safetensors")
    assert "All views now use model.safetensors" in offer(page, tmp_path / "model.safetensors")
    logits_are(page, model, STAND_IN.context_length)
    page.wait_for_function("model === ownModel")
    page.get_by_role("button", name="Back to the book").click()
    page.wait_for_function("!ownModel && model === book || book.then(b => b === model)")
    assert "book's again" in page.locator("#lm-own-status").inner_text()


def test_another_shape_with_its_own_vocabulary(play, tmp_path):
    """One file after the other, in all three views."""
    page, model = play(), random_model(OTHER).eval()
    save_model(model, tmp_path / "mine.safetensors")
    texts = [story.text for story in stories(100)]
    BPETokenizer.train(texts, 400, SPECIAL_TOKENS).save(tmp_path / "vocabulary.json")
    assert "knows 400 tokens, the vocabulary 600" in offer(page, tmp_path / "mine.safetensors")
    assert "All views now use mine" in offer(page, tmp_path / "vocabulary.json")
    page.wait_for_function("model === ownModel")
    logits_are(page, model, 17)
    settle(page)
    page.get_by_role("tab", name="Look inside").click()
    page.locator("#lm-look").click()
    page.locator("#lm-tour").wait_for(timeout=WAIT)
    assert page.evaluate("trace.stages.length") == 3
    page.get_by_role("tab", name="Chat").click()
    page.get_by_label("A story").fill("")
    page.get_by_label("Your question").fill("Who is the story about in this tale?")
    page.get_by_role("button", name="Ask").click()
    page.get_by_text("Make one of them shorter").wait_for(timeout=WAIT)


def damaged(path):
    data = bytearray(path.read_bytes())
    data[-5] ^= 1
    path.write_bytes(data)


def cut(path):
    path.write_bytes(path.read_bytes()[:-100])


def pickled(path):
    torch.save({"wte.weight": torch.zeros(2)}, path)


def old_pickle(path):
    path.write_bytes(pickle.dumps({"a": 1}))


def huge(path):
    with path.open("r+b") as file:
        file.truncate(2_000_000_000)  # takes no room on the disk


def without_configuration(path):
    save_file(load_file(path), path)


def rewritten(change):
    def damage(path):
        weights = load_file(path)
        config = asdict(STAND_IN)
        change(weights, config)
        save_file(weights, path, {"config": json.dumps(config)})

    return damage


def fewer_rows(weights, config):
    weights["wte.weight"] = weights["wte.weight"][:9].contiguous()


def half(weights, config):
    weights["ln_f.bias"] = weights["ln_f.bias"].half()


def not_a_number(weights, config):
    weights["ln_f.bias"][3] = float("nan")


def missing(weights, config):
    del weights["h.1.mlp.c_fc.bias"]


def unknown(weights, config):
    weights["lora.A"] = torch.zeros(3)


def five_heads(weights, config):
    config["n_heads"] = 5


DAMAGES = [
    (damaged, "damaged"),
    (cut, "cut"),
    (pickled, "pickle"),
    (old_pickle, "pickle"),
    (huge, "2,000 MB"),
    (lambda path: path.write_bytes(b""), "no complete safetensors"),
    (lambda path: path.write_bytes(b"hello, this is text"), "no complete safetensors"),
    (lambda path: path.write_bytes((9).to_bytes(8, "little") + b"{{{{{{{{{"), "header"),
    (lambda path: path.write_bytes((4).to_bytes(8, "little") + b"null"), "header"),
    (without_configuration, "no configuration"),
    (rewritten(fewer_rows), "wte.weight is 9 × 24"),
    (rewritten(half), "F16"),
    (rewritten(not_a_number), "not finite"),
    (rewritten(missing), "no tensor h.1.mlp.c_fc.bias"),
    (rewritten(unknown), "lora.A"),
    (rewritten(five_heads), "n_heads 5"),
]


def test_bad_files_are_refused_in_words(play, tmp_path):
    """And nothing else breaks: the weights of before go on."""
    page, path = play(), tmp_path / "model.safetensors"
    for damage, words in DAMAGES:
        save_model(random_model(STAND_IN), path)
        damage(path)
        said = offer(page, path)
        assert words in said and "stay in use" in said, said
    assert len(page.workers) == 1 and page.evaluate("ownModel === null")
    page.get_by_role("button", name="Write one token").click()
    assert settle(page).get_by_role("option").count() > 3


@pytest.mark.parametrize(
    "content", ["", "[]", "{}", '{"tokens": ["a"], "special_tokens": {}}', "9"]
)
def test_bad_vocabularies_are_refused_in_words(play, tmp_path, content):
    page = play()
    save_model(GPT(STAND_IN, torch.Generator()), tmp_path / "model.safetensors")
    (tmp_path / "vocabulary.json").write_text(content)
    said = offer(page, tmp_path / "model.safetensors", tmp_path / "vocabulary.json")
    assert "no complete vocabulary" in said


def test_files_can_be_dropped(play, tmp_path):
    page = play()
    save_model(random_model(STAND_IN), tmp_path / "mine.safetensors")
    content = list((tmp_path / "mine.safetensors").read_bytes())
    page.evaluate(
        """bytes => {
            const dataTransfer = new DataTransfer();
            dataTransfer.items.add(new File([Uint8Array.from(bytes)], "mine.safetensors"));
            const more = { dataTransfer, bubbles: true, cancelable: true };
            document.querySelector("h1").dispatchEvent(new DragEvent("drop", more));
        }""",
        content,
    )
    page.get_by_text("All views now use mine.safetensors").wait_for(timeout=WAIT)


def test_nothing_is_sent(play, tmp_path):
    page, asked = play(), []
    save_model(random_model(STAND_IN), tmp_path / "model.safetensors")
    page.on("request", lambda request: asked.append((request.method, request.url)))
    offer(page, tmp_path / "model.safetensors")
    assert all(
        method == "GET" and url.startswith(page.url.partition("/book/")[0]) for method, url in asked
    )
