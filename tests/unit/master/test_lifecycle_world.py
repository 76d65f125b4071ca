"""Random lives of a master hold its promises (the list is at the head of tests/support/witness.py)."""

from __future__ import annotations

import pytest

from hybridd.master.lifecycle import plan
from tests.support.tools import ENVIRONMENT
from tests.support.world import World

SEED = int(ENVIRONMENT.get("HYBRIDD_WORLD_SEED", "0"))
WORLDS = int(ENVIRONMENT.get("HYBRIDD_WORLDS", "1000"))
CHUNK = 100


@pytest.mark.parametrize("first", range(SEED, SEED + WORLDS, CHUNK), ids=lambda first: f"seeds-{first}-on")
def test_every_life_keeps_every_promise(first):
    spawned = 0
    for seed in range(first, min(first + CHUNK, SEED + WORLDS)):
        world = World(seed, plan)  # a broken promise names the seed: World(seed).live() shows it again
        world.live()
        spawned += world.spawned
    assert spawned > 5 * CHUNK, "too little happens in these worlds to mean anything"


def test_the_same_seed_is_the_same_life():
    first, second = World(7, plan), World(7, plan)
    first.live()
    second.live()
    assert (first.now, first.spawned, first.state) == (second.now, second.spawned, second.state)
