from __future__ import annotations

import base64
import logging
import random
import time
from io import StringIO
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flownb.model import events as ev
from flownb.services import masking
from flownb.services.masking import Masker

SECRET = "sk-live-4f9a8b7c6d5e"


def masker(**secrets: str | bytes) -> Masker:
    made = Masker()
    for name, value in secrets.items():
        made.add(name, value)
    return made


def test_text_without_a_secret_is_the_very_same() -> None:
    text = "a text of some length, with nothing in it that anybody hides"
    assert masker(key=SECRET).text(text) is text
    table = {"a": [1, 2.5, None, True, {"b": text}]}
    assert masker(key=SECRET).plain(table) is table


def test_a_secret_that_contains_another_is_masked_as_a_whole() -> None:
    both = masker(inner="inner-secret", outer="begin-inner-secret-end")
    assert both.text("x begin-inner-secret-end y inner-secret z") == "x *** y *** z"


def test_secrets_that_overlap_are_masked_together() -> None:
    both = masker(one="abcdefgh1234", two="gh1234567890")
    assert both.text("x abcdefgh1234567890 y") == "x *** y"


def test_short_secrets_are_masked_as_whole_words_for_people_and_only_alone_in_values() -> None:
    short = masker(pin="7f3q")
    assert short.text("pin 7f3q, not 7f3qq") == "pin ***, not 7f3qq"
    assert short.text("data/7f3q.csv", words=False) == "data/7f3q.csv"
    assert short.text("7f3q", words=False) == "***"


def test_what_is_too_short_is_not_masked_and_a_warning_says_so(caplog: pytest.LogCaptureFixture) -> None:
    assert masker(pin="abc").text("abc") == "abc"
    assert "The secret 'pin' has fewer than 4 characters" in caplog.text


def test_a_line_break_at_the_end_is_no_part_of_it() -> None:
    assert masker(key=f"{SECRET}\n").text(f"x {SECRET} y") == "x *** y"


def test_numbers_are_looked_at_where_a_secret_is_one() -> None:
    assert masker(code="4111111111111111").plain({"card": 4111111111111111, "n": 41}) == {"card": "***", "n": 41}


def test_events_keep_their_structure_whatever_a_secret_is_called() -> None:
    event = ev.NodeCompleted(at=1.0, node="password1", output={"password1": ["password1", 3]})
    made = masker(bad="password1").struct(event)
    assert made == ev.NodeCompleted(at=1.0, node="password1", output={"***": ["***", 3]})


def test_a_reference_to_an_artifact_stays_one() -> None:
    digest = "0" * 56 + "12345678"
    plain = {"$artifact": {"digest": digest, "size": 12345678, "preview": {"text": "x 12345678"}}}
    assert masker(n="12345678").plain(plain) == {
        "$artifact": {"digest": digest, "size": 12345678, "preview": {"text": "x ***"}}
    }


def test_masked_keys_stay_apart() -> None:
    assert masker(a="first-secret", b="second-secret").plain({"first-secret": 1, "second-secret": 2}) == {
        "***": 1,
        "***2": 2,
    }


# --- texts in pieces --------------------------------------------------------------------------------------------------


def pieces(made: Masker, *texts: str) -> str:
    shown, held = "", ""
    for text in texts:
        piece, held = made.stream(held + text)
        shown += piece
    return shown + made.stream(held, last=True)[0]


@pytest.mark.parametrize("cut", range(1, len(SECRET)))
def test_a_secret_in_two_pieces_is_masked(cut: int) -> None:
    assert pieces(masker(key=SECRET), f"x {SECRET[:cut]}", f"{SECRET[cut:]} y") == "x *** y"


def test_a_secret_letter_by_letter_is_masked_also_in_base64() -> None:
    made = masker(key=SECRET)
    assert pieces(made, *f"x {SECRET} y") == "x *** y"
    coded = base64.b64encode(f"ab{SECRET}".encode()).decode()
    assert coded[4:20] not in pieces(made, *coded)


def test_only_what_may_become_a_secret_is_held_back() -> None:
    made = masker(key=SECRET)
    assert made.stream("nothing of interest.\n") == ("nothing of interest.\n", "")
    assert made.stream("a risk") == ("a ri", "sk")
    assert made.stream("skirt") == ("skirt", "")


def test_most_of_a_secret_at_the_end_is_not_shown() -> None:
    made = masker(key=SECRET)
    assert pieces(made, f"x {SECRET[:-1]}") == "x ***"
    assert pieces(made, "it is a risk") == "it is a risk"


@given(st.text("abk-", max_size=40), st.lists(st.integers(0, 40), max_size=6))
def test_pieces_give_what_the_whole_gives(text: str, cuts: list[int]) -> None:
    made = masker(key="abk-abk-", other="kkkkaaaabbbb")
    ends = sorted({min(cut, len(text)) for cut in cuts} | {0, len(text)})
    parts = [text[start:stop] for start, stop in pairwise(ends)]
    shown = pieces(made, *parts)
    assert "abk-abk-" not in shown
    assert "kkkkaaaabbbb" not in shown


# --- the process ------------------------------------------------------------------------------------------------------


def test_log_records_are_masked_with_their_tracebacks_wherever_they_go() -> None:
    masking.learn("key", SECRET)
    out = StringIO()
    logger = logging.getLogger("somebody.else")
    handler = logging.StreamHandler(out)
    logger.addHandler(handler)
    try:
        logger.error("with %s and %d", SECRET, 3)
        try:
            int(SECRET)
        except ValueError:
            logger.exception("it failed")
        logger.error("nothing %s", "special")
    finally:
        logger.removeHandler(handler)
    assert SECRET not in out.getvalue()
    assert "with *** and 3" in out.getvalue()
    assert "invalid literal for int() with base 10: '***'" in out.getvalue()
    assert "nothing special" in out.getvalue()


def test_a_hundred_secrets_cost_a_text_of_a_megabyte_little() -> None:
    chance = random.Random(7)
    letters = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789+/$%&"
    made = Masker()
    secrets = ["".join(chance.choice(letters) for _ in range(40)) for _ in range(100)]
    for number, value in enumerate(secrets):
        made.add(f"s{number}", value)
    text = base64.b64encode(chance.randbytes(750_000)).decode()
    assert made.text(text) is text  # builds the automata
    started = time.process_time()
    assert made.text(text) is text
    taken = time.process_time() - started
    started = time.process_time()
    sum(value in text for value in secrets)
    alone = time.process_time() - started
    # Looking for the hundred values alone, in one of their twenty spellings, is what a simple loop would take.
    assert taken < 20 * max(alone, 0.01)
    assert made.text(text[:500_000] + secrets[50] + text[500_000:]).count("***") == 1


def test_large_values_are_looked_at_once_and_masked_all_the_same() -> None:
    made = masker(key=SECRET, lines="first line of it\nsecond line of it", number="4111111111111111")
    clear = ev.NodeCompleted(at=1.0, node="n", output=[{"name": f"row {number}", "n": number} for number in range(500)])
    assert made.struct(clear) is clear
    for hidden in (SECRET, "first line of it\nsecond line of it", 4111111111111111):
        event = ev.NodeCompleted(at=1.0, node="n", output=[{"rows": [*range(50), hidden]}])
        assert made.struct(event).output == [{"rows": [*range(50), "***"]}]
