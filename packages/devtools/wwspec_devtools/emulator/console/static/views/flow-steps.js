// What followed from an entry, as it happens: one line for each exchange of its flow.
// @ts-check
import { everyFrame, h, update, visible } from "../dom.js";
import { duration, verdictChip } from "../parts.js";
import { record } from "../record.js";
import { hashOf } from "../route.js";
import { inLanguage, t } from "../texts.js";
import { LANE_OF } from "../timeline/flow-summary.js";

const SHOWN = 12;

/**
 * @param {number} number Of the entry.
 * @returns {{element: HTMLElement, end: () => void}}
 */
export function flowSteps(number) {
    const element = h("ol", { class: "steps", "aria-label": t("steps.label") });
    const draw = everyFrame(() => {
        const flow = record.rows.get(number)?.flow ?? number;
        const rows = (record.flows.get(flow)?.rows ?? []).filter((row) => row.number >= number).sort((one, other) => one.number - other.number);
        const lines = rows.slice(0, SHOWN).map((row) =>
            h(
                "li",
                {},
                h("a", { href: hashOf("timeline", row.number) }, h("span", { class: `lane-${LANE_OF[row.kind]}` }, t(`timeline.kind.${row.kind}`)), " ", visible(row.name)),
                " ",
                verdictChip(row),
                " ",
                h("span", { class: "dim" }, [duration(row.duration_ms), visible(inLanguage(row.reason))].filter(Boolean).join(" · ")),
            ),
        );
        update(element, lines, rows.length > SHOWN && h("li", {}, h("a", { href: hashOf("timeline", number) }, t("tree.more", { count: rows.length - SHOWN }))));
    });
    record.addEventListener("rows", draw);
    draw();
    return { element, end: () => record.removeEventListener("rows", draw) };
}
