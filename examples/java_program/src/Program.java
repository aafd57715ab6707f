import static java.nio.charset.StandardCharsets.UTF_8;

import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import com.tencent.wework.SpecCallbackSDK;
import com.tencent.wework.SpecSDK;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** A zone program in plain Java: events, APIs of the SDK, an ability of its own, and asynchronous calls of them all. */
public class Program {
    private static final String OK = "{\"errcode\":0,\"errmsg\":\"ok\"}";
    private static final int CALL_BY_APP = 1;
    private static final String PREFIX = "invoke_";
    private static final int KEPT_EVENTS = 10_000;

    /** Events that the app can fetch, by notify_id; the oldest one goes when there are too many. */
    private static final Map<String, String> EVENTS = new LinkedHashMap<>() {
        @Override
        protected boolean removeEldestEntry(Map.Entry<String, String> eldest) {
            return size() > KEPT_EVENTS;
        }
    };

    private static final ExecutorService JOBS = Executors.newFixedThreadPool(16);

    public static void main(String[] arguments) throws IOException {
        int port = arguments.length > 0 ? Integer.parseInt(arguments[0]) : 8080;
        HttpServer server = HttpServer.create(new InetSocketAddress(port), 0);
        server.createContext("/", Program::handle);
        server.setExecutor(Executors.newFixedThreadPool(64));
        server.start();
    }

    private static void handle(HttpExchange exchange) throws IOException {
        Map<String, String> headers = new HashMap<>();
        exchange.getRequestHeaders().forEach( // the server has written ww-kind as Ww-kind
                (name, values) -> headers.put(name.toLowerCase(Locale.ROOT), values.get(0)));
        String body = new String(exchange.getRequestBody().readAllBytes(), UTF_8);
        SpecCallbackSDK call = new SpecCallbackSDK(exchange.getRequestMethod(), headers, body);
        call.BuildResponseHeaderBody(call.IsOk() ? reply(call) : error("the request does not open"));
        call.GetResponseHeaders().forEach(exchange.getResponseHeaders()::set);
        byte[] content = call.GetResponseBody().getBytes(UTF_8);
        exchange.sendResponseHeaders(200, content.length); // with another status the app gets 710676
        exchange.getResponseBody().write(content);
        exchange.close();
    }

    private static String reply(SpecCallbackSDK call) {
        if (call.GetCallType() != CALL_BY_APP) {
            return takeEvent(call);
        }
        if (call.GetIsAsync()) {
            JOBS.execute(() -> invoke(call, "program_async_job_call_back",
                    "{\"errcode\":0,\"result\":" + quoted(answer(call)) + "}"));
            return OK;
        }
        return answer(call);
    }

    /** Notifies the app of an event. The lock is for an app that fetches it before it is in the map. */
    private static String takeEvent(SpecCallbackSDK call) {
        synchronized (EVENTS) {
            String notified = invoke(call, "spec_notify_app", "{}");
            Matcher notifyId = Pattern.compile("\"notify_id\"\\s*:\\s*\"([^\"]+)\"").matcher(notified);
            if (!notifyId.find()) {
                return notified;
            }
            EVENTS.put(notifyId.group(1), call.GetData());
            return OK;
        }
    }

    private static String answer(SpecCallbackSDK call) {
        String ability = call.GetAbilityId();
        if (ability.startsWith(PREFIX)) {
            return invoke(call, ability.substring(PREFIX.length()), call.GetData());
        }
        switch (ability) {
            case "get_callback_data":
                synchronized (EVENTS) {
                    return EVENTS.getOrDefault(call.GetNotifyId(), error("no event has this notify_id"));
                }
            case "group_size":
                String chat = invoke(call, "get_group_chat", call.GetData());
                long members = Pattern.compile("\"memberid\"").matcher(chat).results().count();
                return members == 0 ? chat : "{\"errcode\":0,\"errmsg\":\"ok\",\"members\":" + members + "}";
            default:
                return error("there is no ability " + ability);
        }
    }

    private static String invoke(SpecCallbackSDK call, String api, String request) {
        SpecSDK sdk = new SpecSDK(call);
        sdk.SetRequest(request);
        int code = sdk.Invoke(api);
        return code == 0 ? sdk.GetResponse() : error(api + ": return code " + code);
    }

    private static String error(String message) {
        return "{\"errcode\":710660,\"errmsg\":" + quoted(message) + "}";
    }

    /** Writes a text as a string of JSON. A program of your own has a library for JSON. */
    private static String quoted(String text) {
        return '"' + text.replace("\\", "\\\\").replace("\"", "\\\"").replace("\n", "\\n") + '"';
    }
}
