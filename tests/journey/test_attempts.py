"""Every attempt, and steps that end one: against a definition in plain Python, step by step."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from journeylib.journey import count_funnel

HOUR = 3_600_000_000
STEPS = ["event:view", "event:cart", "event:buy"]


def follow_by_hand(times, names, steps, *, window, barred, every, known):
    """Follow one person's attempts in plain Python: (steps reached, censored) of each."""
    attempts, start = [], 0
    while True:
        begun = [i for i in range(start, len(names)) if names[i] == steps[0]]
        if not begun:
            return attempts
        entry = begun[0]
        end = times[entry] + window if window else np.inf
        stops = [i for i in range(entry + 1, len(names)) if names[i] in barred]
        stop = stops[0] if stops else len(names)
        at, reached = entry, 1
        for step in steps[1:]:
            found = [i for i in range(at + 1, stop) if names[i] == step and times[i] <= end]
            if not found:
                break
            at, reached = found[0], reached + 1
        attempts.append((reached, bool(window) and end > known))
        if not every:
            return attempts
        late = [i for i in range(entry + 1, len(names)) if times[i] > end]
        closed = at + 1 if reached == len(steps) else min(late[0] if late else len(names), stop + 1)
        start = max(closed, entry + 1)
        if start >= len(names):
            return attempts


def make_log(seed: int) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    n = 240
    events = pd.DataFrame(
        {
            "customer": rng.choice(list("abcdefgh"), n),
            "occurred_at": rng.permutation(n * 3)[:n] * HOUR,
            "name": rng.choice(["view", "cart", "buy", "help", "other"], n, p=[0.3, 0.25, 0.2, 0.1, 0.15]),
        }
    )
    return events.assign(event_id=[f"e{i:03}" for i in range(n)])


@pytest.mark.parametrize("every", [False, True])
@pytest.mark.parametrize(("window", "barred"), [(24, []), (24, ["help"]), (60, ["help"]), (None, ["help"])])
def test_attempts_equal_a_definition_in_plain_python(every, window, barred):
    events = make_log(seed=3)
    expected = []
    for _, own in events.sort_values("occurred_at").groupby("customer"):
        expected += follow_by_hand(
            own["occurred_at"].tolist(),
            own["name"].tolist(),
            [step.removeprefix("event:") for step in STEPS],
            window=window * HOUR if window else None,
            barred=barred,
            every=every,
            known=events["occurred_at"].max(),
        )
    closed = [reached for reached, is_open in expected if not is_open]
    found = count_funnel(
        events.sample(frac=1, random_state=1),
        STEPS,
        within=f"{window}h" if window else None,
        attempts="every" if every else "first",
        exclude=[f"event:{name}" for name in barred],
    )
    assert found["n"].tolist() == [sum(reached >= k for reached in closed) for k in (1, 2, 3)]
    assert found["n_censored"].tolist() == [sum(is_open for _, is_open in expected)] * 3
    assert len(expected) > (40 if every and window == 24 else 0)


def test_a_second_attempt_begins_after_the_first_has_converted_or_its_window_is_over():
    names = ["view", "view", "buy", "view", "view"]
    hours = [0, 1, 2, 3, 30]
    events = pd.DataFrame({"customer": "a", "occurred_at": [hour * HOUR for hour in hours], "name": names})
    options = {"within": "24h", "as_of": 90 * HOUR}
    steps = ["event:view", "event:buy"]
    assert count_funnel(events, steps, **options)["n"].tolist() == [1, 1]
    assert count_funnel(events, steps, attempts="every", **options)["n"].tolist() == [3, 1]


def test_the_attempts_of_one_person_count_as_one_draw():
    events = pd.DataFrame({"customer": ["a"] * 40 + ["b"] * 2, "occurred_at": np.arange(42) * HOUR})
    events["name"] = ["view", "buy"] * 20 + ["view", "other"]
    found = count_funnel(events, ["event:view", "event:buy"], attempts="every")
    assert found["n"].tolist() == [21, 20]
    assert found["n_effective"].iloc[1] < 21


def test_what_comes_after_an_excluded_step_does_not_count():
    events = pd.DataFrame({"customer": list("aaabbb"), "occurred_at": [0, 1, 2, 0, 1, 2]})
    events["name"] = ["view", "chat", "buy", "chat", "view", "buy"]
    steps = ["event:view", "event:buy"]
    assert count_funnel(events, steps)["n"].tolist() == [2, 2]
    assert count_funnel(events, steps, exclude=["event:chat"])["n"].tolist() == [2, 1]


def test_attempts_without_exclusion_and_a_first_attempt_agree_with_the_plain_funnel():
    events = make_log(seed=5)
    never = pd.DataFrame({"customer": ["z"], "occurred_at": [0], "name": ["never"], "event_id": ["z"]})
    events = pd.concat([events, never], ignore_index=True)
    periods = {"reviewed": (300 * HOUR, 600 * HOUR), "previous": (0, 300 * HOUR)}
    for within in ("30h", None):
        plain = count_funnel(events, STEPS, within=within, periods=periods, by="customer")
        same = count_funnel(
            events, STEPS, within=within, periods=periods, by="customer", exclude=["event:never"]
        )
        pd.testing.assert_frame_equal(plain, same)


@pytest.mark.parametrize(
    "wrong", [{"attempts": "all"}, {"exclude": "event:help"}, {"exclude": ["event:nix"]}]
)
def test_an_unknown_option_is_refused_in_one_sentence(wrong):
    with pytest.raises(ValueError, match=r"attempts must be|exclude is a list|matches no event"):
        count_funnel(make_log(1), STEPS, **wrong)
    with pytest.raises(ValueError, match="need order='ordered'"):
        count_funnel(make_log(1), STEPS, order="any", attempts="every")
