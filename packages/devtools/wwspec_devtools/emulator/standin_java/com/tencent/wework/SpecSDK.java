package com.tencent.wework;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.io.IOException;
import java.net.URLEncoder;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.util.Map;

/**
 * The emulator's stand-in for WeCom's class of this name [100057]: calls the APIs of the SDK.
 *
 * <p>It has the members that WeCom documents, no others. Return codes are WeCom's [100052]; why a call failed is a line
 * on standard error. Without an emulator on this machine its constructors throw an IllegalStateException.
 */
public class SpecSDK {
    private static final int OK = 0;
    private static final int NETWORK = -10002;
    private static final int HTTP_STATUS = -10003;
    private static final int UNSUPPORTED_API = -10006;
    private static final int ILLEGAL_JSON = -10009;
    private static final int FAULT = 590; // HTTP status of a call that a fault lets fail; the body is the return code

    private final Map<String, String> headers;
    private String request = "";
    private String response = "";

    public SpecSDK(SpecCallbackSDK callback) {
        this(callback.GetCorpId(), callback.GetAgentId(), callback.GetAbilityId(), callback.GetJobInfo(),
                callback.requestId());
    }

    public SpecSDK(String corpid, long agentid) {
        this(corpid, agentid, "", "", SpecCallbackSDK.lastRequestId());
    }

    private SpecSDK(String corpid, long agentid, String abilityId, String jobInfo, String requestId) {
        Emulator.url("/"); // throws where there is no emulator
        String machine = System.getenv("WWSPEC_MACHINE");
        headers = Map.of(
                "content-type", "application/json",
                "ww-corpid", quote(corpid),
                "ww-agentid", Long.toString(agentid),
                "ww-ability-id", quote(abilityId),
                "ww-job-info", quote(jobInfo),
                "ww-request-id", requestId,
                "ww-pid", Long.toString(ProcessHandle.current().pid()),
                "ww-machine", machine == null ? "0" : machine);
    }

    public void SetRequest(String json) { request = json; }

    /** Calls an API. 0 means only that there is a response, which has an errcode of its own. */
    public int Invoke(String api) {
        response = "";
        HttpRequest.Builder post = HttpRequest.newBuilder(Emulator.url("/emulator/sdk/" + quote(api)))
                .POST(BodyPublishers.ofString(request, UTF_8));
        headers.forEach(post::header);
        try {
            HttpResponse<byte[]> answer = Emulator.send(post);
            String body = new String(answer.body(), UTF_8);
            switch (answer.statusCode()) {
                case 200:
                    response = body;
                    return OK;
                case FAULT:
                    return failed(api, Integer.parseInt(body), "a fault that was set on the emulator");
                case 400:
                    return failed(api, ILLEGAL_JSON, "the request is not a JSON object");
                case 404:
                    return failed(api, UNSUPPORTED_API, "there is no such API");
                default:
                    return failed(api, HTTP_STATUS, "the emulator answered HTTP status " + answer.statusCode());
            }
        } catch (IOException error) {
            return failed(api, NETWORK, "the emulator did not answer: " + error);
        }
    }

    public String GetResponse() { return response; }

    private static int failed(String api, int code, String why) {
        System.err.println("wwspec stand-in: " + api + ": return code " + code + ": " + why);
        return code;
    }

    private static String quote(String text) {
        return URLEncoder.encode(text, UTF_8).replace("+", "%20");
    }
}
