"""The language that a client wants of those that we write in."""

from service.accounts.password_mail import Language


def preferred_language(header: str) -> Language:
    """Return the best language of an Accept-Language header; English unless Russian is ranked above it."""
    ranks = {"en": 0.0, "ru": 0.0}
    for part in header.split(","):
        tag, *parameters = part.strip().lower().split(";")
        language = tag.strip().partition("-")[0]
        if language in ranks:
            ranks[language] = max(ranks[language], quality(parameters))
    return "ru" if ranks["ru"] > ranks["en"] else "en"


def quality(parameters: list[str]) -> float:
    """Return the `q` of a language, 1 without one; 0 if it is not a number from 0 to 1."""
    for parameter in parameters:
        name, _, value = parameter.partition("=")
        if name.strip() == "q":
            try:
                rank = float(value)
            except ValueError:
                return 0.0
            return rank if 0 <= rank <= 1 else 0.0
    return 1.0
