"""Journey: what customers do, from single events to sessions, stages, funnels and paths."""

from __future__ import annotations

from journeylib.journey.attribution import compare_attribution
from journeylib.journey.baskets import measure_baskets
from journeylib.journey.channel_paths import list_channel_paths
from journeylib.journey.customers import list_journey, select_customers
from journeylib.journey.funnels import count_funnel, measure_funnel
from journeylib.journey.gaps import count_sessions
from journeylib.journey.guesses import guess_touchpoints
from journeylib.journey.paths import count_transitions
from journeylib.journey.selections import select_journeys
from journeylib.journey.service import measure_service
from journeylib.journey.sessions import split_into_sessions
from journeylib.journey.stage_order import measure_stage_order
from journeylib.journey.stages import assign_touchpoints, count_unmapped
from journeylib.journey.summaries import measure_sessions, summarise_sessions

__all__ = [
    "assign_touchpoints",
    "compare_attribution",
    "count_funnel",
    "count_sessions",
    "count_transitions",
    "count_unmapped",
    "guess_touchpoints",
    "list_channel_paths",
    "list_journey",
    "measure_baskets",
    "measure_funnel",
    "measure_service",
    "measure_sessions",
    "measure_stage_order",
    "select_customers",
    "select_journeys",
    "split_into_sessions",
    "summarise_sessions",
]
