"""A first table of touchpoints, guessed from the words in the events' names, for those who know to edit."""

from __future__ import annotations

from glob import escape
from typing import NamedTuple

import narwhals.stable.v2 as nw
import pandas as pd

from journeylib.data.guessing import split_name
from journeylib.journey.engine import collect_table
from journeylib.journey.frames import TIME, Events, open_events

__all__ = ["guess_touchpoints"]

COLUMNS = ("pattern", "touchpoint", "stage", "channel", "online", "owner", "expected_order", "cost", "effort")
SHORT, LONG = 3, 5  # a word this short must be the whole word; one this long may stand inside a compound


class Place(NamedTuple):
    """One touchpoint that many journeys have, and the words that speak of it."""

    touchpoint: str
    stage: str
    channel: str
    online: str
    words: str


# The first place that has a word of the name wins: what comes after the purchase before the purchase itself,
# since `order_returned` is a return.
PLACES = [
    Place("return", "post-purchase", "parcel", "yes", "return refund retoure retour rücksend ruecksend"),
    Place("cancellation", "post-purchase", "site", "yes", "cancel kündig kuendig storn churn unsubscribe"),
    Place("renewal", "post-purchase", "site", "yes", "renew verlänger verlaenger"),
    Place("complaint", "post-purchase", "phone", "no", "complain beschwerde reklam"),
    Place("review", "post-purchase", "site", "yes", "review rating bewert rezension feedback"),
    Place("delivery", "post-purchase", "parcel", "yes", "deliver shipp shipment parcel liefer versand paket"),
    Place("invoice", "post-purchase", "post", "no", "invoice bill billing rechnung factura facture"),
    Place("chatbot", "post-purchase", "chat", "yes", "bot chatbot"),
    Place("chat", "post-purchase", "chat", "yes", "chat"),
    Place("call", "post-purchase", "phone", "no", "call phone hotline anruf telefon"),
    Place("manual", "post-purchase", "site", "yes", "manual anleitung handbuch tutorial onboarding"),
    Place(
        "help",
        "post-purchase",
        "site",
        "yes",
        "help support faq ticket hilfe kundendienst service ayuda aide",
    ),
    Place("loyalty", "post-purchase", "site", "yes", "loyalty bonus reward prämie praemie"),
    Place("reminder", "decision", "email", "yes", "reminder erinnerung abandoned"),
    Place("newsletter", "awareness", "email", "yes", "newsletter mail email mailing"),
    Place("social", "awareness", "social", "yes", "social facebook instagram tiktok youtube"),
    Place("referral", "awareness", "referral", "yes", "referral recommend empfehl"),
    Place("poster", "awareness", "out of home", "no", "poster plakat tv fernseh radio"),
    Place("ad", "awareness", "paid search", "yes", "ad ads advert banner campaign kampagne anzeige werbung"),
    Place("add_to_cart", "decision", "site", "yes", "cart basket bag warenkorb korb panier carrito"),
    Place("checkout", "decision", "site", "yes", "checkout kasse caisse caja"),
    Place("payment", "decision", "site", "yes", "pay payment paypal bezahl zahl paiement pago"),
    Place(
        "purchase", "decision", "site", "yes", "purchase order buy kauf kaufen bestell gekauft achat compra"
    ),
    Place("search", "consideration", "site", "yes", "search suche such query busca recherche"),
    Place(
        "product_view", "consideration", "site", "yes", "product produkt item artikel article detail producto"
    ),
    Place("category", "consideration", "site", "yes", "category kategorie listing catalog katalog browse"),
    Place(
        "account", "post-purchase", "site", "yes", "account konto login signin anmeld profil compte cuenta"
    ),
    Place("store", "consideration", "shop", "no", "store filiale laden"),
    Place("app", "consideration", "app", "yes", "app mobile"),
    Place("home", "consideration", "site", "yes", "home homepage landing start startseite index accueil"),
]
# The order in which a customer meets them.
ORDER = (
    "poster ad social newsletter referral home app search category product_view store add_to_cart checkout "
    "reminder payment purchase delivery invoice manual account help chatbot chat call complaint return "
    "loyalty renewal review cancellation"
).split()
FIRST, LAST = "consideration", "post-purchase"


