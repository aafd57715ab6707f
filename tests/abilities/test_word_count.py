"""The function `word_count` of the Python demo's protocol."""

from wwspec_devtools.testing.zone import Zone


def test_a_word_is_counted_as_often_as_it_occurs(zone: Zone) -> None:
    request = {"word": "退款", "texts": ["退款, 退款", "发票"]}
    reply = zone.call("input_word_count", {"input": {"func": "word_count", "func_req": request}}).reply
    assert reply == {"errcode": 0, "errmsg": "ok", "count": 2}
