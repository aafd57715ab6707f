// The frame of the chat component: from the page's template to messages on the screen.
// @ts-check

import { connect } from "./channel.js";
import { change } from "./data.js";
import { h, update } from "./dom.js";
import { Renderer } from "./render.js";
import { scrollAsAsked, useRef } from "./scrolling.js";
import { applyStyles } from "./styles.js";
import { parse } from "./template.js";

/** @typedef {{ errCode: number, errMsg: string }} FrameError */

const root = /** @type {HTMLElement} */ (document.getElementById("root"));
const channel = await connect(answer);
const { hooks, options } = await channel.call({ type: "init" });
/** @type {Record<string, any>} */
const data = options.data ?? {};
/** @type {Renderer | undefined} */
let renderer;
/** The token that the emulator gave for this frame, or why it gave none. @type {string | FrameError} */
let opened = "";
/** @type {Promise<unknown>} What is drawn, one change after the other. */
let drawn = begin();

async function begin() {
    try {
        const refused = applyStyles(options.style ?? "");
        if (refused.length) fail({ errCode: -1, errMsg: `style: the chat component does not allow ${refused.join("; ")}` });
        renderer = new Renderer(parse(options.template), (name, event) => tell(name, event, "method"), preview);
    } catch (error) {
        fail({ errCode: -1, errMsg: String(error) });
        update(root, h("span", { class: "ww-failed" }, String(error)));
        return;
    }
    opened = await open();
    if (typeof opened !== "string") fail(opened);
    await draw();
    tell("handleMounted");
}

/** @returns {Promise<string | FrameError>} */
async function open() {
    if (window.parent !== window.top) return { errCode: -1, errMsg: "Missing open sid" }; // the page is in a frame itself
    try {
        const signed = await channel.call({ type: "agentConfig" });
        const { frame, errcode, errmsg } = await ask("open", { origin: channel.origin, ...signed });
        return errcode ? { errCode: errcode, errMsg: errmsg } : frame;
    } catch (error) {
        return { errCode: -1, errMsg: /** @type {Error} */ (error).message };
    }
}

/** Draw the template, and draw it again once the emulator has answered for what is new in it. */
async function draw() {
    if (renderer === undefined) return;
    show(renderer);
    const { known, wanted } = renderer;
    const missing = [...wanted].filter(([id]) => known.get(id)?.errcode !== 0);
    if (missing.length === 0) return;
    const [messages, names] = ["messages", "names"].map((kind) => missing.filter(([, each]) => each.kind === kind));
    const asked = { frame: opened, messages: messages?.map(([, each]) => each.asked), names: names?.map(([, each]) => each.asked) };
    const got = typeof opened === "string" ? await ask("show", asked) : { errcode: opened.errCode, errmsg: opened.errMsg };
    for (const [listed, answers] of /** @type {[typeof missing, any[]][]} */ ([[messages, got.messages], [names, got.names]])) {
        for (const [index, [id, each]] of listed.entries()) {
            const { errcode, errmsg, ...rest } = answers?.[index] ?? got;
            known.set(id, { errcode, errmsg, ...rest });
            if (errcode) for (const onError of each.onError) onError({ errCode: errcode, errMsg: errmsg });
        }
    }
    show(renderer);
}

/** @param {Renderer} renderer */
function show(renderer) {
    update(root, ...renderer.render(data));
    scrollAsAsked(root);
}

/**
 * Answer what the page asks for.
 * @param {Record<string, any>} args
 */
async function answer(args) {
    if (args["type"] === "ref.get" || args["type"] === "ref.call") return useRef(root, args);
    if (args["type"] !== "update") throw new Error(`the emulator does not model ${args["type"]}`);
    drawn = drawn.then(async () => {
        change(data, args["options"]?.data ?? {});
        await draw();
        tell("handleUpdated");
    });
    return drawn;
}

/**
 * Call a function of the page, if it has it.
 * @param {string} name
 * @param {object} [payload]
 * @param {"method"} [kind] A method, or else a callback.
 */
function tell(name, payload, kind) {
    if (kind || hooks.includes(name)) void channel.call({ type: "call", kind, name, payload });
}

/** @param {FrameError} error */
function fail(error) {
    console.error(error.errMsg);
    tell(hooks.includes("handleError") ? "handleError" : "error", error);
}

/** @param {string} mark Of the message. */
async function preview(mark) {
    const modalUrl = `${location.origin}/wwopen/emulator/preview?mark=${encodeURIComponent(mark)}`;
    const { modalType } = await channel.call({ type: "modal", modalUrl, modalSize: { width: 640, height: 480 } });
    if (modalType === undefined) console.warn("the page has no handleModal that shows a preview: outside of WeCom nothing opens without one");
}

/**
 * @param {string} what
 * @param {object} body
 * @returns {Promise<Record<string, any>>}
 */
async function ask(what, body) {
    const response = await fetch(`/wwopen/emulator/${what}`, { method: "POST", body: JSON.stringify(body) });
    return response.json();
}