def guess_touchpoints(events: Events) -> pd.DataFrame:
    """Guess a table of touchpoints from the events' names; a frame to edit, never the truth.

    Parameters
    ----------
    events : pandas.DataFrame, path to Parquet, DuckDB relation, Spark DataFrame or narwhals LazyFrame
        One row is one event; needs ``name``, and ``customer`` and ``occurred_at`` to place unknown names.
        Row order does not matter.

    Returns
    -------
    pandas.DataFrame
        One row is one event name, with the columns of touchpoints.csv, ``guessed`` and ``events`` (their
        number): ``pattern`` is the name itself, ``touchpoint``, ``stage``, ``channel`` and ``online`` the
        guess. ``guessed`` is ``word`` where a word of the name (English, German, some French and Spanish)
        speaks of a usual touchpoint, else ``position``: a touchpoint named as the event, after the purchase
        where most of its events come after the customer's first purchase, else in consideration. By the order
        of a usual journey.

    Raises
    ------
    ArgumentError
        Where the events have no column ``name``.

    Examples
    --------
    >>> events = pd.DataFrame({"name": ["Warenkorb", "page_home", "xyz"]})
    >>> guess_touchpoints(events)[["pattern", "touchpoint", "stage", "guessed"]]
         pattern   touchpoint          stage   guessed
    0  page_home         home  consideration      word
    1        xyz          xyz  consideration  position
    2  Warenkorb  add_to_cart       decision      word
    """
    frame = open_events(events, required=["name"], optional=["customer", TIME])
    counted = frame.filter(~nw.col("name").is_null()).group_by("name")
    names = collect_table(counted.agg(nw.len().cast(nw.Int64).alias("events")), order_by=["name"])
    known = {str(name): _find_place(str(name)) for name in names["name"]}
    bought = [name for name, place in known.items() if place is not None and place.touchpoint == "purchase"]
    after = _share_after(frame, bought) if bought else {}
    rows = []
    for name, count in names[["name", "events"]].itertuples(index=False):
        place = known[str(name)]
        late = after.get(str(name), 0.0) > 0.5
        row = dict.fromkeys([*COLUMNS, "reviewed_on"], "") | {
            "pattern": escape(str(name)),
            "events": int(count),
        }
        if place is None:
            touchpoint = "_".join(split_name(str(name))) or str(name)
            row |= {"touchpoint": touchpoint, "stage": LAST if late else FIRST, "guessed": "position"}
        else:
            row |= {**place._asdict(), "guessed": "word"}
            row.pop("words")
        rows.append(row)
    return _number(pd.DataFrame(rows, columns=[*COLUMNS, "reviewed_on", "guessed", "events"]))


def _find_place(name: str) -> Place | None:
    words = split_name(name)
    for place in PLACES:
        for stem in place.words.split():
            if any(_speaks_of(word, stem) for word in words):
                return place
    return None


def _speaks_of(word: str, stem: str) -> bool:
    if len(stem) <= SHORT:
        return word == stem
    return word.startswith(stem) or (len(stem) >= LONG and stem in word)


def _share_after(frame: nw.LazyFrame, bought: list[str]) -> dict[str, float]:
    """Return, for each name, the share of its buyers' events that come after their first purchase."""
    if not {"customer", TIME} <= set(frame.columns):
        return {}
    known = frame.filter(~nw.col("customer").is_null())
    first = (
        known.filter(nw.col("name").is_in(bought))
        .group_by("customer")
        .agg(nw.col(TIME).min().alias("_first"))
    )
    late = nw.when(nw.col(TIME) > nw.col("_first")).then(1).otherwise(0).cast(nw.Int64).alias("_late")
    joined = known.join(first, on="customer", how="left").with_columns(late.fill_null(0).alias("_late"))
    sums = joined.group_by("name").agg(
        nw.len().cast(nw.Int64).alias("_n"), nw.col("_late").sum().cast(nw.Int64).alias("_late")
    )
    table = collect_table(sums)
    return dict(zip(table["name"].astype(str), table["_late"] / table["_n"], strict=True))


def _number(table: pd.DataFrame) -> pd.DataFrame:
    """Put the touchpoints in the order of a usual journey and number them; names of one share the number."""
    stages = ("awareness", FIRST, "decision", LAST)
    places = {name: number for number, name in enumerate(ORDER)}
    key = pd.DataFrame(
        {
            "stage": table["stage"].map(stages.index),
            "place": table["touchpoint"].map(places).fillna(len(places)),
            "touchpoint": table["touchpoint"],
            "pattern": table["pattern"],
        }
    )
    ordered = table.loc[key.sort_values(["stage", "place", "touchpoint", "pattern"]).index].reset_index(
        drop=True
    )
    return ordered.assign(expected_order=pd.factorize(ordered["touchpoint"])[0] + 1)
