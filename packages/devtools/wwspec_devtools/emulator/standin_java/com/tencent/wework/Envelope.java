package com.tencent.wework;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.math.BigInteger;
import java.security.GeneralSecurityException;
import java.security.MessageDigest;
import java.security.SecureRandom;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Base64;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import javax.crypto.Cipher;
import javax.crypto.Mac;
import javax.crypto.spec.GCMParameterSpec;
import javax.crypto.spec.SecretKeySpec;

/** The emulator's own envelope of calls and replies. It is not WeCom's, which is not published. */
final class Envelope {
    static final int KEY_BYTES = 32;
    static final String REQUEST_ID = "ww-request-id";

    private static final String VERSION = "1";
    private static final Set<String> NAMES =
            Set.of("ww-seal", "ww-kind", REQUEST_ID, "ww-timestamp", "ww-signature");
    private static final int CALL_FIELDS = 8;
    private static final int NONCE_BYTES = 12;
    private static final int TAG_BITS = 128;
    private static final SecureRandom RANDOM = new SecureRandom();

    private Envelope() {}

    /** Verifies and decrypts a call, and returns its fields; throws unless the emulator has sealed it with this key. */
    static List<String> openCall(byte[] key, Map<String, String> headers, String body) throws GeneralSecurityException {
        Map<String, String> sealed = new HashMap<>(headers);
        sealed.keySet().removeIf(name -> !name.toLowerCase(Locale.ROOT).startsWith("ww-"));
        if (!sealed.keySet().equals(NAMES)) {
            throw new GeneralSecurityException("its ww- headers are " + sealed.keySet() + ", not " + NAMES);
        }
        String kind = sealed.get("ww-kind");
        String expected = sign(key, kind, sealed.get(REQUEST_ID), sealed.get("ww-timestamp"), body);
        boolean genuine = MessageDigest.isEqual(expected.getBytes(UTF_8), sealed.get("ww-signature").getBytes(UTF_8));
        if (!genuine || !kind.equals("call") || !sealed.get("ww-seal").equals(VERSION)) {
            throw new GeneralSecurityException("the signature does not fit: altered, or sealed with another key");
        }
        byte[] whole = Base64.getDecoder().decode(body);
        byte[] nonce = Arrays.copyOf(whole, NONCE_BYTES);
        byte[] rest = Arrays.copyOfRange(whole, NONCE_BYTES, whole.length);
        return unpack(new String(cipher(Cipher.DECRYPT_MODE, key, nonce).doFinal(rest), UTF_8));
    }

    /** Encrypts the text of a reply into its body. */
    static String encrypt(byte[] key, String text) throws GeneralSecurityException {
        byte[] nonce = new byte[NONCE_BYTES];
        RANDOM.nextBytes(nonce);
        byte[] rest = cipher(Cipher.ENCRYPT_MODE, key, nonce).doFinal(text.getBytes(UTF_8));
        byte[] whole = Arrays.copyOf(nonce, NONCE_BYTES + rest.length);
        System.arraycopy(rest, 0, whole, NONCE_BYTES, rest.length);
        return Base64.getEncoder().encodeToString(whole);
    }

    /** Returns the headers of a reply: kind is reply, or exception when the call did not open. */
    static Map<String, String> replyHeaders(byte[] key, String kind, String requestId, String body)
            throws GeneralSecurityException {
        String timestamp = Long.toString(System.currentTimeMillis() / 1000);
        String signature = sign(key, kind, requestId, timestamp, body);
        return Map.of("ww-seal", VERSION, "ww-kind", kind, REQUEST_ID, requestId, "ww-timestamp", timestamp,
                "ww-signature", signature);
    }

    private static String sign(byte[] key, String kind, String requestId, String timestamp, String body)
            throws GeneralSecurityException {
        Mac mac = Mac.getInstance("HmacSHA256");
        mac.init(new SecretKeySpec(derive("sign", key), "HmacSHA256"));
        byte[] signature = mac.doFinal(pack(VERSION, kind, requestId, timestamp, body).getBytes(UTF_8));
        return String.format("%064x", new BigInteger(1, signature));
    }

    private static Cipher cipher(int mode, byte[] key, byte[] nonce) throws GeneralSecurityException {
        Cipher cipher = Cipher.getInstance("AES/GCM/NoPadding");
        cipher.init(mode, new SecretKeySpec(derive("encrypt", key), "AES"), new GCMParameterSpec(TAG_BITS, nonce));
        return cipher;
    }

    private static byte[] derive(String purpose, byte[] key) throws GeneralSecurityException {
        MessageDigest digest = MessageDigest.getInstance("SHA-256");
        digest.update(purpose.getBytes(UTF_8));
        return digest.digest(key);
    }

    /** Joins fields: before each but the last its length in code points, not in chars, and a colon. */
    private static String pack(String... fields) {
        StringBuilder packed = new StringBuilder();
        for (String field : Arrays.copyOf(fields, fields.length - 1)) {
            packed.append(field.codePointCount(0, field.length())).append(':').append(field);
        }
        return packed.append(fields[fields.length - 1]).toString();
    }

    private static List<String> unpack(String packed) {
        List<String> fields = new ArrayList<>();
        int start = 0;
        while (fields.size() < CALL_FIELDS - 1) {
            int colon = packed.indexOf(':', start);
            int length = Integer.parseInt(packed.substring(start, colon));
            start = packed.offsetByCodePoints(colon + 1, length);
            fields.add(packed.substring(colon + 1, start));
        }
        fields.add(packed.substring(start));
        return fields;
    }
}
