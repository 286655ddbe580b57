import type { Io, Out } from './io.js';

/** The real process. A reader that goes away (`sfx status | head`) ends the output, not the command. */
export function processIo(): Io {
  const stdout = outOf(process.stdout);
  const stderr = outOf(process.stderr);
  return {
    stdout,
    stderr,
    cwd: process.cwd(),
    env: process.env,
    platform: process.platform,
    get canAsk() {
      // Looking at stdin opens it, which loads half of Node's streams.
      return process.stdin.isTTY === true && stderr.terminal;
    },
    ask,
    readInput,
    now: () => Date.now(),
    every(ms, act) {
      const timer = setInterval(act, ms);
      timer.unref();
      return () => clearInterval(timer);
    },
  };
}

function outOf(stream: NodeJS.WriteStream): Out {
  let closed = false;
  stream.on('error', (error: NodeJS.ErrnoException) => {
    closed = true;
    // EPIPE says that nobody reads; anything else (a full disk behind `>`) is told by the exit code.
    if (error.code !== 'EPIPE' && process.exitCode === undefined) process.exitCode = 1;
  });
  return {
    write(text) {
      if (!closed) stream.write(text);
    },
    terminal: stream.isTTY === true,
    get columns() {
      // Some terminals say 0.
      return stream.columns || 80;
    },
    get closed() {
      return closed;
    },
  };
}

async function ask(question: string): Promise<string> {
  // Only who is asked pays for it.
  const { createInterface } = await import('node:readline/promises');
  const asking = createInterface({ input: process.stdin, output: process.stderr });
  try {
    return await asking.question(question);
  } finally {
    asking.close();
  }
}

async function readInput(): Promise<string> {
  const parts: Buffer[] = [];
  for await (const part of process.stdin) parts.push(part as Buffer);
  return Buffer.concat(parts).toString('utf8');
}
