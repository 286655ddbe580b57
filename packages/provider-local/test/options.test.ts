import assert from 'node:assert/strict';
import { settingsOf } from '../src/options.js';
import { rejectsWith } from './assertions.js';

describe('settings of the engine', () => {
  const env = { SFX_LOCAL_HOME: '/nowhere' };

  it('say how many blanks and how long idle instances are kept, the environment before the file', () => {
    const file = { blanks: 2, idle: '30s' };
    const { blanks, idleMs } = settingsOf(file, env);
    assert.deepEqual([blanks, idleMs], [2, 30_000]);
    const other = settingsOf(file, { ...env, SFX_LOCAL_BLANKS: '0', SFX_LOCAL_IDLE: '2m' });
    assert.deepEqual([other.blanks, other.idleMs], [0, 120_000]);
    const none = settingsOf({}, { ...env, SFX_LOCAL_BLANKS: '', SFX_LOCAL_IDLE: '' });
    assert.deepEqual([none.blanks, none.idleMs], [undefined, undefined]);
  });

  it('are refused when they are none', async () => {
    for (const wrong of ['-1', '17', '1.5', 'many'])
      await rejectsWith('SFX6010', (async () => settingsOf({}, { ...env, SFX_LOCAL_BLANKS: wrong }))());
    for (const wrong of ['soon', '-1', '5x'])
      await rejectsWith('SFX6010', (async () => settingsOf({ idle: wrong }, env))());
  });
});
