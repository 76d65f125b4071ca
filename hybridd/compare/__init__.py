"""``hybridd compare``: the patterns under the same work, measured from outside, in a table and a page."""
