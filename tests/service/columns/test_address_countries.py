"""Whether a part has an address of a country is told the same whichever way it is looked for."""

from dataclasses import fields
from typing import Any
from unittest.mock import patch

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from db.part_files import PartColumns
from service.columns import names
from service.columns.names import AddressCountries


@pytest.mark.parametrize("few", [0, 2, 1000])
@given(st.lists(st.integers(0, 3), min_size=1, max_size=30), st.sets(st.integers(1, 40), max_size=12))
def test_a_part_has_the_countries_of_its_addresses(few: int, codes: list[int], ids: set[int]) -> None:
    countries = AddressCountries(1)
    known = sorted(each for each in ids if each < len(codes))
    values: dict[str, Any] = {field.name: np.empty(0, np.int64) for field in fields(PartColumns)}
    part = PartColumns(**values | {"addresses": np.array(known, np.int32)})
    with patch.object(names, "FEW", few):
        for shift in (0, 1):  # arrays are replaced as addresses become known
            countries.codes = np.array(codes, np.int16) + np.int16(shift)
            for code in range(5):
                expected = any(codes[each] + shift == code for each in known)
                assert countries.occur_in(part, code) == expected
