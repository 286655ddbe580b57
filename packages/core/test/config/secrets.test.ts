import assert from 'node:assert/strict';
import { describe, it } from 'mocha';
import { load, refusal, service } from './project.js';

const CANARY = 'c4n4ry-7f3a';
const env = { SECRET: CANARY, CONFIG: CANARY };
const given = { env, options: { key: CANARY }, params: { token: CANARY } };

const fn = (rest: string): string => `functions:\n  list:\n    handler: list.get\n${rest}`;

describe('values from outside', () => {
  it('become refs in the environment of a function, and are kept apart', async () => {
    const text = fn(
      "    environment:\n      A: ${env:SECRET}\n      B: tbl-${env:SECRET}-${opt:stage}\n      C: ${opt:key}\n      D: ${param:token}\n      E: ${self:custom.a}\n      F: ${env:NO, 'plain'}\n      G: x-${self:custom.b}\n      H: ${self:custom.m}\n      I: !Sub '${env:SECRET}'\n      J: ${opt:stage}\n      K: 5\n",
    );
    const loaded = await load(
      service(
        'custom:\n  a: ${env:SECRET}\n  b: ${env:SECRET}.${env:SECRET}\n  m: {k: "${env:SECRET}"}\n',
        text,
      ),
      given,
    );
    const [list] = loaded.service.functions;
    assert.deepEqual(list?.environment, {
      A: { $secret: 'env:SECRET' },
      B: { $secret: 'tbl-${env:SECRET}-dev' },
      C: { $secret: 'opt:key' },
      D: { $secret: 'param:token' },
      E: { $secret: 'env:SECRET' },
      F: 'plain',
      G: { $secret: 'x-${env:SECRET}.${env:SECRET}' },
      H: { k: { $secret: 'env:SECRET' } },
      I: { 'Fn::Sub': { $secret: 'env:SECRET' } },
      J: 'dev',
      K: '5',
    });
    assert.deepEqual(
      [...loaded.secrets].sort(),
      [
        ['env:SECRET', CANARY],
        ['opt:key', CANARY],
        ['param:token', CANARY],
        ['tbl-${env:SECRET}-dev', `tbl-${CANARY}-dev`],
        ['x-${env:SECRET}.${env:SECRET}', `x-${CANARY}.${CANARY}`],
      ].sort(),
    );
  });

  it('are in no document, no diagnostic and no Service', async () => {
    const text = fn(
      '    environment:\n      A: ${env:SECRET}\n      B: "a ${opt:key} b"\n    events:\n      - http: GET /x\n',
    );
    const rest =
      'custom:\n  a: ${param:token}\nplugins: ["${env:SECRET}"]\nresources:\n  Resources:\n    T: {Properties: {Name: "x-${env:SECRET}"}}\n';
    const loaded = await load(service(rest, text), given);
    const { at, ...plainService } = loaded.service;
    assert.ok(
      !JSON.stringify([
        loaded.document,
        loaded.diagnostics,
        plainService,
        at('/functions/list/environment/A'),
      ]).includes(CANARY),
    );
    assert.ok(JSON.stringify(loaded.revealed()).includes(CANARY));
    assert.deepEqual(loaded.service.resources, {
      Resources: { T: { Properties: { Name: { $secret: 'x-${env:SECRET}' } } } },
    });
  });

  it('are in no error, whatever is wrong with them', async () => {
    const wrong = [
      '    memorySize: ${env:SECRET}\n',
      '    timeout: "${env:SECRET}s"\n',
      '    events:\n      - http: ${env:SECRET}\n',
      '    events:\n      - http: "GET /x y${env:SECRET}"\n',
      '    events:\n      - httpApi: {method: "${env:SECRET}", path: /x}\n',
      '    package: {bundle: "${env:SECRET}"}\n',
      '    handler: x\n    runtime: 1\n',
      '    environment: {A: "${self:custom.${env:SECRET}}"}\n',
      '    environment: {A: "${file(./${env:SECRET}.yml)}"}\n',
      '    environment: {A: "${file(../${env:SECRET}.yml)}"}\n',
      '    environment: {A: "${file(./${env:SECRET}.js)}"}\n',
      '    environment: {A: "${env:${env:SECRET}}"}\n',
      '    environment: {A: "${opt:${env:SECRET}}"}\n',
      '    environment: {A: "${param:${env:SECRET}}"}\n',
      '    environment: {A: "${sls:${env:SECRET}}"}\n',
      '    environment: {A: "${strToBool(${env:SECRET})}"}\n',
    ];
    for (const rest of wrong) {
      const error = await refusal(service('', fn(rest)), given);
      assert.equal(error.code === 'SFX2200' || error.code === 'SFX2001', true, rest);
      assert.ok(
        !JSON.stringify([error.message, error.details]).includes(CANARY),
        `${rest}: ${JSON.stringify(error.details.diagnostics)}`,
      );
    }
    const handlers = 'functions:\n  list:\n    handler: "${env:SECRET}.get"\n';
    for (const files of [
      service('', handlers),
      { 'serverless.yml': 'service: ${env:SECRET}_x\nprovider:\n  name: local\n  stage: ${opt:key}_y\n' },
      { ...service('custom: ${file(${env:CONFIG}.yml)}\n'), [`${CANARY}.yml`]: 'a: 1\na: 2\n' },
      service('rollout: {strategy: "${env:SECRET}"}\n'),
      service(
        'rollout: {steps: [{check: "${env:SECRET}"}]}\nchecks: [{name: a, function: "${env:SECRET}", payload: "${env:SECRET}"}]\n',
      ),
    ]) {
      const error = await refusal(files, given);
      assert.ok(
        !JSON.stringify([error.message, error.details]).includes(CANARY),
        JSON.stringify(error.details.diagnostics),
      );
    }
  });
});
