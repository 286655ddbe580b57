// The mistakes: what is replaced by what, and the tests that must notice. A number that comes twice is the same mistake
// made in another place.
import { chains } from './list-calls.mjs';
import { decisions } from './list-decisions.mjs';
import { doors } from './list-doors.mjs';
import { engineRuns } from './list-engine.mjs';
import { feeds } from './list-feeds.mjs';
import { outside } from './list-outside.mjs';
import { queues } from './list-queues.mjs';
import { telemetry } from './list-telemetry.mjs';
import { writes } from './list-writes.mjs';

export const mistakes = [
  ...writes,
  ...decisions,
  ...outside,
  ...queues,
  ...chains,
  ...feeds,
  ...doors,
  ...telemetry,
  ...engineRuns,
].sort((a, b) => a.number - b.number);
