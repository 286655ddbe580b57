import type { ErrorRow } from '../errors.js';

export const cliErrors = {
  SFX1001: {
    kind: 'mistake',
    title: 'unknown command or option',
    hint: 'See `sfx --help`.',
    exit: 64,
  },
  SFX1002: {
    kind: 'mistake',
    title: 'wrong value for an option',
    hint: "See the command's `--help`.",
    exit: 64,
  },
  SFX1003: {
    kind: 'mistake',
    title: 'confirmation needed',
    hint: 'Pass `--yes`: without a terminal sfx asks nothing.',
    exit: 64,
  },
  SFX1004: {
    kind: 'mistake',
    title: 'no configuration file',
    hint: 'Run in a folder with a serverless.yml, pass `--config`, or name the service with `--service` and `--provider`.',
    exit: 64,
  },
  SFX1005: {
    kind: 'mistake',
    title: 'a flag of Serverless Framework that sfx does not have',
    hint: 'Use the command that is named.',
    exit: 64,
  },
  SFX1006: {
    kind: 'mistake',
    title: 'file exists already',
    hint: 'Choose another folder; sfx overwrites nothing.',
    exit: 64,
  },
  SFX1007: {
    kind: 'mistake',
    title: 'a file could not be read or written',
    hint: 'Check that the path exists and that you may use it.',
    exit: 64,
  },
  SFX1008: {
    kind: 'mistake',
    title: 'the local engine cannot be reached by name',
    hint: 'Install `@sfx-deploy/provider-local` beside the project.',
    exit: 64,
  },
  SFX1009: {
    kind: 'mistake',
    title: 'the project cannot be watched',
    hint: 'Check that its folders can be read.',
    exit: 64,
  },
  SFX1010: {
    kind: 'mistake',
    title: 'there are no tests to run',
    hint: 'Give package.json a script `test`, or name the command: `sfx test -- npm run check`.',
    exit: 64,
  },
  SFX1011: {
    kind: 'mistake',
    title: 'a command did not run',
    hint: 'Check that the program is installed, and its name.',
    exit: 1,
  },
  SFX9001: {
    kind: 'defect',
    title: 'defect in sfx',
    hint: 'Run again with `--debug` and report what it prints.',
    exit: 70,
  },
} as const satisfies Record<string, ErrorRow>;
