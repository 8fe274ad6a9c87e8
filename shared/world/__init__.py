"""The world of the Tales: how stories are told, read again and judged, and what is asked."""

from shared.world.entries import REFUSAL, Instruction, read_instructions, refuses
from shared.world.instructions import (
    EXACT,
    FREE,
    KINDS,
    LOOK_UP,
    NAMED,
    STATE,
    TOLD,
    USUAL,
    Conversation,
    conversations,
    instructions,
)
from shared.world.quality import JUDGED, best_reading, judge, story_quality
from shared.world.reader import Reader, story_log_prob
from shared.world.tales import SPLITS, WORLD, Story, stories, tell, world
from shared.world.world import World

__all__ = [
    "EXACT",
    "FREE",
    "JUDGED",
    "KINDS",
    "LOOK_UP",
    "NAMED",
    "REFUSAL",
    "SPLITS",
    "STATE",
    "TOLD",
    "USUAL",
    "WORLD",
    "Conversation",
    "Instruction",
    "Reader",
    "Story",
    "World",
    "best_reading",
    "conversations",
    "instructions",
    "judge",
    "read_instructions",
    "refuses",
    "stories",
    "story_log_prob",
    "story_quality",
    "tell",
    "world",
]
