"""The list of references: by year and then by name, as a history of the subject."""

from pybtex.plugin import register_plugin
from pybtex.style.formatting.plain import Style as Plain
from pybtex.style.labels import BaseLabelStyle
from pybtex.style.sorting import BaseSortingStyle


class ByYear(BaseSortingStyle):
    def sorting_key(self, entry):
        return entry.fields["year"], str(entry.persons["author"][0]).lower(), entry.key


class NameAndYear(BaseLabelStyle):
    """Vaswani 2017; an a or b behind it if there are two."""

    def format_labels(self, entries):
        names = [
            f"{' '.join(one.persons['author'][0].last_names)} {one.fields['year']}"
            for one in entries
        ]
        for i, name in enumerate(names):
            among = [j for j, other in enumerate(names) if other == name]
            yield name + ("abcdefg"[among.index(i)] if len(among) > 1 else "")


class Style(Plain):
    default_sorting_style = "by_year"
    default_label_style = "name_and_year"


def setup(app) -> dict:
    register_plugin("pybtex.style.sorting", "by_year", ByYear)
    register_plugin("pybtex.style.labels", "name_and_year", NameAndYear)
    register_plugin("pybtex.style.formatting", "by_year", Style)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
