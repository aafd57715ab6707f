import { decrypt, getSignature } from "@wecom/crypto";

/** Verify and open what comes to the callback URL: the echostr of a GET, the Encrypt of a POST. */
export function open(token: string, key: string, receiver: string, query: URLSearchParams, sealed: string): string {
  const [timestamp, nonce] = [query.get("timestamp") ?? "", query.get("nonce") ?? ""];
  if (getSignature(token, timestamp, nonce, sealed) !== query.get("msg_signature")) throw new Error("signature");
  const { message, id } = decrypt(key, sealed);
  if (id !== receiver) throw new Error("for another receiver");
  return message;
}
