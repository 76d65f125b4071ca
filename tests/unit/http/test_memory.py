from hybridd.http.memory import Memory


def test_what_was_learnt_is_recalled_and_nothing_else():
    memory = Memory(2)
    memory.learn("a", 1)
    assert memory.young.get("a") == 1
    assert memory.young.get("b") is None
    assert memory.revive("b") is None


def test_it_holds_at_most_two_generations():
    memory = Memory(2)
    for number in range(100):
        memory.learn(number, number + 1)
    kept = [number for number in range(100) if memory.young.get(number) or memory._old.get(number)]
    assert kept == [96, 97, 98, 99]


def test_what_is_asked_for_again_outlives_what_was_seen_once():
    memory = Memory(2)
    memory.learn("kept", 1)
    for number in range(50):
        memory.learn(number, number)
        assert (memory.young.get("kept") or memory.revive("kept")) == 1
