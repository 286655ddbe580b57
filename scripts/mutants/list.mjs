// The mistakes: what is replaced by what, and the tests that must notice. A number that comes twice is the same mistake
// made in another place.
import { decisions } from './list-decisions.mjs';
import { outside } from './list-outside.mjs';
import { writes } from './list-writes.mjs';

export const mistakes = [...writes, ...decisions, ...outside].sort((a, b) => a.number - b.number);
