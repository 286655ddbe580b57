import type { ErrorRow } from '../errors.js';

export const artifactErrors = {
  SFX2301: {
    kind: 'mistake',
    title: 'handler file not found',
    hint: 'Correct `handler`: a file without its ending, a dot, and the export.',
    exit: 64,
  },
  SFX2302: {
    kind: 'mistake',
    title: 'the code does not bundle',
    hint: 'Correct the marked place.',
    exit: 64,
  },
  SFX2303: {
    kind: 'mistake',
    title: 'a module that cannot be found',
    hint: 'Correct the name, or install the package that has it.',
    exit: 64,
  },
  SFX2304: {
    kind: 'mistake',
    title: 'the handler file has no such export',
    hint: 'Correct `handler`, or export a function of this name.',
    exit: 64,
  },
  SFX2305: {
    kind: 'mistake',
    title: 'the folder for built code cannot be written',
    hint: 'Make room on its disk, or make it writable. It is only a cache and may be deleted.',
    exit: 1,
  },
  SFX2306: {
    kind: 'mistake',
    title: 'a file outside of the project',
    hint: 'Move it into the project, or make it a package that the project depends on.',
    exit: 64,
  },
  SFX2307: {
    kind: 'mistake',
    title: 'two files of one name in an artifact',
    hint: 'Rename the file or the function.',
    exit: 64,
  },
  SFX2308: {
    kind: 'mistake',
    title: 'left out of the artifact',
    hint: 'Name the file itself under `include`, without a wildcard, if it belongs there.',
    exit: 64,
  },
  SFX2309: {
    kind: 'mistake',
    title: 'code that is probably wrong',
    hint: 'Look at the marked place.',
    exit: 64,
  },
  SFX2310: {
    kind: 'mistake',
    title: 'no builder for this kind of unit',
    hint: 'Update sfx or the provider so that they fit each other.',
    exit: 64,
  },
  SFX2311: {
    kind: 'mistake',
    title: 'this file runs only when it is bundled',
    hint: 'Set `bundle: true`, or write the file in JavaScript.',
    exit: 64,
  },
  SFX2312: {
    kind: 'mistake',
    title: 'the bundler could not be started',
    hint: 'Reinstall sfx together with its optional packages; esbuild needs the one for this system.',
    exit: 1,
  },
  SFX2313: {
    kind: 'mistake',
    title: 'an artifact without files',
    hint: 'Correct `package.patterns`, so that they name what the program needs.',
    exit: 64,
  },
  SFX2314: {
    kind: 'mistake',
    title: 'too much for one artifact',
    hint: 'Name what belongs to it under `package.patterns`.',
    exit: 64,
  },
} as const satisfies Record<string, ErrorRow>;
