import static java.nio.charset.StandardCharsets.UTF_8;

import java.math.BigInteger;
import java.nio.ByteBuffer;
import java.security.*;
import java.util.*;
import javax.crypto.Cipher;
import javax.crypto.spec.*;

final class Callback {
    /** Verify and open what comes to the callback URL: the echostr of a GET, the Encrypt of a POST. */
    static String open(String token, String aesKey, String receiver, Map<String, String> query, String sealed)
            throws GeneralSecurityException {
        String[] signed = {token, query.getOrDefault("timestamp", ""), query.getOrDefault("nonce", ""), sealed};
        Arrays.sort(signed);
        byte[] digest = MessageDigest.getInstance("SHA-1").digest(String.join("", signed).getBytes(UTF_8));
        byte[] expected = String.format("%040x", new BigInteger(1, digest)).getBytes(UTF_8);
        byte[] given = query.getOrDefault("msg_signature", "").getBytes(UTF_8);
        if (!MessageDigest.isEqual(expected, given)) throw new SignatureException("signature");

        byte[] key = Base64.getDecoder().decode(aesKey + "=");
        Cipher cipher = Cipher.getInstance("AES/CBC/NoPadding"); // the padding is to 32 bytes: off by hand
        cipher.init(Cipher.DECRYPT_MODE, new SecretKeySpec(key, "AES"), new IvParameterSpec(key, 0, 16));
        byte[] plain = cipher.doFinal(Base64.getDecoder().decode(sealed));
        int length = ByteBuffer.wrap(plain).getInt(16); // after 16 random bytes; then text and receiver
        int end = plain.length - plain[plain.length - 1];
        if (!new String(plain, 20 + length, end - 20 - length, UTF_8).equals(receiver))
            throw new SignatureException("for another receiver");
        return new String(plain, 20, length, UTF_8);
    }
}
