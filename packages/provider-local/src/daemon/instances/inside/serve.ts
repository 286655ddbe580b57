import {
  type HttpCall,
  type InvokeCall,
  isInvoke,
  JSON_ANSWER,
  type Load,
  STREAMED,
  THREW,
} from '../calls.js';
import { type Answers, sendable } from './answers.js';
import type { Flows } from './flows.js';
import { describe, type Handler, type PlainContext, type PlainRequest } from './handler.js';
import type { Running, RunningCalls } from './running.js';

export interface ServeOptions {
  readonly handler: Handler;
  readonly load: Load;
  readonly answers: Answers;
  readonly flows: Flows;
  readonly calls: RunningCalls;
  /** One line for standard error. */
  complain(text: string): void;
}

/** Calls the handler, and answers. */
export function createServe(options: ServeOptions): (call: HttpCall | InvokeCall) => void {
  const { handler, load, answers, flows, calls, complain } = options;
  const { function: name, version, release, service, stage } = load.context;
  const failed = (id: number, thrown: unknown) => {
    complain(describe(thrown, load.root));
    answers.put([id, THREW, thrown instanceof Error ? thrown.message : String(thrown)]);
  };
  const contextOf = (call: HttpCall | InvokeCall): PlainContext => {
    const context = {
      function: name,
      version,
      release,
      service,
      stage,
      requestId: call[1],
      deadline: call[2],
      streams: true as const,
    };
    return call[4] === '' ? context : Object.assign(context, { trace: call[4] });
  };
  const http = async (call: HttpCall, running: Running) => {
    const [id, , , , , method, url, headers, body, params, route, ip, authorizer] = call;
    try {
      const request: PlainRequest = {
        method,
        url,
        headers: pairs(headers),
        body,
        params: params.length === 0 ? {} : Object.fromEntries(pairs(params)),
        route,
      };
      if (ip !== '') Object.assign(request, { ip });
      if (authorizer !== '') Object.assign(request, { authorizer: JSON.parse(authorizer) as unknown });
      const response = await handler.http(request, contextOf(call));
      const sent = flat(response.headers);
      if (response.stream === undefined) {
        answers.put([id, response.status, sent, response.body === null ? null : sendable(response.body)]);
      } else {
        answers.put([id, response.status, sent, STREAMED]);
        // The head goes before its first chunk.
        answers.flush();
        await flows.send(id, response.stream);
      }
    } catch (thrown) {
      failed(id, thrown);
    } finally {
      calls.end(running);
    }
  };
  const invoke = async (call: InvokeCall, running: Running) => {
    try {
      const result = await handler.invoke(JSON.parse(call[5]), contextOf(call));
      answers.put([call[0], JSON_ANSWER, JSON.stringify(result) ?? 'null']);
    } catch (thrown) {
      failed(call[0], thrown);
    } finally {
      calls.end(running);
    }
  };
  return (call) => {
    const running: Running = { id: call[0], requestId: call[1], depth: call[3], trace: call[4] };
    void calls.run(running, () => (isInvoke(call) ? invoke(call, running) : http(call, running)));
  };
}

function pairs(list: readonly string[]): [string, string][] {
  const found: [string, string][] = [];
  for (let n = 0; n < list.length; n += 2) found.push([list[n]!, list[n + 1]!]);
  return found;
}

function flat(list: readonly (readonly [string, string])[]): string[] {
  const found: string[] = [];
  for (const [name, value] of list) found.push(String(name), String(value));
  return found;
}
