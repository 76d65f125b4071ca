"""The looks of the welcome page: one HTML template without script and without anything from elsewhere.

Knows:     its placeholders ``$title``, ``$note`` and ``$pid``; light and dark follow the reader's system.
Never:     what they are; welcome.py escapes and fills in.
Runs in:   nothing; a constant, in Python so that every way of installing the package brings it along.
"""

from __future__ import annotations

from string import Template
from urllib.parse import quote

_LINES = '<path d="M16 8v6M16 14L8 22M16 14v8M16 14l8 8"/>'
_DOTS = '<circle cx="16" cy="7" r="3.5"/>' + "".join(f'<circle cx="{x}" cy="24" r="3"/>' for x in (7, 16, 25))
_DRAWING = (
    f'<g fill="none" stroke="COLOR" stroke-width="2" stroke-linecap="round">{_LINES}</g><g fill="COLOR">{_DOTS}</g>'
)
_TREE = (  # a master and its three workers
    f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 32 32" aria-hidden="true" focusable="false">{_DRAWING}</svg>'
)
_ICON = "data:image/svg+xml," + quote(_TREE.replace("COLOR", "#0f766e"))

_HTML = """\
<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>$title</title>
<link rel="icon" href="$icon">
<style>
:root {
  --ground: #f6f8f7; --card: #ffffff; --code: #eef3f1; --line: #dbe3e0;
  --ink: #16211f; --soft: #51605c; --accent: #0f766e;
}
@media (prefers-color-scheme: dark) {
  :root {
    --ground: #0e1413; --card: #161e1c; --code: #0e1413; --line: #2a3532;
    --ink: #e7efec; --soft: #9fb0ab; --accent: #5eead4;
  }
}
* { box-sizing: border-box; }
body { margin: 0; min-height: 100vh; display: flex; padding: 1.5rem; background: var(--ground);
  color: var(--ink); font: 1rem/1.6 system-ui, sans-serif; }
main { width: 100%; max-width: 38rem; margin: auto; background: var(--card); border: 1px solid var(--line);
  border-radius: 1rem; padding: clamp(1.5rem, 5vw, 3rem); }
svg { display: block; width: 3.5rem; height: 3.5rem; color: var(--accent); }
h1 { margin: 1rem 0 .25rem; font-size: clamp(1.6rem, 5vw, 2.1rem); line-height: 1.2; letter-spacing: -.02em; }
h2 { margin: 2rem 0 .5rem; font-size: 1rem; }
p { margin: .5rem 0; }
.lead, footer { color: var(--soft); }
.note { margin: 1rem 0 0; padding: .6rem .9rem; border-left: 4px solid var(--accent); background: var(--code);
  overflow-wrap: anywhere; }
pre { margin: .5rem 0 1rem; padding: .8rem 1rem; background: var(--code); border: 1px solid var(--line);
  border-radius: .5rem; overflow-x: auto; }
code { font: .95em/1.5 ui-monospace, "SFMono-Regular", Menlo, Consolas, monospace; }
a { color: var(--accent); }
a:focus-visible, pre:focus-visible { outline: 3px solid var(--accent); outline-offset: 2px; }
footer { margin-top: 2rem; padding-top: 1rem; border-top: 1px solid var(--line); font-size: .875rem; }
</style>
</head>
<body>
<main>
$tree
<h1>$title</h1>
<p class="lead">A master, its workers and this small page are at your service.</p>
$note
<h2>Serve your own application</h2>
<pre tabindex="0" aria-label="command"><code>hybridd run yourmodule:app</code></pre>
<p>or name it in the configuration file:</p>
<pre tabindex="0" aria-label="configuration"><code>application: yourmodule:app</code></pre>
<p><code>hybridd run --help</code> lists every option.</p>
<footer>Built-in welcome application, answered by worker process $pid. Reload: it may be another.</footer>
</main>
</body>
</html>
"""

PAGE = Template(_HTML.replace("$tree", _TREE.replace("COLOR", "currentColor")).replace("$icon", _ICON))
