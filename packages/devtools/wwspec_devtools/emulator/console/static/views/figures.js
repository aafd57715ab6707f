// Asks for the program's figures again and again, as long as the view is shown and the page can be seen.
// @ts-check
import { ApiError, ask } from "../api.js";

const PAUSE = 2000; // milliseconds

/**
 * @typedef {import("./history.js").Status} Status
 * @typedef {{kind: "ok", status: Status}
 *   | {kind: "none", errcode: number, errmsg: string}
 *   | {kind: "other"}
 *   | {kind: "down"}
 *   | {kind: "gone"}
 *   | {kind: "failed", text: string}} Answer `none`: the program refuses the call. `other`: the ability is not one of
 *   figures. `down`: nobody listens. `gone`: the emulator does not answer. `failed`: the call had no reply.
 */

/**
 * Ask once.
 * @param {string} ability
 * @returns {Promise<Answer>}
 */
async function figures(ability) {
    try {
        const { reply } = await ask("POST", "figures", { ability_id: ability });
        return answerOf(reply);
    } catch (error) {
        if (!(error instanceof ApiError)) throw error;
        if (error.errcode === 710674) return { kind: "down" };
        return error.errcode === 0 ? { kind: "gone" } : { kind: "failed", text: error.message };
    }
}

/**
 * @param {string} reply
 * @returns {Answer}
 */
function answerOf(reply) {
    let value;
    try {
        value = JSON.parse(reply);
    } catch {
        return { kind: "other" };
    }
    if (value === null || typeof value !== "object") return { kind: "other" };
    if (value.errcode) return { kind: "none", errcode: Number(value.errcode), errmsg: String(value.errmsg ?? "") };
    const isStatus = typeof value.uptime === "number" && Array.isArray(value.abilities) && Array.isArray(value.errors);
    return isStatus ? { kind: "ok", status: { oldest_jobs: [], ...value } } : { kind: "other" };
}

/**
 * Ask until the returned function is called; not while the page is hidden.
 * @param {() => string} ability Which ability has the figures; nothing is asked while it is empty.
 * @param {(answer: Answer) => void} take
 * @returns {{end: () => void, again: () => void}} `again` asks at once.
 */
export function poll(ability, take) {
    let turn = 0;
    let timer = 0;
    const next = async () => {
        clearTimeout(timer);
        const mine = (turn += 1);
        if (document.hidden) return;
        if (ability()) {
            const answer = await figures(ability());
            if (mine !== turn) return;
            take(answer);
        }
        timer = setTimeout(next, PAUSE);
    };
    document.addEventListener("visibilitychange", next);
    void next();
    return {
        end() {
            turn += 1;
            clearTimeout(timer);
            document.removeEventListener("visibilitychange", next);
        },
        again: () => void next(),
    };
}
