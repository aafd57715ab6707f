"""The templates and styles that the chat component takes [100076]."""

import pytest
from playwright.sync_api import expect

from tests.emulator.page.conftest import AppPage

pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("opened")]  # test_messages has what every page meets


def test_100076_a_list_is_repeated_and_parts_are_shown_on_conditions(app: AppPage) -> None:
    app.show(
        """
        <!-- by number -->
        <view wx:for="{{data.people}}" wx:for-item="one" wx:for-index="place" wx:key="name" class="row">
          {{place + 1}}. {{one.name}}
          <span wx:if="{{one.age >= 18 && !one.hidden}}">adult</span>
          <span wx:elif="{{one.age > 12}}">teen</span>
          <block wx:else>{{one.age ? 'child' : "unknown"}}</block>
        </view>
        """,
        {"people": [{"name": "a", "age": 30}, {"name": "b", "age": 13}, {"name": "c", "age": 3}, {"name": "d"}]},
    )
    expect(app.frame.locator(".row")).to_have_text(["1. a adult", "2. b teen", "3. c child", "4. d unknown"])


def test_a_click_calls_the_method_of_the_page_with_the_data_of_the_element(app: AppPage) -> None:
    app.show(
        '<view bindclick="clicked" data-where="outer"><span class="in" catchclick="clicked" data-item-no="{{data.no}}">'
        'x</span><span class="through" bindclick="clicked">y</span></view>',
        {"no": 7},
    )
    app.frame.locator(".in").click()
    app.frame.locator(".through").click()
    app.page.wait_for_function("() => calls.filter(([name]) => name === 'clicked').length === 3")
    datasets = [event["currentTarget"]["dataset"] for event in app.calls("clicked")]
    assert datasets == [{"itemNo": 7}, {}, {"where": "outer"}]


def test_a_checkbox_says_whether_it_is_checked(app: AppPage) -> None:
    app.show('<checkbox value="{{data.id}}" checked="{{data.on}}" bindchange="clicked" />', {"id": "m1", "on": True})
    box = app.frame.get_by_role("checkbox")
    expect(box).to_be_checked()
    box.click()
    app.page.wait_for_function("() => calls.some(([name]) => name === 'clicked')")
    assert app.calls("clicked")[0]["detail"] == {"value": "m1", "checked": False}


def test_a_scroll_view_scrolls_by_its_data_and_by_its_ref(app: AppPage) -> None:
    app.show(
        '<scroll-view ref="list" class="box" scroll-y="{{true}}" scroll-top="{{data.top}}" bindscroll="scrolled" '
        'bindscrolltolower="clicked"><view wx:for="{{50}}" class="row n{{index}}">{{item}}</view></scroll-view>',
        {"top": 100},
        style=".box { height: 200px; } .row { height: 20px; line-height: 20px; }",
    )
    box = app.frame.locator(".box")
    expect(box).to_have_js_property("scrollTop", 100)
    app.page.evaluate(
        "async () => { window.view = await ww.createScrollViewContext(shown, 'list'); view.scrollTo({ top: 40 }); }"
    )
    expect(box).to_have_js_property("scrollTop", 40)
    app.page.evaluate("() => view.scrollIntoView('.n49', { block: 'end' })")
    expect(box).to_have_js_property("scrollTop", 800)
    app.page.wait_for_function("() => calls.some(([name]) => name === 'clicked')")
    assert app.calls("scrolled")[0]["detail"]["scrollHeight"] == 1000
    app.page.evaluate("() => shown.setData({ other: 1 })")
    expect(box).to_have_js_property("scrollTop", 800)
    assert app.page.evaluate("async () => await ww.createScrollViewContext(shown, 'none') === undefined")


FAULTS = {
    "<view>\n<div>x</div></view>": "line 2: <div> is none of block, view",
    "<view>\n\n<ww-suspense></ww-suspense></view>": "line 3: the emulator does not model <ww-suspense>",
    "<view><span></view>": "line 1: </view> closes <span>",
    "<view>": "line 1: <view> is not closed",
    "</view>": "line 1: </view> closes nothing",
    "a < b": "< b is not an element",
    "{{data.list.map(x)}}": "{{data.list.map(x)}}: ( is not expected",
    "{{a +}}": "{{a +}}: [ is expected at the end",
    "{{a @ b}}": "{{a @ b}}: what begins at @ b is not understood",
}


def test_a_template_with_a_fault_is_refused_and_named(app: AppPage) -> None:
    for number, template in enumerate(FAULTS, start=1):
        app.page.evaluate("given => show(given)", {"template": template})
        app.page.wait_for_function(f"() => calls.filter(([name]) => name === 'handleError').length === {number}")
    named = [each["errMsg"] for each in app.calls("handleError")]
    missed = [error for error in FAULTS.values() if not any(error in each for each in named)]
    assert not missed, f"{missed} of {named}"
    frames = app.page.locator("#chat iframe")
    for number, error in enumerate(FAULTS.values()):
        expect(frames.nth(number).content_frame.locator("#root")).to_contain_text(error)


def test_a_template_reaches_nothing_but_its_data(app: AppPage) -> None:
    app.show(
        "<view class='row'>{{data.constructor.name}}|{{data.__proto__}}|{{window}}|{{data.list['length']}}</view>",
        {"list": [1]},
    )
    expect(app.frame.locator(".row")).to_have_text("|||1")
    app.page.evaluate("given => shown.setData(given)", {"__proto__.polluted": 1, "constructor.x": 1, "ok": 1})
    assert app.page.frames[-1].evaluate("() => ({}).polluted") is None


def test_text_of_a_message_or_of_data_is_never_markup(app: AppPage) -> None:
    app.show_messages(app.said("<b id=bold>x</b>"))
    expect(app.frame.locator(".row")).to_have_text("<b id=bold>x</b>")
    app.show("<view class='data'>{{data.text}}</view>", {"text": "<i>y</i>"}, el="#chat")
    expect(app.page.frame_locator("#chat iframe >> nth=1").locator(".data")).to_have_text("<i>y</i>")


def test_100076_styles_apply_but_for_those_that_are_not_allowed(app: AppPage) -> None:
    app.show(
        "<view class='a'>x</view>",
        style=".a, span.a:hover { color: rgb(1, 2, 3); } @media all { .a { margin-top: 5px; } view { margin: 9px; } }"
        "view { color: red; } .a, view { color: red; } .ww-normal { color: red; } #root { color: red; } "
        ":not(.z) { color: red; } :is(.a, view) { color: red; } @layer x { .a { color: red; } }",
    )
    shown = app.frame.locator(".a")
    expect(shown).to_have_css("color", "rgb(1, 2, 3)")
    expect(shown).to_have_css("margin", "5px 0px 0px")
    [error] = app.calls("handleError")
    for refused in ("view", ".a, view", ".ww-normal", "#root", ":not(.z)", ":is(.a, view)", "@layer x"):
        assert refused in error["errMsg"]
