"""The table of errcodes as a page of its own, which the console links to: `/errcodes?lang=zh#e710674`."""

from collections.abc import Mapping
from html import escape

from starlette.responses import HTMLResponse, Response

from wwspec_contracts.errcodes import ERRCODES, PROGRAM_ERRCODES, advice

_HEADS = {
    "en": ("Errcodes", "errcode", "cause", "fix"),
    "zh": ("错误码", "errcode", "原因", "解决办法"),
}


def errcodes_page(language: str, headers: Mapping[str, str]) -> Response:
    """Return the page.

    Args:
        language: `zh` for Chinese; anything else is English.
        headers: Of every page of the emulator.
    """
    is_chinese = language == "zh"
    title, *heads = _HEADS["zh" if is_chinese else "en"]
    rows = []
    own = [(key, row, advice(0, key)) for key, row in PROGRAM_ERRCODES.items()]
    of_wecom = [(str(errcode), row, advice(errcode)) for errcode, row in ERRCODES.items()]
    for errcode, row, fixes in (*own, *of_wecom):
        fix = (fixes or ("", ""))[is_chinese]
        cells = (errcode, row.chinese_cause if is_chinese else row.cause, fix)
        rows.append(f'<tr id="e{errcode}">{"".join(f"<td>{escape(cell)}</td>" for cell in cells)}</tr>')
    return HTMLResponse(
        f'<!doctype html><html lang="{"zh-CN" if is_chinese else "en"}"><head><meta charset="utf-8">'
        f'<title>{title}</title><link rel="stylesheet" href="console/console.css"></head>'
        f'<body><main class="page errcodes"><h1>{title}</h1><table><thead><tr>'
        f"{''.join(f'<th scope=col>{head}</th>' for head in heads)}</tr></thead><tbody>{''.join(rows)}</tbody></table>"
        "</main></body></html>",
        headers=headers,
    )
