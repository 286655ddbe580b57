import { parentPort, workerData } from 'node:worker_threads';
import { inside } from './inside/inside.js';
import { processPort } from './process/port.js';

/** What a thread, or a process of its own, runs to be an instance. */
process.setSourceMapsEnabled(true);
if (parentPort === null) {
  inside({ ...processPort(), shared: false });
} else {
  const port = parentPort;
  inside({
    tell: (message, transfer) =>
      transfer === undefined ? port.postMessage(message) : port.postMessage(message, transfer),
    listen: (hear) => void port.on('message', hear),
    begun: (workerData as { begun: Int32Array }).begun,
    shared: true,
  });
}
