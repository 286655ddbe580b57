import assert from 'node:assert/strict';
import * as core from '@sfx-deploy/core';
import * as coreTesting from '@sfx-deploy/core/testing';
import * as plugin from '@sfx-deploy/plugin';
import * as testing from '@sfx-deploy/plugin/testing';

describe('the plugin door', () => {
  it('hands on what core has, and nothing of its own', () => {
    for (const [name, value] of Object.entries(plugin)) {
      assert.equal(value, (core as Record<string, unknown>)[name], name);
    }
  });

  it('has what every provider needs: errors, digests, and compare-and-write', () => {
    const { compareAndWrite, digestOf, fail, isSfxError, sameJson } = plugin;
    for (const helper of [compareAndWrite, digestOf, fail, isSfxError, sameJson]) {
      assert.equal(typeof helper, 'function');
    }
  });

  it('has a door for tests with all that core has for them', () => {
    assert.deepEqual(Object.keys(testing).sort(), Object.keys(coreTesting).sort());
    assert.equal(testing.conformance, coreTesting.conformance);
  });
});
