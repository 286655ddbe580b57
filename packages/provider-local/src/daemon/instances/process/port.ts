import type { Duplex } from 'node:stream';
import type { FromWorker, ToWorker } from '../calls.js';
import { frames } from './frames.js';

/** What a process says beside what a thread says: an error that nobody caught, on its way to the end. */
export interface Uncaught {
  readonly kind: 'uncaught';
  readonly text: string;
}

const CHANNEL = 4;

/**
 * The end of the channel that is inside a process, over a descriptor of its own: `process.send` stays what it is for a
 * program that nobody forked, and no handler writes into the engine's messages.
 */
export function processPort() {
  // A thread needs neither of these modules, so they are loaded here.
  const { Socket } = process.getBuiltinModule('node:net');
  const { deserialize, serialize } = process.getBuiltinModule('node:v8');
  const socket: Duplex = new Socket({ fd: CHANNEL, readable: true, writable: true });
  // Without its engine nobody calls it.
  const leave = () => process.exit();
  socket.on('end', leave);
  socket.on('error', leave);
  let heard: (message: ToWorker) => void = () => undefined;
  const { write } = frames(socket, (body) => heard(deserialize(body) as ToWorker), leave);
  process.on('uncaughtExceptionMonitor', (error) => {
    const message: Uncaught = {
      kind: 'uncaught',
      text: error instanceof Error ? error.message : String(error),
    };
    write(serialize(message));
  });
  return {
    tell: (message: FromWorker) => write(serialize(message)),
    listen: (hear: (message: ToWorker) => void) => {
      heard = hear;
    },
  };
}
