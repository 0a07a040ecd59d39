"""The colours of the charts: one palette for SVG files and for the dashboard.

In both themes, text has a contrast of at least 4.5 to 1 on the paper, and shapes of 3 to 1 (WCAG AA).
"""

LIGHT = {
    "paper": "#ffffff",
    "ink": "#17212b",
    "dim": "#52606d",
    "rule": "#d5dde5",
    "land": "#e4eaf0",
    "mark": "#0b6aa8",
    "other": "#6d90ab",
    "track": "#edf1f5",
}
DARK = {
    "paper": "#10181f",
    "ink": "#e8eef3",
    "dim": "#9fb0bf",
    "rule": "#2c3a46",
    "land": "#26343f",
    "mark": "#4fb3ef",
    "other": "#567d99",
    "track": "#1c2831",
}
LETTERS = (
    ".chart{font:15px system-ui,-apple-system,'Segoe UI',Roboto,'DejaVu Sans',sans-serif;"
    "font-variant-numeric:tabular-nums}"
    ".chart .small{font-size:12.5px}.chart .answer{font-size:26px;font-weight:650}"
    ".chart .big{font-size:28px;font-weight:650}.chart .strong{font-weight:600}"
    ".chart .middle{text-anchor:middle}.chart .end{text-anchor:end}"
)


def chart_style() -> str:
    """Return the CSS of an SVG file, light or dark as its reader prefers.

    It uses no CSS variables, which some SVG viewers do not know.
    """
    return (
        f"{LETTERS}{rules(LIGHT, paper=True)}@media(prefers-color-scheme:dark){{{rules(DARK, paper=True)}}}"
    )


def page_style() -> str:
    """Return the CSS of charts in the dashboard: both themes on screens, light on paper, no background."""
    dark = rules(DARK)
    return (
        f"{LETTERS}{rules(LIGHT)}"
        f"@media screen and (prefers-color-scheme:dark){{{scoped(dark, ':root:not([data-theme=light])')}}}"
        f"@media screen{{{scoped(dark, ':root[data-theme=dark]')}}}"
    )


def rules(palette: dict[str, str], *, paper: bool = False) -> str:
    """Return the CSS rules of a palette; `paper` adds its background."""
    background = f".chart{{background:{palette['paper']}}}" if paper else ""
    return (
        f"{background}.chart text{{fill:{palette['ink']}}}.chart .dim{{fill:{palette['dim']}}}"
        f".chart .rule{{stroke:{palette['rule']};fill:none}}"
        f".chart .land{{fill:{palette['land']};stroke:{palette['paper']};stroke-width:.4}}"
        f".chart .mark{{fill:{palette['mark']}}}.chart .other{{fill:{palette['other']}}}"
        f".chart .track{{fill:{palette['track']}}}"
    )


def scoped(style: str, root: str) -> str:
    """Restrict rules to elements below `root`, a selector."""
    return style.replace(".chart{", f"{root} .chart{{").replace(".chart ", f"{root} .chart ")
