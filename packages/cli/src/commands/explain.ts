import { errorRow, errorTable, fail } from '@sfx-deploy/core/errors';
import { nearest } from '@sfx-deploy/core/nearest';
import { anchorOf, explainLines, tableLines } from '../render/explain.js';
import type { Command } from './definition.js';

export const explain: Command = {
  name: 'explain',
  group: 'sfx',
  summary: 'what an error code means and what to do, offline',
  scope: 'none',
  positionals: [{ name: 'code', summary: 'such as SFX4103; default: all of them' }],
  examples: [{ command: 'sfx explain SFX4103', what: 'whose it is, what to do, how the command ended' }],
  async run({ host, positionals }) {
    const [word] = positionals;
    if (word === undefined) {
      if (host.json) host.document({ version: 1, errors: errorTable });
      else host.report(tableLines(errorTable));
      return 0;
    }
    const code = /^\d{4}$/.test(word) ? `SFX${word}` : word.toUpperCase();
    const row = errorRow(code);
    if (!row) {
      const near = nearest(code, Object.keys(errorTable));
      throw fail(
        'SFX1002',
        `there is no code ${word}${near === undefined ? '' : `; did you mean ${near}?`}`,
        {
          hint: '`sfx explain` lists all of them.',
        },
      );
    }
    if (host.json) host.document({ version: 1, code, ...row, anchor: anchorOf(code) });
    else host.report(explainLines(code, row, host.look));
    return 0;
  },
};
