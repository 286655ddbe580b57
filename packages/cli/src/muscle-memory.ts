import { fail } from '@sfx-deploy/core/errors';

/**
 * Hands that know Serverless Framework 3. What means the same simply works (`info`, `deploy list`); what sfx does in
 * another way is answered with the command to type (SFX1005).
 */

/** Words that mean the same thing in sfx under another name. */
export function translate(argv: readonly string[]): readonly string[] {
  const [first, second, ...rest] = argv;
  if (first === 'deploy' && second === 'list') {
    return rest[0] === 'functions' ? ['status', ...rest.slice(1)] : ['releases', ...rest];
  }
  if (first === 'deploy' && second === 'function') throw instead('deploy function', deployFunction(rest));
  if (first === 'rollback' && second === 'function') {
    throw instead('rollback function', 'sfx rollback', 'A rollback takes back the whole release.');
  }
  if (first === 'invoke' && second === 'local') {
    throw instead(
      'invoke local',
      'sfx deploy --provider local',
      'Then `sfx invoke <function> --provider local`.',
    );
  }
  const command =
    first !== undefined && Object.hasOwn(foreignCommands, first) ? foreignCommands[first] : undefined;
  if (command) throw instead(first!, command.command, command.note);
  return argv;
}

function deployFunction(rest: readonly string[]): string {
  const at = rest.findIndex((word) => word === '-f' || word === '--function');
  const others = rest.filter((_, index) => at === -1 || (index !== at && index !== at + 1));
  return ['sfx deploy --function', (at === -1 ? undefined : rest[at + 1]) ?? '<name>', ...others].join(' ');
}

interface Instead {
  readonly command: string;
  readonly note?: string;
}

const foreignCommands: Readonly<Record<string, Instead>> = {
  create: { command: 'sfx init <folder>' },
  metrics: { command: 'sfx status', note: 'It shows calls and errors by version.' },
  offline: { command: 'sfx dev', note: 'The engine runs on this machine, with all that the file says.' },
  prune: {
    command: 'sfx releases',
    note: 'Old versions are removed by each deploy; `keep` says how many stay.',
  },
};

interface ForeignFlag extends Instead {
  readonly names: readonly string[];
  /** Default: wherever it is used. */
  readonly commands?: readonly string[];
}

const built = 'What was built before is found by its digest.';

/** Flags of v3, with or without value, that sfx has no use for. */
const foreignFlags: readonly ForeignFlag[] = [
  {
    names: ['-t', '--timestamp'],
    commands: ['rollback'],
    command: 'sfx rollback <release>',
    note: 'Releases have numbers: see `sfx releases`.',
  },
  { names: ['-p', '--package'], commands: ['deploy'], command: 'sfx deploy', note: built },
  { names: ['--update-config'], commands: ['deploy'], command: 'sfx deploy --function <name>' },
  {
    names: ['--aws-s3-accelerate', '--no-aws-s3-accelerate', '--minify-template', '--app', '--org'],
    command: 'sfx deploy',
    note: 'Leave it out.',
  },
  { names: ['--enforce-hash-update'], command: 'sfx deploy', note: 'A changed digest makes a new version.' },
  { names: ['--conceal'], command: 'sfx deploy', note: 'Leave it out: sfx never prints a secret.' },
  { names: ['--use-local-credentials'], command: 'sfx deploy', note: 'Leave it out: sfx uses no others.' },
  { names: ['--qualifier'], commands: ['invoke'], command: 'sfx invoke <function> --candidate' },
  { names: ['-l', '--log', '--type', '-t'], commands: ['invoke'], command: 'sfx logs <function>' },
  { names: ['-t', '--tail', '--interval'], commands: ['logs'], command: 'sfx logs <function> --follow' },
  { names: ['--startTime'], commands: ['logs'], command: 'sfx logs --since 10m' },
  { names: ['--filter'], commands: ['logs'], command: 'sfx logs --errors', note: 'Or pipe it into `grep`.' },
  {
    names: ['--template-path', '--template-url'],
    commands: ['init'],
    command: 'sfx init <folder> --template hello',
  },
];

/** Throws SFX1005 when a flag belongs to v3 only. */
export function refuseForeign(command: string, words: readonly string[]): void {
  for (const word of words) {
    if (word === '--') return;
    const name = word.replace(/=.*$/s, '');
    const flag = foreignFlags.find(
      (one) => one.names.includes(name) && (one.commands === undefined || one.commands.includes(command)),
    );
    if (flag) {
      throw instead(`${command} ${name}`, flag.command, flag.note);
    }
  }
}

function instead(theirs: string, command: string, note?: string): Error {
  return fail('SFX1005', `sfx has no \`${theirs}\`; the command is \`${command}\``, {
    ...(note === undefined ? {} : { hint: note }),
    ways: [{ label: 'instead', command }],
  });
}
