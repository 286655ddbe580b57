import assert from 'node:assert/strict';
import { matters, type Sources, unknownSources } from '../../src/dev/relevance.js';

const node = { kind: 'node', host: 'local', bundle: true, include: [], entries: [] };
const known: Sources = {
  dir: '/p',
  configFiles: new Set(['/p/serverless.yml', '/p/config/dev.yml']),
  origins: {
    files: new Set(['/p/src/list.ts', '/p/package.json', '/shared/lib.ts']),
    folders: new Set(['/p/src']),
  },
  builds: [node],
};

describe('whether a change matters', () => {
  it('of what was built from and configured with, and of what may shadow it', () => {
    for (const path of [
      '/p/src/list.ts',
      '/p/src/list.mts',
      '/shared/lib.ts',
      '/p/serverless.yml',
      '/p/config/dev.yml',
      '/p/.env',
      '/p/.env.dev',
      '/p/package.json',
    ])
      assert.equal(matters(path, known), true, path);
  });

  it('and of nothing else', () => {
    for (const path of [
      '/p/README.md',
      '/p/src/.hidden',
      '/p/src/deep/other.ts',
      '/p/data/x.db',
      '/p/sub/.env',
    ])
      assert.equal(matters(path, known), false, path);
  });

  it('of any file of the project while nothing is known, or where a build may take anything', () => {
    assert.equal(matters('/p/README.md', unknownSources('/p')), true);
    assert.equal(matters('/elsewhere/x', unknownSources('/p')), false);
    for (const build of [
      { ...node, include: ['assets/**'] },
      { ...node, bundle: false },
      { kind: 'files' },
      null,
    ])
      assert.equal(
        matters('/p/assets/x.txt', { ...known, builds: [node, build] }),
        true,
        JSON.stringify(build),
      );
  });
});
