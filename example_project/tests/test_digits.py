"""A LUT network votes in whole numbers: what it said once, it says on every machine."""

#: Votes for the digits 0 to 9 on three images, as they were when this test was written.
VOTES = [
    [3, 3, 10, 12, 13, 5, 4, 38, 7, 23],
    [9, 10, 11, 4, 3, 8, 45, 9, 13, 7],
    [6, 4, 8, 42, 8, 10, 6, 11, 7, 29],
]


def test_votes_are_exactly_what_they_were(lut_model, lut_heldout):
    votes = lut_model.hardened()(lut_heldout.images[:3])
    assert votes.tolist() == VOTES  # no tolerance


def test_reads_exactly_as_many_digits_as_ever(lut_model, lut_heldout):
    read = lut_model.hardened().predict(lut_heldout.images)
    assert (read == lut_heldout.labels).sum() == 350
