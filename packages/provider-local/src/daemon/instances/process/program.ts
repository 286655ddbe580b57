import { textOf } from '../../refusal.js';
import type { Instance, InstanceOptions, StartInstance } from '../instance.js';
import { type Child, startChild } from './child.js';
import { exchanges } from './exchange.js';
import { freePort, listening } from './listening.js';
import { type ProgramCalls, programCalls } from './program-calls.js';

/** Less than what a pool waits for an instance to load, so that it is this that is told. */
const LISTEN_MS = 9_500;

/**
 * An instance of any program that serves HTTP on `$PORT`. Calls over HTTP reach it as they are; an invocation is a
 * `POST /` of its payload, what a trigger delivers a `POST /` of CloudEvents.
 */
export function programBackend(): StartInstance {
  let warned = false;
  return (options, events) => {
    let child: Child | undefined;
    let over = false;
    let calls: ProgramCalls | undefined;
    const stop = new AbortController();
    const begin = async () => {
      const port = await freePort();
      if (over) return events.gone('it was ended before it began');
      child = startChild(
        {
          command: options.config.command ?? [],
          env: { ...environmentOf(options), PORT: String(port) },
          instance: options,
          base: 0,
          pipes: true,
          reason: (why) => (why === 'it exited with code 127' ? `${why}: its command was not found` : why),
        },
        {
          ...events,
          gone(why) {
            stop.abort();
            calls?.close();
            events.gone(why);
          },
        },
      );
      const late = setTimeout(() => stop.abort('late'), LISTEN_MS);
      const at = await listening(port, stop.signal);
      clearTimeout(late);
      if (at === undefined) {
        if (stop.signal.reason === 'late')
          events.unloadable(`it did not listen on $PORT (${port}) within ${LISTEN_MS / 1000} s`);
        return;
      }
      if (at.wide && !warned) {
        warned = true;
        events.wrote(
          'engine',
          'it listens on every address of this machine: others in the network can call it past the engine; bind 127.0.0.1',
        );
      }
      calls = programCalls(options, events, exchanges(port, at), child);
      events.ready();
    };
    begin().catch((error: unknown) => {
      // Nothing of the program runs yet, or what runs is ended by it.
      if (child === undefined) events.gone(textOf(error));
      else child.fail(textOf(error));
    });
    return {
      send: (call) => calls?.send(call),
      taken: (id, bytes) => calls?.taken(id, bytes),
      cancel: (id) => calls?.cancel(id),
      // Others of its calls may go on, and end in their own time.
      ping: () => setImmediate(events.pong),
      terminate() {
        over = true;
        child?.end();
      },
    } satisfies Instance;
  };
}

/** What a handler reads from its context. */
function environmentOf({ load }: InstanceOptions): Record<string, string> {
  const { service, stage, version, release } = load.context;
  return {
    ...load.environment,
    SFX_FUNCTION: load.context.function,
    SFX_VERSION: version,
    SFX_SERVICE: service,
    SFX_STAGE: stage,
    ...(release !== null && { SFX_RELEASE: String(release) }),
  };
}
