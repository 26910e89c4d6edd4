"""Pages of docs/ that are made from declarations say what the declarations say."""

import pytest

from tools.make_docs import DOCS, PAGES


@pytest.mark.parametrize("name", sorted(PAGES))
def test_a_page_made_from_declarations_is_current(name):
    assert (DOCS / name).read_text() == PAGES[name](), "run: python -m tools.make_docs"
