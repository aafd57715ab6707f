// An exchange as a file with a pytest test, which uses the fixture `zone`.
// @ts-check
import { ANY, isMixed, shapeOf, stableValues } from "./expected.js";
import { hitsOf, notifier, outcomeOf, usesPlatform } from "./outcome.js";
import { Name, assignment, call, isHolder, isMasked, holderOf, literal, replaced, text, width, WIDTH } from "./python.js";
import { abilityCall, origin } from "./related.js";

/**
 * @typedef {import("../record.js").Entry} Entry
 * @typedef {"values" | "shape"} Asserts What of a reply is compared.
 * @typedef {object} TestFile
 * @property {string} source
 * @property {Asserts} asserts
 * @property {boolean} hasReply Whether a reply is compared at all.
 * @property {boolean} isIncomplete Whether something masked is to be filled in.
 */

const INDENT = "    ";
const EVENTS = /^(chat_archive_audit_approved_(single|room)|conversation_new_message|hit_keyword|(un)?auth_knowledge_base|delete_knowledge_base|knowledge_base_learn_done|chat_archive_export_finished)$/;
const TOKEN = ['    event = zone.fire("conversation_new_message")["event"]', '    token = event["conversation_new_message"]["token"]'];

/**
 * Tell whether an entry can be written as a test.
 * @param {Entry} entry From `origin`.
 */
export function isTestable(entry) {
    if (abilityCall(entry) !== null) return true;
    return (entry.kind === "event" || (entry.kind === "app" && entry.http?.method === "POST")) && holderOf(entry.text.request) !== null;
}

/**
 * Return the file of a test that does the same and expects the same.
 * @param {Entry} shown
 * @param {Asserts} [asserts] By default values, and the shape of what is made of the emulator's data or of an event.
 * @returns {Promise<TestFile | null>} Null when no test can do it.
 */
export async function testOf(shown, asserts) {
    const entry = await origin(shown);
    if (!isTestable(entry)) return null;
    const outcome = await outcomeOf(entry);
    const asked = abilityCall(entry);
    const writer = new Writer(entry, outcome, asserts ?? (usesPlatform(entry) || asked?.notifyId ? "shape" : "values"));
    const hits = await hitsOf(entry, outcome);
    await writer.prepare(asked);
    writer.act(asked, hits);
    writer.check(asked);
    return writer.file();
}

class Writer {
    #entry;
    #outcome;
    #asserts;
    #hasReply = false;
    #isIncomplete = false;
    #imports = new Set(["from wwspec_router.testing.zone import Zone"]);
    /** @type {string[]} */
    #lines = [];
    #needsToken = false;
    #notified = false;

    /**
     * @param {Entry} entry
     * @param {import("./outcome.js").Outcome} outcome
     * @param {Asserts} asserts
     */
    constructor(entry, outcome, asserts) {
        this.#entry = entry;
        this.#outcome = outcome;
        this.#asserts = asserts;
    }

