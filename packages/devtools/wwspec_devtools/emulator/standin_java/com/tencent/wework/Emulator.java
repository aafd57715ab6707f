package com.tencent.wework;

import java.io.IOException;
import java.io.InterruptedIOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.time.Duration;
import java.util.Arrays;
import java.util.regex.Pattern;

/** The way to the emulator that WWSPEC_EMULATOR_URL names, and its zone key. */
final class Emulator {
    private static final Pattern LOOPBACK =
            Pattern.compile("http://(127(\\.\\d{1,3}){3}|localhost|\\[::1]):\\d{1,5}/?");
    private static final HttpClient HTTP = HttpClient.newBuilder()
            .version(HttpClient.Version.HTTP_1_1)
            .proxy(HttpClient.Builder.NO_PROXY)
            .connectTimeout(Duration.ofSeconds(5))
            .build();
    private static final Duration READ_LIMIT = Duration.ofSeconds(30);
    private static final long KEY_REFRESH_NANOS = 1_000_000_000L;

    private static byte[] key;
    private static long keyRead;

    private Emulator() {}

    /** Returns the address of an endpoint. There is no default: in an image there is no emulator. */
    static URI url(String path) {
        String base = System.getenv("WWSPEC_EMULATOR_URL");
        if (base == null || !LOOPBACK.matcher(base).matches()) {
            throw new IllegalStateException("this is the emulator's stand-in for WeCom's SDK: set WWSPEC_EMULATOR_URL "
                    + "to http://127.0.0.1:PORT, as `wwspec emulate --program` does; an image needs WeCom's own SDK");
        }
        return URI.create(base).resolve(path);
    }

    static HttpResponse<byte[]> send(HttpRequest.Builder request) throws IOException {
        try {
            return HTTP.send(request.timeout(READ_LIMIT).build(), HttpResponse.BodyHandlers.ofByteArray());
        } catch (InterruptedException error) {
            Thread.currentThread().interrupt();
            throw new InterruptedIOException();
        }
    }

    static synchronized byte[] key() {
        if (key == null) {
            key = readKey();
        }
        return key;
    }

    /** Returns the key that the emulator has now. Asks once a second at most: anybody can send a wrong request. */
    static synchronized byte[] newerKey(byte[] old) {
        if (Arrays.equals(key, old) && System.nanoTime() - keyRead > KEY_REFRESH_NANOS) {
            key = readKey();
        }
        return key;
    }

    private static byte[] readKey() {
        try {
            HttpResponse<byte[]> answer = send(HttpRequest.newBuilder(url("/emulator/zone-key")));
            if (answer.statusCode() == 200 && answer.body().length == Envelope.KEY_BYTES) {
                keyRead = System.nanoTime();
                return answer.body();
            }
            throw new IOException("it gave no zone key; is another server on its port?");
        } catch (IOException error) {
            throw new IllegalStateException("no emulator answers at " + url("/"), error);
        }
    }
}
