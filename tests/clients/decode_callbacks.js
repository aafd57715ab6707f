// WeCom's own library for Node.js: it opens what is given to it, and seals as WeCom would.
// usage: node decode_callbacks.js TOKEN ENCODING_AES_KEY RECEIVE_ID    lines of JSON as in decode_callbacks.py
const readline = require("node:readline");
const { decrypt, encrypt, getSignature } = require("@wecom/crypto");

const [token, key, receiveId] = process.argv.slice(2);

function seal(text) {
  const [timestamp, nonce] = [String(Math.floor(Date.now() / 1000)), "nonce-1"];
  const sealed = encrypt(key, text, receiveId);
  return { encrypt: sealed, msg_signature: getSignature(token, timestamp, nonce, sealed), timestamp, nonce };
}

function open({ encrypt: sealed, msg_signature, timestamp, nonce }) {
  if (getSignature(token, timestamp, nonce, sealed) !== msg_signature) return { refused: "signature" };
  try {
    const { message, id } = decrypt(key, sealed);
    return id === receiveId ? { text: message } : { refused: "id" };
  } catch (error) {
    return { refused: error.name };
  }
}

readline.createInterface({ input: process.stdin }).on("line", (line) => {
  const request = JSON.parse(line);
  console.log(JSON.stringify("seal" in request ? seal(request.seal) : open(request.open)));
});
