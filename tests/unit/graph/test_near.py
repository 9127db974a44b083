from __future__ import annotations

from flownb.graph.near import NearNames


def test_a_slip_is_found_among_few_and_among_many() -> None:
    assert NearNames(["load", "total"])("laod") == " Did you mean 'load'?"
    many = NearNames([f"node_{number}" for number in range(10_000)] + ["transform"])
    assert many("trasnform") == " Did you mean 'transform'?"


def test_after_many_faults_nothing_is_searched_any_more() -> None:
    near = NearNames(["load"])
    found = [near(f"loa{number}") for number in range(100)]
    assert [bool(each) for each in found] == [True] * 20 + [False] * 80
    assert near("loa0") == found[0]
