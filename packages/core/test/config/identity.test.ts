import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, it } from 'mocha';
import { loadIdentity } from '../../src/config/index.js';
import { isSfxError } from '../../src/errors.js';
import { simulatedRun } from '../../src/testing/index.js';

const rejectsWith = (code: string) => (error: unknown) => isSfxError(error) && error.code === code;

describe('who a service is', () => {
  let dir: string;
  beforeEach(() => {
    dir = mkdtempSync(join(tmpdir(), 'sfx-identity-'));
  });
  afterEach(() => rmSync(dir, { recursive: true }));
  const load = (
    text: string,
    extra: { stage?: string; provider?: string } = {},
    env: Record<string, string> = {},
  ) => {
    writeFileSync(join(dir, 'serverless.yml'), text);
    return loadIdentity({ cwd: dir, options: {}, params: {}, ...extra }, simulatedRun({ env }));
  };

  it('is read from a file whose functions are wrong, unknown or need values that are missing', async () => {
    const identity = await load(
      [
        'service: shop',
        'provider:',
        '  name: local',
        '  stage: prod',
        "  port: ${env:PORT, '4100'}",
        '  environment:',
        '    KEY: ${env:NOT_SET}',
        'functons: {}',
        'functions:',
        '  list:',
        '    handler: nowhere.get',
        '    environment:',
        '      KEY: ${env:NOT_SET}',
        '',
      ].join('\n'),
    );
    assert.equal(identity.name, 'shop');
    assert.equal(identity.stage, 'prod');
    assert.deepEqual(identity.provider, { name: 'local', options: { port: '4100' } });
  });

  it('takes service as a mapping, provider as a word, stage and provider of the command line', async () => {
    const identity = await load('service: { name: a }\nprovider: aws\n', {
      stage: 'test',
      provider: 'local',
    });
    assert.deepEqual(
      [identity.name, identity.stage, identity.provider.name, identity.provider.options],
      ['a', 'test', 'local', {}],
    );
  });

  it('fails where even that cannot be told: a missing value that says where it is, no name, no file', async () => {
    await assert.rejects(
      load('service: a\nprovider: { name: local, port: "${env:PORT}" }\n'),
      rejectsWith('SFX2200'),
    );
    await assert.rejects(load('provider: local\n'), rejectsWith('SFX1004'));
    await assert.rejects(load('service: [\n'), rejectsWith('SFX2200'));
    rmSync(join(dir, 'serverless.yml'));
    await assert.rejects(
      loadIdentity({ cwd: dir, options: {}, params: {} }, simulatedRun()),
      rejectsWith('SFX1004'),
    );
  });
});
