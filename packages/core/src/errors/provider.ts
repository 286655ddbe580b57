import type { ErrorRow } from '../errors.js';

export const providerErrors = {
  SFX3001: {
    kind: 'mistake',
    title: 'provider not found',
    hint: 'Install its package, or name one that `sfx providers` lists.',
    exit: 64,
  },
  SFX3002: {
    kind: 'mistake',
    title: 'provider could not be loaded',
    hint: 'Reinstall its package.',
    exit: 64,
  },
  SFX3003: {
    kind: 'mistake',
    title: 'not a provider',
    hint: 'Its package must export what the plugin door describes.',
    exit: 64,
  },
  SFX3004: {
    kind: 'mistake',
    title: 'provider of another contract version',
    hint: 'Install a version that fits this sfx.',
    exit: 64,
  },
  SFX3005: {
    kind: 'mistake',
    title: 'the provider cannot do this',
    hint: 'Choose one of the ways out.',
    exit: 64,
  },
  SFX3101: {
    kind: 'provider',
    title: 'provider call failed',
    hint: "See the request id and the provider's own status.",
    exit: 1,
  },
  SFX3102: {
    kind: 'provider',
    title: 'provider did not answer',
    hint: 'Check the connection and try again.',
    exit: 1,
  },
  SFX3103: {
    kind: 'provider',
    title: 'provider asked to slow down',
    hint: 'Try again later; sfx waited as long as it was asked to.',
    exit: 1,
  },
  SFX3104: {
    kind: 'provider',
    title: 'not allowed by the provider',
    hint: 'Grant the named action on the named resource.',
    exit: 1,
  },
  SFX3105: {
    kind: 'provider',
    title: 'a version is gone',
    hint: 'Choose a release that is whole: `sfx releases`.',
    exit: 1,
  },
  SFX3106: {
    kind: 'provider',
    title: 'a candidate did not come up',
    hint: 'What it wrote last is shown, where it wrote anything; no traffic moved.',
    exit: 1,
  },
  SFX3107: {
    kind: 'provider',
    title: 'version still has an alias',
    hint: 'Nothing to do: it stays until nothing names it.',
    exit: 1,
  },
  SFX3108: {
    kind: 'conflict',
    title: 'a resource that sfx did not make',
    hint: 'Rename yours, or remove the other one.',
    exit: 1,
  },
} as const satisfies Record<string, ErrorRow>;
