"""Any set of persons: ids join one to one, and nothing that is shown or written holds a name's rest or a number.

The numbers are made up: no region is called 99.
"""

import tempfile
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.parts.identity.identity import Identities, create_identities
from gateway.parts.identity.person import DriverNumber, Person, Role

id_numbers = st.builds(
    "99{:04d}{:04d}{:02d}{:02d}{:03d}{}".format,
    st.integers(0, 9999),
    st.integers(1950, 2008),
    st.integers(1, 12),
    st.integers(1, 28),
    st.integers(0, 999),
    st.sampled_from("0123456789X"),
)
persons = st.lists(
    st.builds(
        lambda number, driver_no, asset: Person(
            "司机甲乙", number, (Role.DRIVER,), (DriverNumber(str(driver_no), asset),)
        ),
        id_numbers,
        st.integers(1, 9999),
        st.sampled_from(["", "crane-1", "crane-2"]),
    ),
    max_size=12,
    unique_by=(lambda person: person.id_number, lambda person: person.driver_numbers),
)


@settings(max_examples=40, deadline=None)
@given(persons)
def test_ids_join_one_to_one_and_nothing_shows(given_persons: list[Person]) -> None:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        create_identities(folder)
        ids = Identities(folder).add_all(given_persons)
        again = Identities(folder, audit=lambda _id, _purpose: None)
        assert len(set(ids)) == len(given_persons)
        for person_id, person in zip(ids, given_persons, strict=True):
            (given_number,) = person.driver_numbers
            digest = again.driver_digest(given_number.asset, given_number.number)
            assert again.find_by_driver_no(digest) == person_id
            assert again.reveal(person_id, "test").id_number == person.id_number
        shown = repr(again.masked()) + repr(given_persons)
        written = b"".join(path.read_bytes() for path in folder.iterdir())
    for person in given_persons:
        assert person.id_number not in shown
        assert person.id_number.encode() not in written
    assert "机甲乙" not in shown
