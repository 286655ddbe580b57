import type { IncomingMessage } from 'node:http';
import { WINDOW } from '../instance.js';

/** The body of an answer on its way, no faster than it is taken. */
export interface BodyStream {
  /** So many bytes were taken. */
  taken(bytes: number): void;
}

/** @param done Called once: the body is whole, or it broke off with an error. */
export function streamBody(
  res: IncomingMessage,
  chunk: (bytes: Buffer) => void,
  done: (error?: unknown) => void,
): BodyStream {
  let left = WINDOW;
  let over = false;
  const end = (error?: unknown) => {
    if (over) return;
    over = true;
    done(error);
  };
  res.on('data', (bytes: Buffer) => {
    left -= bytes.length;
    chunk(bytes);
    if (left <= 0) res.pause();
  });
  res.once('end', () => end());
  res.once('error', end);
  res.once('close', () => end(new Error('it closed the connection before its answer was whole')));
  return {
    taken(bytes) {
      left += bytes;
      if (left > 0) res.resume();
    },
  };
}
