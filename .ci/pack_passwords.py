"""Packs the most common passwords for service/security/passwords.py.

    python .ci/pack_passwords.py service/security/common_passwords.txt.gz \
        django/contrib/auth/common-passwords.txt.gz zxcvbn/frequency_lists.py .ci/more_passwords.txt

Each ranking has the most common password first. What any of them has among its first 10,000 is packed,
folded as logins are, in the order of code points. The file in the repository was made from the two rankings
above, of Django 5.2.19 and zxcvbn 4.5.0 for Python, and from a list of Trawl's own. The licences of both
stand in service/security/common_passwords.LICENSE.
"""

import gzip
import re
import sys
import unicodedata
from pathlib import Path

FIRST = 10_000


def main(output: Path, rankings: list[Path]) -> None:
    """Write the passwords of the rankings to a gzip file, the same bytes for the same rankings."""
    passwords = {fold(password) for ranking in rankings for password in read_ranking(ranking)[:FIRST]}
    text = "".join(f"{password}\n" for password in sorted(passwords))
    output.write_bytes(gzip.compress(text.encode(), mtime=0))
    print(f"{len(passwords)} passwords, {output.stat().st_size} bytes")


def read_ranking(path: Path) -> list[str]:
    """Read the passwords of a list, plain or gzip, or of the text of `passwords` in zxcvbn's source."""
    raw = path.read_bytes()
    text = (gzip.decompress(raw) if path.suffix == ".gz" else raw).decode()
    if path.suffix == ".py":
        match = re.search('"passwords": "([^"]*)"', text)
        assert match is not None
        return match[1].split(",")
    return [line for line in text.splitlines() if line]


def fold(password: str) -> str:
    return unicodedata.normalize("NFKC", password).casefold()


if __name__ == "__main__":
    main(Path(sys.argv[1]), [Path(argument) for argument in sys.argv[2:]])
