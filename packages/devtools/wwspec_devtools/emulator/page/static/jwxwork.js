// What `ww.initOpenData` of @wecom/jssdk needs outside of WeCom: the emulator's own, in place of jwxwork-1.0.0.js.
// @ts-check

/** @type {any} */ (window)["WWOpenData"] = {
    /** @param {{ success?: (result: object) => void, fail?: (error: object) => void } & Record<string, any>} given */
    async agentConfig({ success, fail, ...params }) {
        try {
            const response = await fetch("https://open.work.weixin.qq.com/wwopen/emulator/open", {
                method: "POST",
                body: JSON.stringify({ origin: location.origin, url: location.href.split("#")[0], params }),
                credentials: "include",
            });
            const { errcode, errmsg } = await response.json();
            if (errcode) fail?.({ errCode: errcode, errMsg: `agentConfig:fail ${errmsg}` });
            else success?.({ errCode: 0, errMsg: "agentConfig:ok" });
        } catch (error) {
            fail?.({ errCode: -1, errMsg: `agentConfig:fail ${error}` });
        }
    },
};
