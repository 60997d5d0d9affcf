"""The metrics on sessions, losses and order: entries of the registry."""

from __future__ import annotations

from journeylib.review.metric_record import WILSON, Metric, T

__all__ = ["BEHAVIOUR_METRICS"]

BEHAVIOUR_METRICS: dict[str, Metric] = {
    "engaged_session_rate": Metric(
        "Engaged sessions",
        "percent",
        "sessions of more than 10 seconds, or with two events, or with an order",
        "sessions that began",
        WILSON,
        minimum_effect=2,
    ),
    "active_days": Metric(
        "Days on which a customer came, mean",
        "days",
        "days with an event",
        "people with an event",
        T,
        minimum_effect=0.2,
    ),
    "lost_count": Metric(
        "Lost before the step",
        "count",
        "those who reached the step before and not this one",
        "",
        "Wald, 95 %, each person taken as one draw",
        "from the first step on",
        "less",
        relative_effect=0.05,
    ),
    "value_lost": Metric(
        "Value lost before the step",
        "money",
        "those lost x the share of those who made the step that came to the end x the mean order",
        "",
        "Wald on people's parts (delta method), 95 %",
        "from the first step on",
        "less",
        relative_effect=0.05,
    ),
    "stage_order_score": Metric(
        "Stages reached in the expected order",
        "percent",
        "pairs of stages of one customer first reached in the expected order",
        "pairs of stages that one customer reached at different times",
        WILSON,
        better="neither",
        minimum_effect=2,
    ),
    "backward_step_share": Metric(
        "Steps back to an earlier stage",
        "percent",
        "changes of stage that go back",
        "changes of stage",
        WILSON,
        better="neither",
        minimum_effect=2,
    ),
    "journey_conformance": Metric(
        "Journeys like the expected one, mean",
        "percent",
        "1 less the edits to the expected journey over the most that could be needed",
        "customers (or sessions) with a stage",
        T,
        better="neither",
        minimum_effect=2,
    ),
}
