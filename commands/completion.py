"""What a shell completes. Typer's own script is of a command that is one word, and ours are two."""

import shlex
import sys

from typer import _completion_shared

# Completes the words behind `main.py`, whose names the program tells; what it has no name for are files.
BASH = r"""
%(complete_func)s() {
    local IFS=$'\n' first=0
    [[ ${COMP_WORDS[0]##*/} == python* ]] && first=1
    [[ ${COMP_WORDS[first]##*/} == %(prog_name)s && $COMP_CWORD -gt $first ]] || return
    COMPREPLY=( $( env COMP_WORDS="${COMP_WORDS[*]:first}" COMP_CWORD=$((COMP_CWORD - first)) \
                   %(autocomplete_var)s=complete_bash "${COMP_WORDS[@]:0:first + 1}" ) )
}

complete -o bashdefault -o default -F %(complete_func)s %(prog_name)s .venv/bin/python """


def offer_completion() -> None:
    """Have --show-completion and --install-completion write our script, which is bash's alone."""
    interpreter = shlex.quote(sys.executable).replace("%", "%%")
    _completion_shared._completion_scripts = {"bash": BASH + interpreter}  # noqa: SLF001 - typer has no hook
