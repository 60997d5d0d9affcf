"""What was planted in the made-up behaviour: effects with the formula of each, and what was left alike."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import Any

from journeylib.data.sample_customers import PERSONAS
from journeylib.data.sample_draws import QUARTERS
from journeylib.data.sample_journeys import FUNNEL, MENDED_ON, PAYMENT
from journeylib.data.sample_orders import LAUNCH
from journeylib.data.sample_programmes import BONUS, HELP, REMINDERS
from journeylib.data.sample_service import BOT

__all__ = ["list_effects", "list_non_differences"]

Effect = dict[str, Any]
_MOBILE = {
    "item": "session_purchase/purchase",
    "segment": "device_type=mobile",
    "unit_of_analysis": "sessions",
}
_PERIODS = ("2026Q2", "2026Q3")


def list_effects(counts: dict[str, Counter[str]]) -> list[Effect]:
    """List the effects planted in clicks, orders, contacts and customers.

    Parameters
    ----------
    counts : dict of str to Counter
        `payments` by `quarter/device/event`; `realised` sums by name.

    Returns
    -------
    list of dict
        One is one effect: `name`, `where` (column of the findings to pattern), `period`, `against`, `truth`
        in the report's unit, `formula`, `tested_at` customers, `power`, and what else explains it.

    Examples
    --------
    >>> effects = list_effects({"payments": Counter(), "realised": Counter()})
    >>> {(effect["period"], effect["against"]): effect["truth"] for effect in effects[:1]}
    {('2026Q3', 'year_ago'): 42.0}
    """
    return [
        *_list_payment(counts["payments"]),
        _describe_reminders(),
        *_list_help(),
        _describe_bonus(counts["realised"]),
        *_list_bot(),
        _describe_launch(),
        _describe_vanished(),
    ]


def _list_payment(payments: Counter[str]) -> Iterator[Effect]:
    """Give the planted loss at the payment page, with what was realised by chance."""
    rise = round(100 * (PAYMENT["mobile_after"] - PAYMENT["mobile_before"]), 6)
    after = 100 * PAYMENT["mobile_after"]
    level = {"step_conversion": (1, after), "drop_off": (-1, 100 - after)}
    compared = (("2026Q3", "year_ago"), ("2026Q2", "previous"), ("2026Q2", "year_ago"))
    basis = {
        "formula": "chance that a session which reaches the payment page goes on to the order, in percent; "
        "the same for everybody with the same device, and no faulty time stands on these steps",
        "mended_on": MENDED_ON,
        "mobile_before": 100 * PAYMENT["mobile_before"],
        "mobile_after": after,
        "desktop_always": 100 * PAYMENT["desktop"],
        "tested_at": 2000,
        "power": 0.95,
    }
    name = "payment page loses phone users until it is mended"
    more = {"realised": _count_realised(payments)}
    for metric, (sign, value) in level.items():
        where = {"metric": metric, **_MOBILE}
        for period, against in compared:
            place = {"where": where, "period": period, "against": against}
            yield {"name": name, **place, "truth": sign * rise, **basis, **more}
            more = {}
        for period in _PERIODS:
            place = {"where": where, "period": period, "against": ""}
            yield {"name": f"{name}: level", **place, "truth": round(value, 6), **basis}
    kept = FUNNEL["checkout"] * FUNNEL["payment"]
    yield {
        "name": f"{name}: baskets",
        "where": {"metric": "basket_abandonment", "segment": "device_type=mobile"},
        "period": "2026Q2",
        "against": "previous",
        "truth": round(-kept * rise, 6),
        **basis,
        "formula": "100 * (1 - checkout * payment * purchase); a session has one basket",
        "value": round(100 * (1 - kept * PAYMENT["mobile_after"]), 6),
    }


def _count_realised(payments: Counter[str]) -> dict[str, Any]:
    realised = {}
    for quarter in QUARTERS:
        for device in ("mobile", "desktop"):
            reached, bought = (
                payments[f"{quarter}/{device}/{step}"] for step in ("payment_view", "order_confirmed")
            )
            share = round(100 * bought / reached, 2) if reached else None
            key = f"{quarter}/{device}"
            realised[key] = {"baskets_at_payment": reached, "baskets_bought": bought, "percent": share}
    return realised


def _describe_reminders() -> Effect:
    gain = 100 * REMINDERS["returns"] * PAYMENT["mobile_after"]
    return {
        "name": "payment reminders bring back some of those who were lost",
        "where": {"metric": "effect_of_change", "item": "Payment reminders*"},
        "period": "2026Q3",
        "against": "",
        "truth": round(gain, 6),
        "formula": "share of lost baskets that are bought within three days, reminded less held out, in "
        "percent: share that comes back for the mail * chance to pay; in another session, so that the "
        "session's payment step stays as it is",
        "started_on": REMINDERS["started_on"],
        "held_out_share": REMINDERS["held_out"],
        "assigned_in": "kunden.csv, Zahlungserinnerung",
        "tested_at": 20000,
        "power": 0.95,
    }


def _list_help() -> Iterator[Effect]:
    """Give why contract customers leave, and the two changes that lower it."""
    before, after = (
        share * HELP["leaves_if_hard"] + (1 - share) * HELP["leaves_if_easy"]
        for share in (HELP["hard_before"], HELP["hard_after"])
    )
    shared = {"tested_at": 20000, "power": 0.95, "planted": dict(HELP)}
    yield {
        "name": "contract customers leave where technical help is hard to get, until the support chat",
        "where": {"metric": "churn_rate", "item": "technical*"},
        "period": "2026Q3",
        "against": "year_ago",
        "truth": round(100 * (after - before), 6),
        "formula": "share of contract customers with a technical contact who leave 8 to 44 days later: "
        "hard * leaves_if_hard + (1 - hard) * leaves_if_easy, in percent",
        "value": round(100 * after, 6),
        **shared,
    }
    better = HELP["problems_with_clearer_instructions"]
    yield {
        "name": "clearer instructions save contract customers technical problems",
        "where": {"metric": "effect_of_change", "item": "Clearer instructions*"},
        "period": "2026Q3",
        "against": "",
        "truth": round(100 * (better - 1), 6),
        "formula": "rate of first technical problems of contract customers with the instructions, against "
        "those without, in percent of the rate",
        "assigned_in": "kunden.csv, Neue Anleitung",
        **shared,
    }


def _describe_bonus(realised: Counter[str]) -> Effect:
    """Return the loyalty programme: members come more often by little, and came more often before."""
    naive, true = None, 100 * BONUS["lift"]
    members, others = realised["bonus/member_sessions"], realised["bonus/other_sessions"]
    if members and others:
        per_member = members / realised["bonus/members"]
        naive = round(100 * (per_member / (others / realised["bonus/others"]) - 1), 2)
    return {
        "name": "loyalty programme: members chose to join",
        "where": {"metric": "effect_of_change", "item": "Loyalty programme*"},
        "period": "2026Q3",
        "against": "",
        "truth": round(true, 6),
        "formula": "further sessions of members because they are members, in percent of those without; the "
        "naive comparison is sessions a member against sessions another customer, 2026Q3",
        "started_on": BONUS["started_on"],
        "naive_percent": naive,
        "naive_overstates_by": None if naive is None else round(naive - true, 2),
        "realised": {name.split("/")[1]: realised[name] for name in sorted(realised) if name[:5] == "bonus"},
        "assigned_in": "kunden.csv, Bonus seit; chosen by the customers, the active ones more often",
        "tested_at": 20000,
        "power": 0.9,
    }


def _list_bot() -> Iterator[Effect]:
    """Give the chatbot's containment, and what is left of it."""
    ended, back = 1 - BOT["escalated"], BOT["comes_again"]
    shared = {"period": "2026Q3", "against": "", "tested_at": 20000, "power": 0.95}
    yield {
        "name": "chatbot: many chats end in the bot, few are solved there",
        "where": {"metric": "resolved_containment", "segment": ""},
        "truth": round(100 * ended * (1 - back), 6),
        "formula": "not handed over * no contact on the topic within 7 days, in percent of the bot's chats",
        "containment": round(100 * ended, 6),
        **shared,
    }
    yield {
        "name": "chatbot: those whom it lets go come again",
        "where": {"metric": "repeat_contact_rate", "item": "*bot*"},
        "truth": round(100 * back, 6),
        "formula": "further contact on the topic within 7 days, in percent of chats that ended in the bot",
        "after_a_human": 100 * BOT["human_comes_again"],
        **shared,
    }


