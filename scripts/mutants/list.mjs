// The mistakes: what is replaced by what, and the tests that must notice. A number that comes twice is the same mistake
// made in another place.
import { outside } from './list-outside.mjs';
import { protocol } from './list-protocol.mjs';

export const mistakes = [...protocol, ...outside].sort((a, b) => a.number - b.number);
