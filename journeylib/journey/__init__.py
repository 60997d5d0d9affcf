"""Journey: what customers do, from single events to sessions, stages, funnels and paths."""

from __future__ import annotations

from journeylib.journey.attribution import compare_attribution
from journeylib.journey.customer_summaries import summarise_customers
from journeylib.journey.customers import list_journey, select_customers
from journeylib.journey.engine import use_engine
from journeylib.journey.funnels import count_funnel, measure_funnel
from journeylib.journey.gaps import count_sessions
from journeylib.journey.guesses import guess_touchpoints
from journeylib.journey.keeping import keep_sessions
from journeylib.journey.paths import count_paths, count_transitions
from journeylib.journey.selections import select_journeys
from journeylib.journey.sessions import split_into_sessions
from journeylib.journey.stages import assign_touchpoints, count_unmapped
from journeylib.journey.summaries import measure_sessions, summarise_sessions

__all__ = [
    "assign_touchpoints",
    "compare_attribution",
    "count_funnel",
    "count_paths",
    "count_sessions",
    "count_transitions",
    "count_unmapped",
    "guess_touchpoints",
    "keep_sessions",
    "list_journey",
    "measure_funnel",
    "measure_sessions",
    "select_customers",
    "select_journeys",
    "split_into_sessions",
    "summarise_customers",
    "summarise_sessions",
    "use_engine",
]
