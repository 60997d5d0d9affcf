"""Journey: what customers do, from single events to sessions, stages, funnels and paths."""

from __future__ import annotations

from journeylib.journey.customers import list_journey, select_customers
from journeylib.journey.funnels import count_funnel, measure_funnel
from journeylib.journey.gaps import count_sessions
from journeylib.journey.guesses import guess_touchpoints
from journeylib.journey.paths import count_transitions
from journeylib.journey.sessions import split_into_sessions
from journeylib.journey.stages import assign_touchpoints, count_unmapped
from journeylib.journey.summaries import measure_sessions, summarise_sessions

__all__ = [
    "assign_touchpoints",
    "count_funnel",
    "count_sessions",
    "count_transitions",
    "count_unmapped",
    "guess_touchpoints",
    "list_journey",
    "measure_funnel",
    "measure_sessions",
    "select_customers",
    "split_into_sessions",
    "summarise_sessions",
]
