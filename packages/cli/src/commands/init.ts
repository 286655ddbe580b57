import { access, mkdir, writeFile } from 'node:fs/promises';
import { basename, dirname, join, relative, resolve } from 'node:path';
import { fail, messageOf } from '@sfx-deploy/core/errors';
import { count } from '../render/text.js';
import { readTemplate, templateNames } from '../templates.js';
import type { Command } from './definition.js';

export const init: Command = {
  name: 'init',
  group: 'service',
  summary: 'write a small service that deploys as it is',
  scope: 'none',
  positionals: [{ name: 'folder', summary: 'where; made if it is not there', required: true }],
  options: [
    {
      name: 'template',
      alias: 't',
      kind: 'text',
      value: 'name',
      choices: templateNames,
      summary: 'which (default: hello)',
    },
    { name: 'name', kind: 'text', value: 'name', summary: "the service's name (default: the folder's)" },
  ],
  examples: [
    { command: 'sfx init hello', what: 'one function behind one route' },
    { command: 'sfx init ../shop --template shop', what: 'an HTTP API with a queue, a schedule and Python' },
  ],
  async run({ given, host, io, positionals }) {
    const dir = resolve(io.cwd, positionals[0]!);
    const name = given.text('name') ?? serviceName(basename(dir));
    if (!/^[a-z][a-z0-9-]{0,39}$/.test(name)) {
      throw fail('SFX1002', `\`${name}\` cannot be the name of a service`, {
        hint: 'Pass `--name`: small letters, digits and dashes, a letter first, at most 40.',
      });
    }
    const template = given.text('template') ?? 'hello';
    const files = await readTemplate(template, name);
    await refuseExisting(dir, [...files.keys()]);
    for (const [path, text] of files) await write(join(dir, path), text);
    const written = [...files.keys()];
    if (host.json) host.document({ version: 1, dir, service: name, template, files: written });
    else {
      const shown = relative(io.cwd, dir) || '.';
      const handlers = written.filter((path) => path.startsWith('src/')).length;
      const rest = written.filter((path) => !path.startsWith('src/')).join(', ');
      host.report([
        `created ${shown}: ${rest}, ${count(handlers, 'file')} in src. Next: ${shown === '.' ? '' : `cd ${shown} && `}sfx deploy`,
      ]);
    }
    return 0;
  },
};

function serviceName(folder: string): string {
  return folder
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, '-')
    .replace(/^[^a-z]+|-+$/g, '')
    .slice(0, 40);
}

/** Looks at all of them before it writes the first. */
async function refuseExisting(dir: string, paths: readonly string[]): Promise<void> {
  for (const path of ['serverless.yaml', ...paths]) {
    const there = await access(join(dir, path)).then(
      () => true,
      () => false,
    );
    if (there) throw fail('SFX1006', `${join(dir, path)} is there already`);
  }
}

async function write(path: string, text: string): Promise<void> {
  try {
    await mkdir(dirname(path), { recursive: true });
    await writeFile(path, text, { flag: 'wx' });
  } catch (error) {
    throw fail('SFX1007', `${path} cannot be written: ${messageOf(error)}`, { cause: error });
  }
}
