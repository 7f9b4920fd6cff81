import type { Context } from "hono";
import type { AppEnv, AppSetting } from "./app-setting.ts";
import { digestTag, taggedJson } from "./etag.ts";
import { openApiDocument } from "./openapi/document.ts";

/** `GET /openapi.json`, for anybody: the description of the application, made at the first request for it and kept. */
export function openApiRoute({ service, api = { title: "Evenant", version: "0" } }: AppSetting) {
  let making: Promise<{ readonly text: string; readonly tag: string }> | undefined;
  const make = async () => {
    const text = JSON.stringify(openApiDocument(service, api));
    return { text, tag: await digestTag(text) };
  };
  return async (context: Context<AppEnv>): Promise<Response> => {
    making ??= make();
    const { text, tag } = await making;
    return taggedJson(context, text, tag);
  };
}
