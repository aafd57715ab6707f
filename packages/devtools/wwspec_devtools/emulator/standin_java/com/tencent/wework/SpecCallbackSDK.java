package com.tencent.wework;

import java.security.GeneralSecurityException;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/**
 * The emulator's stand-in for WeCom's class of this name [100057]: opens a call or an event, and seals the reply.
 *
 * <p>It has the members that WeCom documents, no others. Without an emulator on this machine its constructor throws an
 * IllegalStateException, so that it never serves in place of WeCom's class.
 */
public class SpecCallbackSDK {
    private static final ThreadLocal<String> LAST_REQUEST_ID = ThreadLocal.withInitial(() -> "");
    private static final String PROCESS = String.format(
            Locale.ROOT, "%d %.3f", ProcessHandle.current().pid(), System.currentTimeMillis() / 1000.0);

    private byte[] key = Emulator.key();
    private List<String> fields = List.of("", "0", "0", "", "", "0", "", "");
    private String requestId = "";
    private boolean isOk;
    private Map<String, String> responseHeaders = Map.of();
    private String responseBody = "";

    /** Opens a request. Header names that start with ww- must be in lower case; the method is not in the envelope. */
    public SpecCallbackSDK(String method, Map<String, String> headers, String body) {
        try {
            open(headers, body);
        } catch (GeneralSecurityException error) {
            System.err.println("wwspec stand-in: the request does not open: " + error.getMessage());
        }
        LAST_REQUEST_ID.set(requestId);
    }

    private void open(Map<String, String> headers, String body) throws GeneralSecurityException {
        try {
            fields = Envelope.openCall(key, headers, body);
        } catch (GeneralSecurityException error) {
            key = Emulator.newerKey(key); // each start of an emulator makes a new one
            fields = Envelope.openCall(key, headers, body);
        }
        requestId = headers.get(Envelope.REQUEST_ID);
        isOk = true;
    }

    public boolean IsOk() { return isOk; }

    public String GetCorpId() { return fields.get(0); }

    public long GetAgentId() { return Long.parseLong(fields.get(1)); }

    /** Returns 1 for a call of the app, 2 for an event. */
    public long GetCallType() { return Long.parseLong(fields.get(2)); }

    public String GetAbilityId() { return fields.get(3); }

    public String GetNotifyId() { return fields.get(4); }

    public boolean GetIsAsync() { return fields.get(5).equals("1"); }

    public String GetJobInfo() { return fields.get(6); }

    public String GetData() { return fields.get(7); }

    /** Seals the reply; of a request that did not open, as an exception. */
    public void BuildResponseHeaderBody(String text) {
        try {
            responseBody = Envelope.encrypt(key, text);
            String kind = isOk ? "reply" : "exception";
            responseHeaders = new HashMap<>(Envelope.replyHeaders(key, kind, requestId, responseBody));
        } catch (GeneralSecurityException error) {
            throw new IllegalStateException("this Java can't seal a reply", error);
        }
        responseHeaders.put("emulator-pid", PROCESS); // outside of the seal: the console shows it
    }

    public Map<String, String> GetResponseHeaders() { return responseHeaders; }

    public String GetResponseBody() { return responseBody; }

    String requestId() { return requestId; }

    /** Returns the id of the request that this thread has opened last: in the console, its SDK calls belong to that. */
    static String lastRequestId() { return LAST_REQUEST_ID.get(); }
}
