"""How people are told that a run asks them something, or that an answer is due.

channel.py    what is told (`Message`), and the protocol of what delivers it
directory.py  the operator's channels and people: `[channels.NAME]` and `[people]` in `.flownb/settings.toml`
mail.py       by SMTP            letter.py    a message as a mail
chat.py       by any Apprise URL: Slack, Teams, a webhook …
shown.py      what is shown beside a question, small, as text and as HTML
"""
