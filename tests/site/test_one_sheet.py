"""The style sheets of a page in one, with the paths that they name."""

from one_sheet import joined, quicker

LINK = '<link rel="stylesheet" type="text/css" href="../_static/{}?v=1" />'


def write(folder, **sheets):
    (folder / "styles").mkdir()
    for name, css in sheets.items():
        (folder / name.replace("__", "/")).with_suffix(".css").write_text(css, encoding="utf-8")


def test_paths_are_seen_from_the_folder_of_the_sheet(tmp_path):
    write(
        tmp_path,
        styles__theme='@charset "UTF-8";@import "../basic.css";a{b:url(../fonts/x.woff)}',
        basic="p{c:url(file.png)}",
        own='q{d:url("fonts/y.woff2");e:url(data:image/png;base64,AA==);f:url("#g")}',
    )
    names = ("styles/theme.css", "own.css")
    name, _, version = joined(tmp_path, names).partition("?v=")
    css = (tmp_path / name).read_text("utf-8")
    assert css == (
        'p{c:url("file.png")}a{b:url("fonts/x.woff")}\n'
        'q{d:url("fonts/y.woff2");e:url(data:image/png;base64,AA==);f:url("#g")}'
    )
    (tmp_path / "own.css").write_text("r{}", encoding="utf-8")
    joined.cache_clear()  # as in the next build
    again, _, newer = joined(tmp_path, names).partition("?v=")
    assert again == name and newer != version


def test_one_sheet_stands_where_the_first_stood(tmp_path):
    write(tmp_path, one="a{}", two="b{}")
    page = f"<head><i>{LINK.format('one.css')}</i>{LINK.format('two.css')}</head><p>one.css</p>"
    script = '<script src="../_static/{}.js"></script>'
    page += script.format("doctools") + script.format("documentation_options")
    found = quicker(page, tmp_path)
    (sheet,) = tmp_path.glob("all.*.css")
    assert sheet.read_text("utf-8") == "a{}\nb{}"
    version = joined(tmp_path, ("one.css", "two.css")).partition("?")[2]
    link = f'<link rel="stylesheet" href="../_static/{sheet.name}?{version}" />'
    assert found.replace("\n", "") == (
        f"<head><i>{link}</i></head><p>one.css</p>"
        '<script defer src="../_static/doctools.js"></script>'
        '<script src="../_static/documentation_options.js"></script>'
    )
    assert quicker("<p>none</p>", tmp_path) == "<p>none</p>"
