"""Journeys, stages, channels, touchpoints, and the sites that embed us."""
