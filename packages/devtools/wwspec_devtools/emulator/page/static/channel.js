// The frame's end of the messages with the page: the other end is `useIframeClient` of @wecom/jssdk.
// @ts-check

const TYPE = "ww-iframe-handle:";

/** @typedef {Record<string, any>} Message */

/**
 * @typedef {object} Channel
 * @property {string} origin Of the page.
 * @property {(args: Message) => Promise<any>} call Ask the page for something, and return its answer.
 */

/**
 * Tell the page that the frame is there, and return the channel once the page has given its port.
 * @param {(args: Message) => any} answer Answers what the page asks for.
 * @returns {Promise<Channel>}
 */
export function connect(answer) {
    return new Promise((resolve) => {
        window.addEventListener("message", (event) => {
            const message = read(event.data);
            if (event.source !== window.parent) return;
            if (message.type === `${TYPE}init`) announce();
            if (message.type === `${TYPE}set-port`) resolve({ origin: event.origin, call: exchange(message["port"], answer) });
        });
        announce();
    });
}

function announce() {
    // To any page: its origin is known only when it answers.
    window.parent.postMessage(JSON.stringify({ type: `${TYPE}ready`, supportChannel: true }), "*");
}

/**
 * @param {MessagePort} port
 * @param {(args: Message) => any} answer
 */
function exchange(port, answer) {
    /** @type {Map<string, { resolve: (value: any) => void, reject: (reason: any) => void }>} */
    const waiting = new Map();
    let count = 0;

    /** @param {Message} message */
    const send = (message) => port.postMessage(JSON.stringify(message));

    /** @param {Message} message */
    async function respond(message) {
        try {
            const args = await answer(message["args"]);
            if (message["uid"]) send({ type: `${TYPE}response`, uid: message["uid"], kind: "resolve", args });
        } catch (error) {
            if (message["uid"]) send({ type: `${TYPE}response`, uid: message["uid"], kind: "reject", args: { message: String(error) } });
            else console.error(error);
        }
    }

    port.onmessage = ({ data }) => {
        const message = read(data);
        if (message.type === `${TYPE}call`) void respond(message);
        if (message.type !== `${TYPE}response`) return;
        const call = waiting.get(message["uid"]);
        waiting.delete(message["uid"]);
        if (message["kind"] === "resolve") call?.resolve(message["args"]);
        else call?.reject(message["args"]);
    };
    return (/** @type {Message} */ args) =>
        new Promise((resolve, reject) => {
            const uid = `frame-${count++}`;
            waiting.set(uid, { resolve, reject });
            send({ type: `${TYPE}call`, uid, args });
        });
}

/**
 * @param {unknown} data
 * @returns {Message}
 */
function read(data) {
    try {
        const value = typeof data === "string" ? JSON.parse(data) : data;
        return typeof value === "object" && value !== null ? value : {};
    } catch {
        return {};
    }
}
