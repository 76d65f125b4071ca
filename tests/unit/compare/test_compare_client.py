import json

from hybridd.compare.client import Commands, answers


class Recording(Commands):
    def disperse(self):
        return {"gone": True}

    def load(self, **_):
        raise OSError(24, "Too many open files")


def test_each_command_has_one_answer():
    lines = [
        json.dumps({"command": "disperse", "with": {}}),
        json.dumps({"command": "load", "with": {"port": 1, "path": "/", "connections": 1, "seconds": 1}}),
        json.dumps({"command": "disperse", "with": {}}),
    ]
    assert list(answers(iter(lines), Recording())) == [
        {"result": {"gone": True}},
        {"error": "Too many open files"},
        {"result": {"gone": True}},
    ]


def test_a_crowd_that_never_came_can_go():
    assert Commands().disperse() == {}
