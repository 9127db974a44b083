"""The pulse: ten messages a second at most, the last state always, and no view that holds up another."""

from __future__ import annotations

import threading

from flownb.widgets.pulse import Pulse
from tests.waiting import wait_for


class View:
    def __init__(self) -> None:
        self.beats = 0
        self.beaten = threading.Event()

    def beat(self) -> None:
        self.beats += 1
        self.beaten.set()


def test_news_is_told_at_once_and_a_flood_of_it_in_few_messages() -> None:
    pulse, view = Pulse(between=30.0), View()
    pulse.wake(view)
    wait_for(view.beaten.is_set)
    for _ in range(100_000):
        pulse.wake(view)
    assert view.beats == 1


def test_what_came_after_the_last_beat_is_told_as_well() -> None:
    pulse, view = Pulse(between=0.01), View()
    pulse.wake(view)
    wait_for(view.beaten.is_set)
    view.beaten.clear()
    pulse.wake(view)
    wait_for(view.beaten.is_set)
    assert view.beats == 2


def test_a_view_that_fails_harms_no_other_and_is_called_again() -> None:
    class Broken(View):
        def beat(self) -> None:
            super().beat()
            raise ValueError("no picture today")

    pulse, broken, view = Pulse(between=0.001), Broken(), View()
    pulse.wake(broken)
    pulse.wake(view)
    wait_for(view.beaten.is_set)
    broken.beaten.clear()
    pulse.wake(broken)
    wait_for(broken.beaten.is_set)


def test_a_look_that_the_engine_disturbed_is_taken_again() -> None:
    class Disturbed(View):
        def beat(self) -> None:
            self.beats += 1
            if self.beats == 1:
                raise RuntimeError("dictionary changed size during iteration")
            self.beaten.set()

    pulse, view = Pulse(), Disturbed()
    pulse.wake(view)
    wait_for(view.beaten.is_set)


def test_a_view_that_nobody_holds_goes() -> None:
    pulse, view = Pulse(between=30.0), View()
    pulse.wake(view)
    wait_for(view.beaten.is_set)
    pulse.wake(view)
    del view
    wait_for(lambda: len(pulse._due) == 0)
