from datetime import UTC, datetime, timedelta, timezone
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from marshmallow import Schema, ValidationError, fields

from api.fields import Choice, Flag, GroupResponse, Integer, IntegerText, RowResponse, Strict, Text, Uuid
from api.times import DateTime

LARGEST = 2**63 - 1


def refuses(field: fields.Field[Any], value: Any) -> bool:
    try:
        field.deserialize(value)
    except ValidationError:
        return True
    return False


class Body(Strict):
    number = Integer(required=True)
    numbers = fields.List(Integer())
    inner = fields.Nested(Strict)


@pytest.mark.parametrize(
    ("body", "messages"),
    [
        ({}, {"number": ["is needed"]}),
        ({"number": None}, {"number": ["must not be null"]}),
        ({"number": 1, "numbers": {}}, {"numbers": ["must be a list"]}),
        ({"number": 1, "numbers": [None]}, {"numbers": {0: ["must not be null"]}}),
        ({"number": 1, "inner": 5}, {"inner": {"_schema": ["must be an object"]}}),
        ({"number": 1, "more": 5}, {"more": ["is not known here"]}),
        ([], {"_schema": ["must be an object"]}),
    ],
)
def test_every_message_of_a_body_is_in_our_words(body: Any, messages: object) -> None:
    with pytest.raises(ValidationError) as refusal:
        Body().load(body)
    assert refusal.value.messages == messages


@pytest.mark.parametrize("value", [0, -1, LARGEST, -LARGEST - 1])
def test_whole_numbers_of_64_bits_are_taken(value: int) -> None:
    assert Integer().deserialize(value) == value
    assert IntegerText().deserialize(str(value)) == value


@pytest.mark.parametrize("value", [True, False, 1.0, 1.9, "1", None, [], {}, LARGEST + 1, -LARGEST - 2, 1e30])
def test_nothing_else_is_a_whole_number(value: object) -> None:
    assert refuses(Integer(), value)


@pytest.mark.parametrize(
    "text",
    ["", " 1", "1 ", "+1", "1_000", "1.0", "1e3", "0x1", "\u0661", "nan", "9" * 5000, str(LARGEST + 1)],
)
def test_nothing_else_is_a_whole_number_in_a_query(text: str) -> None:
    assert refuses(IntegerText(), text)


def test_whole_numbers_are_bounded() -> None:
    field = Integer(minimum=1, maximum=3)
    assert [number for number in range(-5, 9) if not refuses(field, number)] == [1, 2, 3]


@pytest.mark.parametrize("value", ["ab", "abcd", "\0bc", "\ud800bc", "ab\udfff", 123, None, b"abc"])
def test_text_is_bounded_and_can_be_stored(value: object) -> None:
    assert refuses(Text(minimum=3, maximum=3), value)


@given(st.text(alphabet=st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=50))
def test_any_other_text_is_kept_as_it_is(text: str) -> None:
    assert Text(maximum=50).deserialize(text) == text


@pytest.mark.parametrize("value", ["A", "", None, 1, ["a"], {}])
def test_a_choice_is_one_of_its_names(value: object) -> None:
    assert Choice("a", "b").deserialize("b") == "b"
    assert refuses(Choice("a", "b"), value)


@pytest.mark.parametrize("value", [1, 0, "1", "yes", "TRUE", "", None])
def test_a_flag_is_true_or_false(value: object) -> None:
    assert [Flag().deserialize(good) for good in (True, "true", False, "false")] == [True, True, False, False]
    assert refuses(Flag(), value)


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("2018-08-01T03:00:00Z", datetime(2018, 8, 1, 3, tzinfo=UTC)),
        ("2018-08-01t03:00:00z", datetime(2018, 8, 1, 3, tzinfo=UTC)),
        ("2018-08-01 03:00:00", datetime(2018, 8, 1, 3, tzinfo=UTC)),
        ("2018-08-01T03:00:00.123456", datetime(2018, 8, 1, 3, 0, 0, 123456, tzinfo=UTC)),
        ("2018-08-01T03:00:00.5+02:30", datetime(2018, 8, 1, 0, 30, 0, 500000, tzinfo=UTC)),
        ("2018-08-01T03:00:00 02:30", datetime(2018, 8, 1, 0, 30, tzinfo=UTC)),
        ("2018-08-01T03:00:00+0530", datetime(2018, 7, 31, 21, 30, tzinfo=UTC)),
        ("2018-08-01T03:00:00-00:30", datetime(2018, 8, 1, 3, 30, tzinfo=UTC)),
        ("2018-08-01T03:00:00.123456789Z", datetime(2018, 8, 1, 3, 0, 0, 123456, tzinfo=UTC)),
    ],
)
def test_times_are_aware_and_of_utc(text: str, moment: datetime) -> None:
    time = DateTime().deserialize(text)
    assert (time, time.tzinfo) == (moment, UTC)


