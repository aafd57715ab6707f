const wecom = process.env.WWSPEC_BASE_URL ?? "https://qyapi.weixin.qq.com";

/** Call an ability. The reply's errcode is the program's. */
export async function call<Reply>(token: string, to: object, request: object): Promise<Reply> {
  const body = JSON.stringify({ ...to, request_data: JSON.stringify(request) });
  const path = "/cgi-bin/chatdata/sync_call_program?access_token=";
  const response = await fetch(wecom + path + token, { method: "POST", body });
  const answer: any = await response.json();
  if (answer.errcode) throw new Error(`${answer.errcode} ${answer.errmsg}`);
  return JSON.parse(answer.response_data);
}
