import io

from hybridd.compare.progress import Bar, Lines, progress_on


def test_a_file_gets_a_line_for_each_pattern():
    stream = io.StringIO()
    progress = progress_on(stream)
    with progress.running(20.0):
        progress.say("serial: load")
        progress.say("serial: slow clients")
        progress.advance(10.0)
        progress.say("hybrid: load")
    assert isinstance(progress, Lines)
    assert stream.getvalue() == "comparing; this takes about 20 s\n  0%  serial\n 50%  hybrid\n"


class Terminal(io.StringIO):
    def isatty(self):
        return True


def test_a_terminal_gets_a_bar_that_leaves_nothing_behind():
    stream = Terminal()
    progress = progress_on(stream)
    assert isinstance(progress, Bar)
    with progress.running(20.0):
        progress.say("serial: load")
        progress.advance(20.0)
    written = stream.getvalue()
    assert "serial: load" in written
    assert written.rpartition("\r")[0].rpartition("\r")[2].strip() == ""
