"""The page that asks for a name and a password. It needs no script and no other file."""

import html

__all__ = ["login_page"]

STYLE = """
body { margin: 0; min-height: 100vh; display: grid; place-items: center;
  font: 16px/1.5 system-ui, sans-serif;
  background: light-dark(#f6f7f9, #0b0f19); color: light-dark(#1f2937, #f3f4f6); }
form { width: min(20rem, calc(100vw - 4rem)); padding: 1.5rem; border-radius: .75rem;
  display: grid; gap: .9rem;
  background: light-dark(#fff, #1f2937); border: 1px solid light-dark(#e5e7eb, #374151); }
h1 { margin: 0; font-size: 1.25rem; }
label { display: grid; gap: .25rem; font-size: .9rem; }
input, button { font: inherit; padding: .55rem .7rem; border-radius: .5rem;
  border: 1px solid light-dark(#d1d5db, #4b5563);
  background: light-dark(#fff, #111827); color: inherit; }
button { background: #c2410c; border-color: #c2410c; color: #fff; font-weight: 600; cursor: pointer; }
p { margin: 0; color: light-dark(#b91c1c, #fca5a5); }
"""
PAGE = """<!doctype html>
<html lang="en"><head><meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>Log in · Easel</title><style>{style}</style></head>
<body><form method="post" action="{action}"><h1>Easel</h1>{complaint}
<label>Name<input name="username" autocomplete="username" required autofocus></label>
<label>Password<input name="password" type="password" autocomplete="current-password" required></label>
<input type="hidden" name="next" value="{next}"><button>Log in</button></form></body></html>
"""


def login_page(action: str, next_path: str, complaint: str = "") -> str:
    """The page as HTML. `complaint` says why the last attempt failed."""
    line = f'<p role="alert">{html.escape(complaint)}</p>' if complaint else ""
    return PAGE.format(style=STYLE, action=html.escape(action), next=html.escape(next_path), complaint=line)
