// An exchange as lines for a shell: curl, as an enterprise app calls, and `wwspec`.
// @ts-check
import { JsonNumber, readJson } from "../json/text.js";
import { quoted } from "../parts.js";
import { record } from "../record.js";
import { abilityCall } from "./related.js";

/** @typedef {import("../record.js").Entry} Entry */

const DEFAULT_URL = "http://127.0.0.1:8090";
const LONGEST = 100_000; // characters of an argument; Linux takes 128 KiB
const EVENT_TYPE = "event_type";

/** @returns {string} The option of `wwspec` that names the emulator; empty for the usual one. */
export function urlOption() {
    return location.origin === DEFAULT_URL ? "" : ` --url ${quoted(location.origin)}`;
}

/**
 * Return an exchange as curl; null when an app can't do it.
 * @param {Entry} entry From `origin`.
 * @returns {string | null}
 */
export function curlLine(entry) {
    const asked = abilityCall(entry);
    if (asked === null && (entry.kind !== "app" || entry.http === null || /multipart/.test(headerOf(entry, "content-type")))) return null;
    const path = asked ? `/cgi-bin/chatdata/${asked.isAsync ? "async_program_task" : "sync_call_program"}` : (entry.http?.path ?? "").replace(/\?.*$/s, "");
    const lines = [`EMULATOR=${quoted(location.origin)}`, 'INFO=$(curl -s "$EMULATOR/emulator/info")', `value() { sed -n "s/.*\\"$1\\":\\"\\([^\\"]*\\)\\".*/\\1/p"; }`];
    const secret = '"$EMULATOR/cgi-bin/gettoken?corpid=$(echo "$INFO" | value corpid)&corpsecret=$(echo "$INFO" | value secret)"';
    if (entry.http?.method === "GET") return [...lines, `curl -s ${secret}`].join("\n");
    lines.push(`TOKEN=$(curl -s ${secret} | value access_token)`);
    const body = asked && entry.kind !== "app" ? bodyOf(asked) : entry.text.request;
    const head = `curl -s "$EMULATOR${path}?access_token=$TOKEN" -H 'Content-Type: application/json'`;
    lines.push(body.length <= LONGEST ? `${head} -d ${quoted(body)}` : `${head} -d @- <<'BODY'\n${body}\nBODY`);
    return lines.join("\n");
}

/**
 * Return an exchange as a line of `wwspec`; null when there is no verb for it.
 * @param {Entry} entry From `origin`.
 * @returns {string | null}
 */
export function wwspecLine(entry) {
    const asked = abilityCall(entry);
    if (asked !== null) return callLine(asked);
    if (entry.kind === "event") return fireLine(entry);
    if (entry.kind !== "clock") return null;
    if (entry.name === "back") return `wwspec zone advance now${urlOption()}`;
    const request = readJson(entry.text.request);
    const seconds = request !== null && typeof request === "object" ? String(Reflect.get(request, "seconds") ?? "") : "";
    return seconds && `wwspec zone advance ${quoted(seconds)}${urlOption()}`;
}

/**
 * Return the command line that replays an entry.
 * @param {number} number
 * @param {{data?: string, ability_id?: string, notify_id?: string, times?: number}} changes
 * @returns {string}
 */
export function replayLine(number, { data, ability_id, notify_id, times = 1 }) {
    const options = [["data", data], ["ability-id", ability_id], ["notify-id", notify_id], ["times", times > 1 ? String(times) : undefined]];
    const given = options.filter(([, value]) => value !== undefined).map(([name, value]) => ` --${name} ${quoted(String(value))}`);
    return `wwspec zone replay ${number}${given.join("")}${urlOption()}`;
}

/** @param {import("./related.js").AbilityCall} asked */
function callLine({ ability, data, notifyId, isAsync }) {
    const options = `${notifyId ? ` --notify-id ${quoted(notifyId)}` : ""}${isAsync ? " --async" : ""}${urlOption()}`;
    if (data.length > LONGEST) return `wwspec call ${quoted(ability)} -${options} <<'BODY'\n${data}\nBODY`;
    return `wwspec call ${quoted(ability)} ${data === "" ? "''" : quoted(data)}${options}`;
}

/** @param {Entry} entry */
function fireLine(entry) {
    const event = readJson(entry.text.request);
    const own = event !== null && typeof event === "object" ? Object.entries(event).find(([key]) => key !== EVENT_TYPE && key !== "timestamp")?.[1] : null;
    const fields = own !== null && typeof own === "object" ? Object.entries(/** @type {object} */ (own)) : [];
    const set = fields.filter(([, value]) => value !== "***").map(([key, value]) => ` --set ${quoted(`${key}=${settable(value)}`)}`);
    return `wwspec fire ${quoted(entry.name)}${set.join("")}${urlOption()}`;
}

/**
 * Return a value as `--set` reads it: JSON, or else a text.
 * @param {unknown} value
 * @returns {string}
 */
function settable(value) {
    if (value instanceof JsonNumber) return value.source;
    return typeof value === "string" && readJson(value) === undefined ? value : JSON.stringify(value);
}

/** @param {import("./related.js").AbilityCall} asked */
function bodyOf({ ability, data, notifyId }) {
    const program_id = record.program?.program_id ?? "emulator-program";
    return JSON.stringify({ program_id, ability_id: ability, request_data: data, ...(notifyId && { notify_id: notifyId }) });
}

/**
 * @param {Entry} entry
 * @param {string} name
 * @returns {string}
 */
function headerOf(entry, name) {
    return entry.http?.request_headers.find(([key]) => key.toLowerCase() === name)?.[1] ?? "";
}
