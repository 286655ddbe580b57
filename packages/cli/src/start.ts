import { processIo } from './host/process-io.js';
import { main } from './main.js';

/** When a stop is asked for a second time, nothing is waited for. */
const STOPPED = 4;

/**
 * Runs the process's own command line. Ctrl-C or SIGTERM lets the write under way finish; the second one ends at once.
 */
export async function start(argv: readonly string[] = process.argv.slice(2)): Promise<void> {
  const controller = new AbortController();
  const stop = (): void => {
    if (controller.signal.aborted) process.exit(STOPPED);
    controller.abort();
  };
  process.on('SIGINT', stop);
  process.on('SIGTERM', stop);
  const exit = await main(argv, processIo(), controller.signal);
  process.off('SIGINT', stop);
  process.off('SIGTERM', stop);
  process.exitCode = process.exitCode === undefined || process.exitCode === 0 ? exit : process.exitCode;
}
