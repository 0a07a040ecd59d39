"""Text for people's terminals: whatever a visitor or a file name holds is shown there, not obeyed."""

# What moves the cursor, changes colours or the direction of writing, or breaks lines.
CONTROLS = (
    *range(0x20),  # C0, with escape and line ends
    *range(0x7F, 0xA0),  # delete and C1, which some terminals obey
    0x061C,
    *range(0x200E, 0x2010),
    *range(0x2028, 0x202F),  # line ends, and marks of direction like the others here
    *range(0x2066, 0x206A),
    *range(0xD800, 0xE000),  # halves of pairs, which no terminal can be sent
)
ESCAPES = {code: chr(code).encode("unicode_escape").decode() for code in CONTROLS}
IN_JSON = {code: f"\\u{code:04x}" for code in CONTROLS if code >= ord(" ")}
LINES = {code: escape for code, escape in ESCAPES.items() if chr(code) not in "\n\t"}


def printable(text: str) -> str:
    """Return the text on one line, its control characters as Python writes them: escape is four letters."""
    return text if text.isprintable() and text.isascii() else text.translate(ESCAPES)


def printable_lines(text: str) -> str:
    """Return the text with its lines and tabs, all other control characters as `printable` has them."""
    return text.translate(LINES)


def printable_json(text: str) -> str:
    """Return the same JSON, with the control characters escaped that JSON allows."""
    return text if text.isascii() else text.translate(IN_JSON)
