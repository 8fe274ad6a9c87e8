"""The world of the Tales: how stories are told, read again and judged, and what is asked."""

from shared.world.quality import JUDGED, judge, story_quality
from shared.world.reader import Reader, story_log_prob
from shared.world.tales import SPLITS, WORLD, Story, stories, tell, world
from shared.world.world import World

__all__ = [
    "JUDGED",
    "SPLITS",
    "WORLD",
    "Reader",
    "Story",
    "World",
    "judge",
    "stories",
    "story_log_prob",
    "story_quality",
    "tell",
    "world",
]
