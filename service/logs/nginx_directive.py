r"""Reads a log_format directive as nginx reads its configuration.

    log_format tabs escape=json
        '$remote_addr\t$time_local'  # the visitor's
        "\t$request" \t$status;

The words are one text, with nothing between them. In a word, a backslash stands before a quote or another
backslash, and `\t`, `\r` and `\n` are what they are elsewhere; before anything else it is itself.
"""

import re

DIRECTIVE = re.compile(r"\s*log_format\s+\S+\s+(.*)", re.DOTALL)
WORD = re.compile(
    r"""\s*(?:\#[^\n]*|'((?:[^'\\]|\\.)*)'|"((?:[^"\\]|\\.)*)"|((?:[^\s;\\]|\\.)+))""", re.DOTALL
)
ESCAPE = re.compile(r"""\\(["'\\trn])""")
CONTROLS = {"t": "\t", "r": "\r", "n": "\n"}
OPTION = "escape="


def directive_text(text: str) -> str:
    """Return the format that a directive of nginx.conf holds, or that is the text itself."""
    directive = DIRECTIVE.fullmatch(text)
    words = [text] if directive is None else split_words(directive[1])
    if words and words[0].startswith(OPTION):
        del words[0]
    return "".join(ESCAPE.sub(lambda escape: CONTROLS.get(escape[1], escape[1]), word) for word in words)


def split_words(text: str) -> list[str]:
    """Return the words of a directive, as they are written, up to its semicolon."""
    words, at = list[str](), 0
    while (match := WORD.match(text, at)) is not None:
        words += [group for group in match.groups() if group is not None]
        at = match.end()
    return words
