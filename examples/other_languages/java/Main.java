import static java.nio.charset.StandardCharsets.UTF_8;

import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import java.io.IOException;
import java.net.*;
import java.net.http.*;
import java.util.*;
import java.util.regex.*;
import program.*;

/** An app that makes a call, and prints the port of its callback URL, then each event that it is notified of. */
public final class Main {
    static final Map<String, String> ENV = System.getenv();
    static URI url;

    public static void main(String[] arguments) throws Exception {
        url = URI.create(api("chatdata/sync_call_program?access_token=" + newToken()));
        var request = new ChatDigestInput();
        request.setLimit(100L);
        var to = Map.of("program_id", ENV.get("WWSPEC_PROGRAM_ID"), "ability_id", "chat_digest");
        System.out.println(Call.call(url, to, request, ChatDigestOutput.class).getMessages());

        var server = HttpServer.create(new InetSocketAddress("127.0.0.1", 0), 0);
        server.createContext("/", Main::receive);
        server.start();
        System.out.println(server.getAddress().getPort());
    }

    static String api(String path) {
        return ENV.get("WWSPEC_BASE_URL") + "/cgi-bin/" + path;
    }

    /** A process keeps its token until it expires, and asks for another when WeCom refuses it. */
    static String newToken() throws IOException, InterruptedException {
        var query = "?corpid=" + ENV.get("WWSPEC_CORPID") + "&corpsecret=" + ENV.get("WWSPEC_CORPSECRET");
        var get = HttpRequest.newBuilder(URI.create(api("gettoken" + query))).build();
        var got = HttpClient.newHttpClient().send(get, HttpResponse.BodyHandlers.ofString());
        return Call.JSON.readTree(got.body()).required("access_token").asText();
    }

    static void receive(HttpExchange exchange) throws IOException {
        var query = new HashMap<String, String>();
        for (String each : exchange.getRequestURI().getRawQuery().split("&")) {
            String[] pair = each.split("=", 2);
            query.put(pair[0], URLDecoder.decode(pair[1], UTF_8));
        }
        var body = new String(exchange.getRequestBody().readAllBytes(), UTF_8);
        try {
            var sealed = query.containsKey("echostr") ? query.get("echostr") : element("Encrypt", body);
            var text = Callback.open(ENV.get("CALLBACK_TOKEN"), ENV.get("CALLBACK_KEY"), ENV.get("WWSPEC_CORPID"), query, sealed);
            var answer = query.containsKey("echostr") ? text.getBytes(UTF_8) : new byte[0];
            exchange.sendResponseHeaders(200, answer.length == 0 ? -1 : answer.length);
            exchange.getResponseBody().write(answer);
            exchange.close();
            if (answer.length == 0) fetchEvent(text); // after the answer, for which WeCom does not wait long
        } catch (Exception error) {
            error.printStackTrace();
            exchange.sendResponseHeaders(403, -1);
            exchange.close();
        }
    }

    static void fetchEvent(String xml) throws IOException, InterruptedException {
        var to = Map.of(
            "program_id", ENV.get("WWSPEC_PROGRAM_ID"),
            "ability_id", "get_callback_data",
            "notify_id", element("NotifyId", xml));
        System.out.println(Call.call(url, to, Map.of(), GetCallbackDataOutput.class).getEventType());
    }

    static String element(String name, String xml) {
        Matcher found = Pattern.compile("<" + name + "><!\\[CDATA\\[(.*?)\\]\\]>").matcher(xml);
        return found.find() ? found.group(1) : "";
    }
}
