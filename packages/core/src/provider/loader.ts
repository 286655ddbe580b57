import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { fail, isSfxError, messageOf } from '../errors.js';
import { isObject } from '../json.js';
import type { Capabilities, Provider } from './contract.js';

/** The contract version that this sfx speaks. */
export const API_VERSION = 0;

const NAME = /^[a-z][a-z0-9-]*$/;

/** Packages that may hold a provider of this name: ours, then anybody's. */
export function packagesOf(name: string): readonly string[] {
  return [`@sfx-deploy/provider-${name}`, `sfx-provider-${name}`];
}

/**
 * Finds and loads a provider by name: from the project's folder, then from where sfx itself is installed. A name that
 * holds `/` or `@` is a package of its own (`@acme/sfx-provider-edge`).
 * Errors: SFX3001 (not found), SFX3002 (does not load), SFX3003 (not a provider), SFX3004 (other contract version).
 */
export async function loadProvider(name: string, projectDir: string, sfxDir: string): Promise<Provider> {
  const found = locate(name, [projectDir, sfxDir]);
  if (found === undefined) {
    const known = providerPackages([projectDir, sfxDir]).map((one) => one.name);
    throw fail('SFX3001', `there is no provider ${JSON.stringify(name)} here`, {
      hint: `${known.length === 0 ? 'None is installed' : `There ${known.length === 1 ? 'is' : 'are'}: ${known.join(', ')}`}. A provider is a package called ${packagesOf(NAME.test(name) ? name : 'NAME').join(' or ')}.`,
    });
  }
  return loadFrom(name, found.entry);
}

async function loadFrom(name: string, entry: string): Promise<Provider> {
  let module: Record<string, unknown>;
  try {
    // CommonJS is loaded without the loader of ES modules, which costs a tenth of a short command.
    const loaded: unknown = entry.endsWith('.cjs')
      ? createRequire(entry)(entry)
      : await import(pathToFileURL(entry).href);
    module = loaded as Record<string, unknown>;
  } catch (error) {
    throw fail('SFX3002', `provider ${name} does not load: ${messageOf(error)}`, { cause: error });
  }
  const provider = module['provider'] ?? module['default'];
  refuseOther(name, provider);
  return provider as Provider;
}

function refuseOther(name: string, value: unknown): void {
  const wrong = (what: string) => fail('SFX3003', `the package of provider ${name} ${what}`);
  if (!isObject(value)) throw wrong('exports neither `provider` nor a default');
  if (value['apiVersion'] !== API_VERSION) {
    throw fail(
      'SFX3004',
      `provider ${name} speaks contract version ${String(value['apiVersion'])}; this sfx speaks ${API_VERSION}`,
    );
  }
  for (const key of ['compile', 'connect'])
    if (typeof value[key] !== 'function') throw wrong(`has no ${key}()`);
  if (typeof value['name'] !== 'string' || !isObject(value['documented']))
    throw wrong('has no name or no documented capabilities');
}

interface Located {
  readonly entry: string;
  readonly package: string;
}

function locate(name: string, from: readonly string[]): Located | undefined {
  const candidates = /[@/]/.test(name) ? [name] : packagesOf(name);
  for (const dir of from) {
    for (const candidate of candidates) {
      const entry = resolveEntry(candidate, dir);
      if (entry !== undefined) return { entry, package: candidate };
    }
  }
  return undefined;
}

/** The file that an import of the package would load, by its `exports`; undefined when it is not installed. */
function resolveEntry(name: string, from: string): string | undefined {
  for (const modules of createRequire(join(from, 'noop.js')).resolve.paths(name) ?? []) {
    const dir = join(modules, name);
    const manifest = readManifest(dir);
    if (manifest === undefined) continue;
    const entry = entryOf(manifest);
    if (entry !== undefined) return join(dir, entry);
  }
  return undefined;
}

function readManifest(dir: string): Record<string, unknown> | undefined {
  const path = join(dir, 'package.json');
  if (!existsSync(path)) return undefined;
  try {
    const value: unknown = JSON.parse(readFileSync(path, 'utf8'));
    return isObject(value) ? value : undefined;
  } catch (error) {
    throw fail('SFX3002', `${path} cannot be read: ${messageOf(error)}`, { cause: error });
  }
}

/** Conditions in the order in which `import` would try them; `sfx-source` only when Node was started with it. */
function entryOf(manifest: Record<string, unknown>): string | undefined {
  const conditions = [
    ...(process.execArgv.join(' ').includes('sfx-source') ? ['sfx-source'] : []),
    'import',
    'node',
    'default',
  ];
  const pick = (value: unknown): string | undefined => {
    if (typeof value === 'string') return value;
    if (!isObject(value)) return undefined;
    for (const [key, inner] of Object.entries(value)) {
      const found = conditions.includes(key) ? pick(inner) : undefined;
      if (found !== undefined) return found;
    }
    return undefined;
  };
  const exported = manifest['exports'];
  const main = isObject(exported) && '.' in exported ? exported['.'] : exported;
  return pick(main) ?? (typeof manifest['main'] === 'string' ? manifest['main'] : undefined);
}

export interface ProviderEntry {
  readonly name: string;
  readonly package: string;
  readonly version: string;
  readonly apiVersion: number | null;
  readonly capabilities: Capabilities | null;
  /** Why it cannot be used. */
  readonly problem?: string;
}

/** Provider packages installed for the project and beside sfx, by name. */
export function providerPackages(
  from: readonly string[],
): readonly { readonly name: string; readonly package: string; readonly dir: string }[] {
  const found = new Map<string, { name: string; package: string; dir: string }>();
  for (const modules of from.flatMap((dir) => createRequire(join(dir, 'noop.js')).resolve.paths('x') ?? [])) {
    for (const [scope, pattern] of [
      ['@sfx-deploy', /^provider-(.+)$/],
      ['', /^sfx-provider-(.+)$/],
    ] as const) {
      for (const entry of names(join(modules, scope))) {
        const name = pattern.exec(entry)?.[1];
        if (name === undefined || found.has(name)) continue;
        found.set(name, {
          name,
          package: scope === '' ? entry : `${scope}/${entry}`,
          dir: join(modules, scope, entry),
        });
      }
    }
  }
  return [...found.values()].sort((a, b) => (a.name < b.name ? -1 : 1));
}

/** What `sfx providers` lists. A package that cannot be used is listed with its problem. */
export async function listProviders(projectDir: string, sfxDir: string): Promise<readonly ProviderEntry[]> {
  const entries: ProviderEntry[] = [];
  for (const found of providerPackages([projectDir, sfxDir])) {
    let version = '';
    try {
      version = String(readManifest(found.dir)?.['version'] ?? '');
      const provider = await loadProvider(found.name, projectDir, sfxDir);
      entries.push({
        name: found.name,
        package: found.package,
        version,
        apiVersion: provider.apiVersion,
        capabilities: provider.documented,
      });
    } catch (error) {
      const problem = isSfxError(error) ? `${error.code} ${error.message}` : messageOf(error);
      entries.push({
        name: found.name,
        package: found.package,
        version,
        apiVersion: null,
        capabilities: null,
        problem,
      });
    }
  }
  return entries;
}

function names(dir: string): string[] {
  return existsSync(dir) ? readdirSync(dir) : [];
}
