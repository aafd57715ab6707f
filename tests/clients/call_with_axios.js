// An enterprise app on axios, with WeCom's base URL as it is published. Up to 1.15 axios sends https:// requests in
// absolute form to the proxy, without a tunnel.
// usage: node call_with_axios.js CORPID SECRET PROGRAM_ID ABILITY_ID    prints the answer as a line of JSON
const axios = require("axios");

const [corpid, corpsecret, program_id, ability_id] = process.argv.slice(2);
const wecom = axios.create({ baseURL: "https://qyapi.weixin.qq.com/cgi-bin/" });

async function main() {
  const { data: token } = await wecom.get("gettoken", { params: { corpid, corpsecret } });
  const request = { program_id, ability_id, request_data: JSON.stringify({ limit: 2 }) };
  const params = { access_token: token.access_token };
  const { data } = await wecom.post("chatdata/sync_call_program", request, { params });
  console.log(JSON.stringify(data));
}

main().catch((error) => {
  console.error(`${error.message} ${JSON.stringify(error.response?.data ?? null)}`);
  process.exitCode = 1;
});