@pytest.mark.parametrize(
    "value",
    [
        *("", "2018-08-01", "2018-08-01T03:00Z", "2018-02-30T00:00:00Z", "2018-08-01T24:00:00Z"),
        *("2018-08-01T03:00:60Z", "2018-W31-3T00:00:00Z", "20180801T030000Z", "0000-01-01T00:00:00Z"),
        *("0001-01-01T00:00:00+01:00", "9999-12-31T23:59:59-01:00", "2018-08-01T03:00:00+010"),
        *("2018-08-01T03:00:00+24:00", "2018-08-01T03:00:00,5Z", " 2018-08-01T03:00:00Z", 1533092400, None),
        "\u0662018-08-01T03:00:00Z",
    ],
)
def test_other_times_are_refused(value: object) -> None:
    assert refuses(DateTime(), value)


@given(st.datetimes(timezones=st.just(UTC)) | st.datetimes(timezones=st.just(timezone(timedelta(hours=2)))))
def test_times_come_back_as_they_went_out(moment: datetime) -> None:
    text = DateTime().serialize("at", {"at": moment}) if moment.year > 1 else None
    if text is not None:
        assert text.endswith("Z")
        assert DateTime().deserialize(text) == moment


@pytest.mark.parametrize(
    "value",
    [
        "",
        "x",
        "{12345678-1234-1234-1234-123456789abc}",
        "12345678-123412341234-123456789abc",
        "12345678123412341234123456789abc0-",
        "urn:uuid:12345678-1234-1234-1234-123456789abc",
        5,
        None,
    ],
)
def test_a_uuid_has_its_dashes_or_none_of_them(value: object) -> None:
    text = "12345678-1234-1234-1234-123456789ABC"
    assert str(Uuid().deserialize(text)) == text.lower()
    assert str(Uuid().deserialize(text.replace("-", ""))) == text.lower()
    assert refuses(Uuid(), value)


def test_a_field_that_is_not_named_is_refused() -> None:
    class OneField(Strict):
        a = Integer()

    assert OneField().load({"a": 1}) == {"a": 1}
    with pytest.raises(ValidationError) as refusal:
        OneField().load({"a": 1, "b": 2})
    assert refusal.value.messages == {"b": ["is not known here"]}


def fields_of_rows() -> dict[str, Any]:
    return {
        "number": fields.Integer(),
        "text": fields.String(data_key="words"),
        "choice": Choice("a", "b"),
        "key": Uuid(),
        "at": DateTime(attribute="moment"),
        "share": fields.Float(),
        "pairs": fields.Dict(),
    }


RowOfColumns = RowResponse.from_dict(fields_of_rows())
RowOfFields = Schema.from_dict(fields_of_rows())
rows = st.builds(
    SimpleNamespace,
    number=st.none() | st.integers() | st.booleans() | st.decimals(allow_nan=False, allow_infinity=False),
    text=st.none() | st.text() | st.uuids() | st.integers(),
    choice=st.sampled_from(["a", "b", None]),
    key=st.none() | st.uuids() | st.uuids().map(str),
    moment=st.none()
    | st.datetimes(
        datetime(2, 1, 1),
        datetime(9998, 1, 1),
        timezones=st.sampled_from([UTC, timezone(timedelta(hours=9))]),
    ),
    share=st.none() | st.integers(-9, 9) | st.floats(allow_nan=False),
    pairs=st.dictionaries(st.text(max_size=2), st.integers(), max_size=2),
)


@given(st.lists(rows, max_size=5))
def test_rows_are_dumped_as_their_fields_dump_each_value(rows: list[SimpleNamespace]) -> None:
    dumped = RowOfColumns().dump(rows, many=True)
    assert repr(dumped) == repr(RowOfFields().dump(rows, many=True))  # 1 and True are equal
    assert [RowOfColumns().dump(row) for row in rows] == dumped == RowOfColumns(many=True).dump(rows)


class GroupOfFields(Schema):
    day = DateTime()
    user_id = fields.Integer(allow_none=True)
    visits = fields.Integer(data_key="count")
    before = fields.Nested(RowOfFields)


class GroupOfColumns(GroupOfFields, GroupResponse):
    def values(self, group: Any) -> dict[str, Any]:
        return dict(group)


@given(st.data())
def test_groups_are_dumped_with_the_fields_that_they_have(data: st.DataObject) -> None:
    values = {
        "day": st.datetimes(timezones=st.just(UTC)),
        "user_id": st.none() | st.integers(),
        "visits": st.integers() | st.booleans(),
        "before": rows,
    }
    names = data.draw(st.sets(st.sampled_from(list(values)), min_size=1))
    groups = data.draw(st.lists(st.fixed_dictionaries({name: values[name] for name in names}), max_size=4))
    dumped = GroupOfColumns().dump(groups, many=True)
    assert repr(dumped) == repr(GroupOfFields().dump(groups, many=True))
