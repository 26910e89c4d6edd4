"""HTML that somebody else wrote: what is left of it forms text, and cannot leave its place."""

import pytest

from modules.web.safe_html import safe_html


@pytest.mark.parametrize(
    ("text", "left"),
    [
        ("plain & <b>bold</b>", "plain &amp; <b>bold</b>"),
        ("<p>one<p>two", "<p>one<p>two</p></p>"),
        ("<b><i>x</b>y", "<b><i>x</i></b>y"),
        ("</div></div>out", "out"),
        ('<p style="position:fixed" onclick="x()" class="y">a</p>', "<p>a</p>"),
        ("<script>alert(1)</script>after", "after"),
        ("<style>* {display: none}</style>after", "after"),
        ("<svg><script>x</script><b>in</b></svg>after", "after"),
        ('<img src="http://e.org/a.png" onerror="x()">', ""),
        ('<iframe src="x"></iframe>after', "after"),
        ("a<br>b<br/>c<hr>", "a<br>b<br>c<hr>"),
        ('<a href="javascript:x()">a</a>', "<a>a</a>"),
        ('<a href=" JaVaScRiPt:x()">a</a>', "<a>a</a>"),
        ('<a href="data:text/html,x">a</a>', "<a>a</a>"),
        (
            '<a href="https://e.org/?a=1&b=&quot;">a</a>',
            '<a href="https://e.org/?a=1&amp;b=&quot;" target="_blank" rel="noopener noreferrer nofollow">a</a>',
        ),
        ("&lt;script&gt;", "&lt;script&gt;"),
        ("<!-- <b>no</b> -->x<?php y ?>z", "xz"),
        ("1 < 2 > 1", "1 &lt; 2 &gt; 1"),
    ],
)
def test_what_is_left(text, left):
    assert safe_html(text) == left
