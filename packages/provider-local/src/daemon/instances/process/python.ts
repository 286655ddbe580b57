import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { adapt } from '@sfx-deploy/runtime';
import { textOf } from '../../refusal.js';
import {
  type Answer,
  type HttpCall,
  type InvokeCall,
  isInvoke,
  JSON_ANSWER,
  type Load,
  THREW,
} from '../calls.js';
import type { Instance, InstanceEvents, InstanceOptions, StartInstance } from '../instance.js';
import type { Child } from './child.js';
import { contextOf, flat, requestOf } from './plain.js';
import { isRaised, startPythonHost } from './python-host.js';
import type { Pythons } from './pythons.js';

/**
 * An instance of a Python handler: a process, one call at a time. What a call brings is given the shape of the `event`
 * style here, by the same code that does it for Node, so that the two cannot differ.
 */
export function pythonBackend(pythons: Pythons): StartInstance {
  const said = new Set<string>();
  return (options, events) => {
    let child: Child | undefined;
    let over = false;
    let handler: Handler | undefined;
    const begin = async () => {
      const { runtime } = options.config;
      const { environment } = options.load;
      const [python, name] = await Promise.all([
        pythons.find(runtime, environment),
        handlerOf(options.folder, options.load.context.function),
      ]);
      if (over) return events.gone('it was ended before it began');
      if (/^python3\.\d+$/.test(runtime) && runtime !== `python${python.version}` && !said.has(runtime)) {
        said.add(runtime);
        events.wrote('engine', `runtime ${runtime}: here it is Python ${python.version} (${python.file})`);
      }
      handler = startHandler(options, events, python.file, name);
      child = handler.child;
    };
    begin().catch((error: unknown) => {
      over = true;
      events.unloadable(textOf(error));
      events.gone(textOf(error));
    });
    return {
      send: (call) => handler?.send(call),
      taken: () => undefined,
      cancel: () => undefined,
      // One call at a time: whoever asks has given that one up.
      ping: () => setImmediate(events.pong),
      terminate() {
        over = true;
        child?.end();
      },
    } satisfies Instance;
  };
}

interface Handler {
  readonly child: Child;
  send(call: HttpCall | InvokeCall): void;
}

/** Calls wait here for their turn: only the one that runs is said to be begun. */
function startHandler(options: InstanceOptions, events: InstanceEvents, file: string, name: string): Handler {
  const { load } = options;
  const host = startPythonHost(options, events, file, name);
  const waiting: (HttpCall | InvokeCall)[] = [];
  let running = false;
  let took = 0;
  const next = () => {
    const call = waiting.shift();
    running = call !== undefined;
    if (call === undefined) return;
    const [id, activation] = call;
    host.child.began(id, activation);
    took += 1;
    events.took(took);
    answerOf(call, load, (event) => host.run(call, event))
      .catch((error: unknown): Answer => {
        // What the handler raised stands in the log with its place; this is what was wrong with its answer.
        if (!isRaised(error)) events.wrote('stderr', textOf(error), activation);
        return [id, THREW, textOf(error)];
      })
      .then((answer) => {
        host.child.done(id);
        events.answered(answer);
        next();
      });
  };
  return {
    child: host.child,
    send(call) {
      waiting.push(call);
      if (!running) next();
    },
  };
}

/** @param run Takes an event as JSON text and gives the result as JSON text. */
async function answerOf(
  call: HttpCall | InvokeCall,
  load: Load,
  run: (event: string) => Promise<string>,
): Promise<Answer> {
  const [id] = call;
  const styled = () => {
    const handler = async (event: unknown, _context: unknown) => JSON.parse(await run(JSON.stringify(event)));
    return adapt(handler, 'handler');
  };
  if (!isInvoke(call)) {
    const { status, headers, body } = await styled().http(requestOf(call), contextOf(call, load));
    return [id, status, flat(headers), body];
  }
  const payload = call[5];
  // Most payloads are the handler's own, and pass as they are, so that no digit of a number is lost.
  if (!/"\$(http|event)"/.test(payload)) return [id, JSON_ANSWER, await run(payload)];
  const result = await styled().invoke(JSON.parse(payload), contextOf(call, load));
  return [id, JSON_ANSWER, JSON.stringify(result) ?? 'null'];
}

/** The handler that the artifact names for a function: `src/stats.handler`. */
async function handlerOf(folder: string, name: string): Promise<string> {
  const text = await readFile(join(folder, `${name}.json`), 'utf8');
  const { handler } = JSON.parse(text) as { readonly handler?: unknown };
  if (typeof handler !== 'string') throw new Error(`${name}.json of the artifact names no handler`);
  return handler;
}