    /**
     * Write what is to be done first: whatever notified the app.
     * @param {import("./related.js").AbilityCall | null} asked
     */
    async prepare(asked) {
        if (!asked?.notifyId) return;
        const cause = await notifier(this.#entry);
        const before = cause && abilityCall(cause);
        if (before) this.#lines.push(...this.#call("zone.call", before.ability, before.data, "first_request", "").map((line) => line.replace(/\)$/, ").raise_for_error()")));
        else this.#lines.push(call("zone.fire", [text(cause?.name ?? "conversation_new_message")]));
        this.#notified = true;
    }

    /**
     * Write the exchange, with the faults that hit it.
     * @param {import("./related.js").AbilityCall | null} asked
     * @param {import("./outcome.js").Hit[]} hits
     */
    act(asked, hits) {
        const lines = asked ? this.#ability(asked) : this.#entry.kind === "event" ? this.#event() : this.#api();
        if (this.#needsToken) this.#lines.push(...TOKEN);
        const last = lines.pop() ?? "";
        this.#lines.push(...lines);
        for (const { fault, count } of hits) {
            const value = Number(fault.value) !== 0 && `value=${fault.value}`;
            const given = [text(fault.on), text(fault.effect), fault.api && `api=${text(fault.api)}`, value, `count=${count}`];
            this.#lines.push(call("zone.client.add_fault", given.filter((each) => typeof each === "string" && each !== "").map(String)));
        }
        if (hits.length === 0) this.#lines.push(last);
        else this.#lines.push("    try:", last.replace(/^/gm, INDENT), "    finally:", "        zone.client.clear_faults()");
    }

    /** @param {import("./related.js").AbilityCall} asked */
    #ability({ ability, data, isAsync }) {
        const method = isAsync ? "zone.submit" : "zone.call";
        const lines = this.#call(method, ability, data, "request", this.#notified ? "zone.notified()" : "", "answer = ");
        if (isAsync && this.#outcome.errcode === 0) lines.push(`${lines.pop()}.result()`);
        return lines;
    }

    /**
     * @param {string} method
     * @param {string} ability
     * @param {string} data
     * @param {string} name Of the variable for a long request.
     * @param {string} notifyId Python.
     * @param {string} [target]
     * @returns {string[]}
     */
    #call(method, ability, data, name, notifyId, target = "") {
        const value = holderOf(data);
        const request = value === null ? data : this.#unmasked(value);
        const source = literal(request, 0, -Infinity);
        const given = [text(ability), ...(data === "{}" && !notifyId ? [] : [source]), ...(notifyId ? [notifyId] : [])];
        const line = `${INDENT}${target}${method}(${given.join(", ")})`;
        if (width(line) + ".result()".length <= WIDTH) return [line];
        return [assignment(name, request), call(`${target}${method}`, given.map((each) => (each === source ? name : each)))];
    }

    #event() {
        const { name } = this.#entry;
        const event = holderOf(this.#entry.text.request);
        this.#imports.add("import json");
        if (!EVENTS.test(name) || event === null) return this.#sent("fire_as_is", [], event);
        const own = Object.entries(event).find(([key]) => key !== "event_type" && key !== "timestamp")?.[1];
        const fields = isHolder(own) ? Object.fromEntries(Object.entries(own).filter(([, value]) => !isMasked(value))) : {};
        return this.#sent("fire", [text(name)], Object.keys(fields).length ? fields : undefined);
    }

    /**
     * @param {string} method
     * @param {string[]} given
     * @param {unknown} value
     */
    #sent(method, given, value) {
        const lines = value === undefined ? [] : [assignment("event", this.#unmasked(value))];
        const target = this.#outcome.errcode ? "" : "fired = ";
        const line = call(`${target}zone.client.${method}`, [...given, ...lines.map(() => "event")]);
        if (!this.#outcome.errcode) return [...lines, line];
        this.#imports.add("import pytest").add("from wwspec_router.emulator.http.client import EmulatorError");
        return [...lines, `    with pytest.raises(EmulatorError, match="${this.#outcome.errcode}"):\n${line.replace(/^/gm, INDENT)}`];
    }

    #api() {
        const path = (this.#entry.http?.path ?? "").replace(/\?.*$/s, "").replace(/^.*\/cgi-bin\/(chatdata\/(?=[^/]*$))?/, "");
        const request = this.#unmasked(holderOf(this.#entry.text.request));
        return [assignment("request", request), call("answer = zone.client.app_call", [text(path), "request"])];
    }

    /** @param {import("./related.js").AbilityCall | null} asked */
    check(asked) {
        const { errcode, programErrcode } = this.#outcome;
        if (this.#entry.kind === "event") {
            if (!errcode) this.#reply('json.loads(fired["reply"])');
        } else if (asked === null) {
            if (errcode) this.#lines.push(`    assert answer["errcode"] == ${errcode}`);
            else this.#reply("answer");
        } else if (errcode || programErrcode) {
            this.#lines.push(`    assert answer.refused_by == ${text(errcode ? "platform" : "program")}`, `    assert answer.errcode == ${errcode || programErrcode}`);
        } else {
            this.#reply("answer.reply");
        }
    }

    /** @param {string} source Python of the reply. */
    #reply(source) {
        const reply = holderOf(this.#outcome.reply);
        if (reply === null) {
            if (source === "answer.reply") this.#lines.push("    assert answer.errcode == 0");
            return;
        }
        this.#hasReply = true;
        const isShape = this.#asserts === "shape" && !isMixed(reply);
        this.#asserts = isShape ? "shape" : "values";
        if (isShape) {
            this.#imports.add("from wwspec_router.contracts.matching import mismatches");
            this.#lines.push(assignment("shape", shapeOf(reply)), `    assert list(mismatches(shape, ${source})) == []`);
            if (!Array.isArray(reply)) this.#lines.push(`    assert ${source}.keys() == shape.keys()`);
            return;
        }
        const values = stableValues(reply, this.#entry);
        const head = `    assert ${source} == `;
        const written = literal(values, INDENT.length, width(head));
        if (written.replace(/"(?:\\.|[^"\\])*"|'(?:\\.|[^'\\])*'/g, "").includes(ANY.text)) this.#imports.add("from unittest.mock import ANY");
        this.#lines.push(head + written);
    }

    /**
     * Return a request without what is masked: a token is that of an event, other values are to be filled in.
     * @param {unknown} request
     */
    #unmasked(request) {
        return replaced(request, (key, value) => {
            if (!isMasked(value)) return value;
            if (key === "token") this.#needsToken = true;
            else this.#isIncomplete = true;
            return key === "token" ? new Name("token") : value;
        });
    }

    /** @returns {TestFile} */
    file() {
        const { number, kind, name, ability } = this.#entry;
        const { errcode, programErrcode } = this.#outcome;
        const code = errcode || programErrcode;
        const subject = (ability || name).toLowerCase().replace(/[^a-z0-9_]+/g, "_").replace(/^_+|_+$/g, "") || "ability";
        const outcome = code ? `is_refused_with_${code}` : kind === "event" ? "is_accepted" : "answers_as_recorded";
        const groups = [/^(import json|from unittest)/, /^import pytest/, /^from wwspec/].map((group) => [...this.#imports].filter((each) => group.test(each)).sort(byModule));
        const library = [...(groups[1] ?? []), ...(groups[2] ?? [])];
        const head = [groups[0] ?? [], library].filter((group) => group.length).map((group) => group.join("\n")).join("\n\n");
        const todo = this.#isIncomplete ? ["    # Values that are *** were masked: fill them in."] : [];
        const source = `"""Entry ${number} of the emulator's record."""\n\n${head}\n\n\ndef test_${subject}_${outcome}(zone: Zone) -> None:\n${[...todo, ...this.#lines].join("\n")}\n`;
        return { source, asserts: this.#asserts, hasReply: this.#hasReply, isIncomplete: this.#isIncomplete };
    }
}

/**
 * @param {string} one
 * @param {string} other
 */
function byModule(one, other) {
    return one < other ? -1 : 1;
}
