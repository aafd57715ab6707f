import com.fasterxml.jackson.annotation.JsonInclude;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.net.URI;
import java.net.http.*;
import java.util.*;

final class Call {
    static final ObjectMapper JSON = new ObjectMapper().setSerializationInclusion(JsonInclude.Include.NON_NULL)
        .disable(DeserializationFeature.FAIL_ON_UNKNOWN_PROPERTIES); // programs and WeCom add keys

    /** Call an ability. The reply's errcode is the program's. */
    static <T> T call(URI url, Map<String, String> to, Object request, Class<T> reply) throws IOException, InterruptedException {
        var body = new HashMap<>(to);
        body.put("request_data", JSON.writeValueAsString(request));
        var sent = HttpRequest.BodyPublishers.ofString(JSON.writeValueAsString(body));
        var post = HttpRequest.newBuilder(url).POST(sent).build();
        var got = HttpClient.newHttpClient().send(post, HttpResponse.BodyHandlers.ofString());
        JsonNode answer = JSON.readTree(got.body());
        if (answer.path("errcode").asInt() != 0) throw new IOException(got.body());
        return JSON.readValue(answer.path("response_data").asText(), reply);
    }
}
