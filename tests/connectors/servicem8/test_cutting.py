"""Cutting pages: one wrong object never hides the others, and a broken page is never taken for a whole one."""

import json
import time

import pytest

from app.connectors.errors import UnexpectedResponse
from app.connectors.servicem8.cutting import cut


def page(*objects: object) -> bytes:
    return json.dumps(objects, ensure_ascii=False).encode()


def test_each_object_keeps_the_bytes_it_came_with():
    content = b'[ {"uuid":"a", "name":"\xc5\xbdiga \xf0\x9f\x94\x8c", "n": 1.50} ,{"uuid":"b"}]'

    found = cut(content).objects

    assert [one.uuid for one in found] == ["a", "b"]
    assert found[0].payload == b'{"uuid":"a", "name":"\xc5\xbdiga \xf0\x9f\x94\x8c", "n": 1.50}'


def test_of_two_with_the_same_uuid_the_later_one_stands_once():
    found = cut(page({"uuid": "a", "v": 1}, {"uuid": "b"}, {"uuid": "a", "v": 2})).objects

    assert sorted(one.uuid for one in found) == ["a", "b"]
    assert json.loads(next(one.payload for one in found if one.uuid == "a"))["v"] == 2


@pytest.mark.parametrize("bad", [{}, {"uuid": None}, {"uuid": ""}, {"uuid": 7}, {"uuid": ["a"]}, {"uuid": "x" * 101}, 5, "text", None, [1]])
def test_what_has_no_uuid_is_kept_as_bad_and_the_others_go_on(bad: object):
    found = cut(page({"uuid": "a"}, bad, {"uuid": "b"}))

    assert [one.uuid for one in found.objects] == ["a", "b"]
    assert json.loads(found.bad[0].payload) == bad
    assert found.bad[0].external_id == cut(page(bad)).bad[0].external_id


def test_wrong_types_beside_the_uuid_do_no_harm():
    found = cut(page({"uuid": "a", "active": [], "edit_date": {"x": 1}, "job_uuid": 5}, {"uuid": "b"}))

    assert [one.uuid for one in found.objects] == ["a", "b"]


@pytest.mark.parametrize("odd", [b'{"uuid":"b","n":NaN}', b'{"uuid":"b","n":-Infinity}', b'{"uuid":"b","t":"a\tb"}'])
def test_an_object_that_json_does_not_allow_is_cut_out_whole(odd: bytes):
    found = cut(b'[{"uuid":"a"}, ' + odd + b' ,{"uuid":"c"}]').objects

    assert [(one.uuid, one.payload) for one in found][1] == ("b", odd)
    assert len(found) == 3


def test_bytes_that_are_no_utf8_stay_within_their_object():
    found = cut(b'[{"uuid":"a","n":"\xff\xfe"},{"uuid":"b","n":NaN}]').objects

    assert [one.payload for one in found] == [b'{"uuid":"a","n":"\xff\xfe"}', b'{"uuid":"b","n":NaN}']


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"{}",
        b"null",
        b"[",
        b'[{"uuid":"a"}',
        b'[{"uuid":"a"},',
        b'[{"uuid":"a"',
        b"<html>",
        b'[{"uuid":"a"} {"uuid":"b"}]',
        b"[oops]",
        b"[" * 5000,
    ],
)
def test_a_page_that_is_not_a_whole_array_is_refused(content: bytes):
    with pytest.raises(UnexpectedResponse):
        cut(content)


def test_an_empty_page_has_nothing():
    assert cut(b" [ ] ") == cut(b"[]")
    assert cut(b"[]").objects == ()


@pytest.mark.alone
def test_a_page_of_a_thousand_is_cut_in_a_few_milliseconds():
    job = {
        "status": "Quote",
        "edit_date": "2026-03-01 12:00:00",
        "active": 1,
        "job_description": "x" * 300,
        **{f"f{n}": "0" for n in range(40)},
    }
    content = page(*({"uuid": f"{n:036}", **job} for n in range(1000)))
    cut(content)

    started = time.perf_counter()
    for _ in range(5):
        cut(content)

    assert (time.perf_counter() - started) / 5 < 0.05
