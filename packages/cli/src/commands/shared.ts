import { readFile, writeFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import type { LoadedConfig, Outcome } from '@sfx-deploy/core';
import { fail, messageOf } from '@sfx-deploy/core/errors';
import { outcomeLines } from '../render/outcome.js';
import type { Context, Given } from './definition.js';

/** Tells how a command that changes a stage ended, and answers its exit code. */
export function tell(context: Context, outcome: Outcome): number {
  const { host } = context;
  if (host.json) host.outcome(outcome);
  else if (outcome.error) host.problem(outcomeLines(outcome, host.errorLook));
  else host.report(outcomeLines(outcome, host.look));
  return outcome.exit;
}

/** Runs `act` with `waitMs` from `--wait`, if it was given. */
export function waitOf(given: Given): { waitMs?: number } {
  const seconds = given.number('wait');
  return seconds === undefined ? {} : { waitMs: seconds * 1000 };
}

/** Names of a list option, also separated by commas; undefined when it was not given. */
export function namesOf(given: Given, option: string): readonly string[] | undefined {
  const names = given
    .list(option)
    .flatMap((text) => text.split(','))
    .filter((name) => name !== '');
  return names.length === 0 ? undefined : names;
}

/** Options to repeat in a command that is shown: where this one was told to go. */
export function flagsOf(given: Given): string {
  return ['config', 'service', 'provider', 'stage', 'region']
    .flatMap((name) => {
      const value = given.text(name);
      return value === undefined
        ? []
        : [`--${name} ${/^[\w./@:-]+$/.test(value) ? value : JSON.stringify(value)}`];
    })
    .join(' ');
}

/** Reads the configuration and tells its warnings as events. */
export async function configOf(context: Context): Promise<LoadedConfig> {
  const core = await context.core();
  return core.loadConfig(context.request(), await context.run());
}

export async function readText(context: Context, file: string): Promise<string> {
  if (file === '-') return context.io.readInput();
  try {
    return await readFile(resolve(context.io.cwd, file), 'utf8');
  } catch (error) {
    throw fail('SFX1007', `${file} cannot be read: ${messageOf(error)}`, { cause: error });
  }
}

export async function writeText(context: Context, file: string, text: string): Promise<void> {
  try {
    await writeFile(resolve(context.io.cwd, file), text);
  } catch (error) {
    throw fail('SFX1007', `${file} cannot be written: ${messageOf(error)}`, { cause: error });
  }
}
