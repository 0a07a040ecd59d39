"""The texts of mails about passwords.

They hold nothing that a user has chosen, such as a login: strangers may sign up with anybody's e-mail.
"""

from datetime import UTC, datetime
from typing import Literal

from clients.smtp_message import Mail

Language = Literal["en", "ru"]

SUBJECTS: dict[Language, str] = {"en": "A new password for Trawl", "ru": "Новый пароль для Trawl"}
TEXTS: dict[Language, str] = {
    "en": """\
Somebody, most likely you, has asked for a new password for your account in Trawl.

This token sets it. It works once, until {end}:

{token}

Enter it in the dashboard, under "Forgot the password?" and "New password". Programs send it to
POST /password/reset as {{"token": "...", "password": "your new password"}}.
That ends all your sessions and API keys. Then sign in with this e-mail address and the new password.

If it was not you, do nothing: your password stays as it is.
""",
    "ru": """\
Кто-то, вероятно вы, запросил новый пароль для вашей учётной записи в Trawl.

Он задаётся этим токеном. Токен действует один раз, до {end}:

{token}

Введите его на странице Trawl: «Забыли пароль?», затем «Новый пароль». Программы отправляют его
в POST /password/reset: {{"token": "...", "password": "ваш новый пароль"}}.
Все ваши сеансы и ключи API завершатся. Затем войдите с этим адресом почты и новым паролем.

Если это были не вы, ничего не делайте: пароль останется прежним.
""",
}


def write_mail(recipient: str, token: str, *, at: datetime, expires_at: datetime, language: Language) -> Mail:
    """Write the mail that brings a token for a new password."""
    end = expires_at.astimezone(UTC).strftime("%Y-%m-%d %H:%M UTC")
    return Mail(recipient, SUBJECTS[language], TEXTS[language].format(end=end, token=token), at)
