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

/** Only the tests of a file whose titles hold one of these texts. */
export const only = (file, ...titles) => ({ file, titles });

const localTest = (name) => `packages/provider-local/test/${name}.test.ts`;
const daemonTest = (name) => localTest(`daemon/${name}`);

export const local = Object.fromEntries(
  [
    'activations',
    'admin',
    'door',
    'guards',
    'http',
    'http-authorizer',
    'http-protocol',
    'http-streams',
    'observe',
    'output',
    'pool',
    'process-engine',
    'program',
    'queues',
    'secrets',
    'streams',
    'telemetry',
    'telemetry-events',
    'traffic',
  ].map((name) => [name, localTest(name)]),
);
export const daemon = Object.fromEntries(
  [
    'bucket',
    'bucket-brake',
    'cron',
    'dead-letters',
    'journal',
    'later',
    'logs',
    'otlp',
    'pump',
    'queue',
    'schedule',
    'topics',
  ].map((name) => [name, daemonTest(name)]),
);
