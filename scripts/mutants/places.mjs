// Where mistakes are seeded, and the tests that look.
export const release = (name) => `packages/core/src/release/${name}.ts`;
export const memory = (name) => `packages/core/src/testing/memory/${name}.ts`;
export const engine = (name) => `packages/provider-local/src/${name}.ts`;

const protocolTest = (name) => `packages/core/test/release/${name}.test.ts`;

export const conformance = 'packages/core/test/testing/conformance.test.ts';
export const engineConformance = 'packages/provider-local/test/conformance.test.ts';
export const [bake, gc, infra, judge, lease, mistakesTest, select, story, triggers] = [
  'bake',
  'gc',
  'infra',
  'judge',
  'lease',
  'mistakes',
  'select',
  'story',
  'triggers',
].map(protocolTest);
