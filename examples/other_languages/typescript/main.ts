// An app that makes a call, and prints the port of its callback URL, then each event that it is notified of.
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { call } from "./call";
import { open } from "./callback";
import type { ChatDigestInput, ChatDigestOutput, GetCallbackDataOutput } from "./program/program";

const env = process.env as Record<string, string>;

/** A process keeps its token until it expires, and asks for another when WeCom refuses it. */
async function newToken(): Promise<string> {
  const query = new URLSearchParams({ corpid: env.WWSPEC_CORPID, corpsecret: env.WWSPEC_CORPSECRET });
  const answer: any = await (await fetch(`${env.WWSPEC_BASE_URL}/cgi-bin/gettoken?${query}`)).json();
  if (answer.errcode) throw new Error(`${answer.errcode} ${answer.errmsg}`);
  return answer.access_token;
}

async function main(): Promise<void> {
  const token = await newToken();
  const request: ChatDigestInput = { limit: 100 };
  const to = { program_id: env.WWSPEC_PROGRAM_ID, ability_id: "chat_digest" };
  const digest = await call<ChatDigestOutput>(token, to, request);
  console.log(digest.messages);

  const fetchEvent = async (xml: string): Promise<void> => {
    const notify_id = /<NotifyId><!\[CDATA\[(.*?)\]\]>/.exec(xml)?.[1];
    const to = { program_id: env.WWSPEC_PROGRAM_ID, ability_id: "get_callback_data", notify_id };
    console.log((await call<GetCallbackDataOutput>(token, to, {})).event_type);
  };
  const server = createServer(async (request, response) => {
    const query = new URL(request.url ?? "", "http://localhost").searchParams;
    let body = "";
    for await (const chunk of request) body += chunk;
    const sealed = query.get("echostr") ?? /<Encrypt><!\[CDATA\[(.*?)\]\]>/.exec(body)?.[1] ?? "";
    try {
      const text = open(env.CALLBACK_TOKEN, env.CALLBACK_KEY, env.WWSPEC_CORPID, query, sealed);
      response.end(request.method === "GET" ? text : "");
      if (request.method === "POST") await fetchEvent(text); // after the answer, for which WeCom does not wait long
    } catch (error) {
      console.error(error);
      if (!response.writableEnded) response.writeHead(403).end();
    }
  });
  server.listen(0, "127.0.0.1", () => console.log((server.address() as AddressInfo).port));
}

main();
