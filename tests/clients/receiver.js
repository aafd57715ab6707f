// An enterprise app's callback URL in Node.js: WeCom's own library verifies and decrypts what comes in.
// usage: node receiver.js TOKEN ENCODING_AES_KEY    prints its port, then each decrypted callback as a line of JSON
const http = require("node:http");
const { decrypt, getSignature } = require("@wecom/crypto");

const [token, key] = process.argv.slice(2);

function open(query, encrypted) {
  const signature = getSignature(token, query.get("timestamp"), query.get("nonce"), encrypted);
  if (signature !== query.get("msg_signature")) throw new Error("signature");
  return decrypt(key, encrypted);
}

const server = http.createServer((request, response) => {
  const query = new URL(request.url, "http://localhost").searchParams;
  const chunks = [];
  request.on("data", (chunk) => chunks.push(chunk));
  request.on("end", () => {
    try {
      if (request.method === "GET") {
        response.end(open(query, query.get("echostr")).message);
        return;
      }
      const body = Buffer.concat(chunks).toString();
      const { message, id } = open(query, /<Encrypt><!\[CDATA\[(.*?)\]\]>/.exec(body)[1]);
      console.log(JSON.stringify({ message, id }));
      response.end();
    } catch (error) {
      response.writeHead(403).end();
    }
  });
});
server.listen(0, "127.0.0.1", () => console.log(server.address().port));
