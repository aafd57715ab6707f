// Requests to the emulator.
// @ts-check

/** The emulator refuses a request, or does not answer. */
export class ApiError extends Error {
    /**
     * @param {number} errcode 0 when nobody answers.
     * @param {string} text
     * @param {any} [answer] The whole answer, when there is one.
     */
    constructor(errcode, text, answer) {
        super(text);
        this.answer = answer;
        this.name = "ApiError";
        this.errcode = errcode;
    }
}

const TOKEN = document.querySelector("meta[name='wwspec-token']")?.getAttribute("content") ?? "";

/**
 * Send a request and return the answer's object.
 * @param {"GET" | "POST" | "DELETE"} method
 * @param {string} path Below `/emulator/`.
 * @param {unknown} [body] Sent as JSON; a text is sent as it is.
 * @returns {Promise<any>}
 */
export async function ask(method, path, body) {
    let response;
    try {
        response = await fetch(`emulator/${path}`, {
            method,
            headers: { "X-WWSpec-Token": TOKEN, ...(body === undefined ? {} : { "Content-Type": "application/json" }) },
            body: body === undefined ? undefined : typeof body === "string" ? body : JSON.stringify(body),
        });
    } catch {
        throw new ApiError(0, "the emulator does not answer");
    }
    let answer;
    try {
        answer = await response.json();
    } catch {
        throw new ApiError(response.status, `the answer is not JSON (HTTP status ${response.status})`);
    }
    if (answer.errcode) throw new ApiError(answer.errcode, `${answer.errcode}: ${answer.errmsg}`, answer);
    return answer;
}

/**
 * Do what the emulator may refuse, and return why it does; empty when it does not.
 * @param {() => Promise<unknown>} run
 * @returns {Promise<string>}
 */
export async function refusal(run) {
    try {
        await run();
        return "";
    } catch (error) {
        if (!(error instanceof ApiError)) throw error;
        return error.message;
    }
}

/**
 * Return what the emulator answers to a GET.
 * @param {string} path
 * @param {Record<string, string | number>} [query]
 * @returns {Promise<any>}
 */
export function get(path, query = {}) {
    const given = Object.entries(query).filter(([, value]) => value !== "");
    const text = new URLSearchParams(given.map(([name, value]) => [name, String(value)])).toString();
    return ask("GET", text ? `${path}?${text}` : path);
}

/**
 * Return the ability that has a target, such as the one of `kind = "status"`: the registry file names it.
 * @param {string} target As `describe_target` says it: see console_contracts/targets.py.
 * @returns {Promise<string>} Empty when no such ability is registered.
 */
export async function abilityOf(target) {
    const { contracts } = await get("contracts");
    return Object.keys(contracts ?? {}).find((name) => contracts[name].target === target) ?? "";
}

/**
 * Return what the emulator answers to a GET as text, in which numbers are as they were written.
 * @param {string} path
 * @returns {Promise<string>}
 */
export async function getText(path) {
    const response = await fetch(`emulator/${path}`, { headers: { "X-WWSpec-Token": TOKEN } }).catch(() => null);
    if (response === null) throw new ApiError(0, "the emulator does not answer");
    return response.text();
}