def _describe_launch() -> Effect:
    return {
        "name": "launch of smart home takes a part of its sales from outdoor",
        "where": {"metric": "adoption_rate", "item": LAUNCH["product"]},
        "period": "2026Q3",
        "against": "",
        "truth": 6.0,
        "formula": "share of orders with the product, in percent; the share of outdoor falls from 18 to 12",
        "started_on": LAUNCH["started_on"],
        "tested_at": 20000,
        "power": 0.95,
    }


def _describe_vanished() -> Effect:
    gone = next(persona for persona in PERSONAS if persona.gone_on)
    return {
        "name": f"the persona {gone.name} vanishes",
        "where": {"metric": "session_count", "persona": gone.name},
        "period": "2026Q3",
        "against": "",
        "truth": 0.0,
        "formula": "sessions of these customers from the day on which they stop coming, without a word",
        "gone_on": gone.gone_on,
        "tested_at": 2000,
        "power": 1.0,
    }


def list_non_differences() -> list[dict[str, Any]]:
    """List what was left alike in the clicks, so that an arrow on it is a false alarm.

    Returns
    -------
    list of dict
        One is some rows of the findings: `name`, `where`, `period`, `against`, `why`.

    Examples
    --------
    >>> sorted(list_non_differences()[0])
    ['against', 'name', 'period', 'where', 'why']
    """
    both = [(period, against) for period in _PERIODS for against in ("previous", "year_ago")]
    rows = []
    for metric in ("step_conversion", "drop_off"):
        for step, share in FUNNEL.items():
            for item in (f"session_purchase/{step}", f"purchase/{step}"):
                why = f"{100 * share:.0f} percent of those at the step before, for everybody, always"
                rows += [(f"the step to {step}", {"metric": metric, "item": item}, one, why) for one in both]
        desktop = {**_MOBILE, "metric": metric, "segment": "device_type=desktop"}
        why = f"{100 * PAYMENT['desktop']:.0f} percent at a desktop, always: the mend is for phones"
        rows += [("payment to purchase at a desktop", desktop, one, why) for one in both]
        calm = [("2026Q3", "previous")]
        why = "the page was mended on the first day of 2026Q2; reminders bring back in other sessions"
        rows += [
            ("payment to purchase on phones, once mended", {"metric": metric, **_MOBILE}, one, why)
            for one in calm
        ]
        cart = {"metric": metric, "item": "session_purchase/add_to_cart"}
        why = "each kind of customer puts things into the cart as before, and no kind has gone by then"
        rows += [("product to cart", cart, ("2026Q2", against), why) for against in ("previous", "year_ago")]
    return [
        {"name": name, "where": where, "period": period, "against": against, "why": why}
        for name, where, (period, against), why in rows
    ]
