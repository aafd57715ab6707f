import static java.nio.charset.StandardCharsets.UTF_8;

import com.tencent.wework.SpecCallbackSDK;
import com.tencent.wework.SpecSDK;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Base64;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * Opens each call of a file with the stand-in, and answers it with its own data.
 *
 * <p>A line of the file is a call: its body and the names and values of its headers, between tabs. A line of the output
 * is what became of it: whether it opened, its fields, and the body and the headers of the reply; texts are in Base64.
 * Without a file it prints what each class throws.
 */
public class JavaEnvelopes {
    public static void main(String[] arguments) throws Exception {
        if (arguments.length == 0) {
            printThrown(() -> new SpecSDK("ww1", 1));
            printThrown(() -> new SpecCallbackSDK("POST", Map.of(), ""));
            return;
        }
        for (String line : Files.readAllLines(Path.of(arguments[0]))) {
            String[] parts = line.split("\t");
            Map<String, String> headers = new HashMap<>();
            for (int i = 1; i < parts.length; i += 2) {
                headers.put(parts[i], parts[i + 1]);
            }
            SpecCallbackSDK call = new SpecCallbackSDK("POST", headers, parts[0]);
            call.BuildResponseHeaderBody(call.GetData());
            List<String> shown = new ArrayList<>(List.of(Boolean.toString(call.IsOk())));
            for (Object field : List.of(call.GetCorpId(), call.GetAgentId(), call.GetCallType(), call.GetAbilityId(),
                    call.GetNotifyId(), call.GetIsAsync(), call.GetJobInfo(), call.GetData())) {
                shown.add(encoded(field.toString()));
            }
            shown.add(call.GetResponseBody());
            call.GetResponseHeaders().forEach((name, value) -> shown.addAll(List.of(name, encoded(value))));
            System.out.println(String.join("\t", shown));
        }
    }

    private static String encoded(String text) {
        return Base64.getEncoder().encodeToString(text.getBytes(UTF_8));
    }

    private static void printThrown(Runnable making) {
        try {
            making.run();
            System.out.println("nothing");
        } catch (IllegalStateException error) {
            System.out.println(error.getMessage());
        }
    }
}
