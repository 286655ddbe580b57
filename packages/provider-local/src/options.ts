import { homedir } from 'node:os';
import { isAbsolute, join, resolve } from 'node:path';
import { fail, type Json, type JsonObject, parseDuration, type Run } from '@sfx-deploy/plugin';
import type { EngineSettings } from './wire.js';

export const DEFAULT_PORT = 4100;
const MOST_BLANKS = 16;

/** JSON Schema of `provider:`'s own keys; the same as schemas/providers/local.schema.json. */
export const schema: Json = {
  $schema: 'https://json-schema.org/draft/2020-12/schema',
  title: 'Keys of `provider:` for the local engine',
  type: 'object',
  properties: {
    port: {
      type: 'integer',
      minimum: 1,
      maximum: 65535,
      description: 'Port of the engine on 127.0.0.1. Default 4100, or SFX_LOCAL_PORT.',
    },
    isolation: {
      enum: ['thread', 'process'],
      description:
        'What keeps instances of Node.js handlers apart; a function may say otherwise. Default thread.',
    },
    blanks: {
      type: 'integer',
      minimum: 0,
      maximum: 16,
      description: 'Instances that are started before a function needs one. Default 1, or SFX_LOCAL_BLANKS.',
    },
    idle: {
      type: ['integer', 'string'],
      minimum: 0,
      pattern: '^[0-9]+(\\.[0-9]+)?(ms|s|m|h|d)?$',
      description: 'How long an instance without calls is kept. Default 5m, or SFX_LOCAL_IDLE.',
    },
    otlp: {
      type: 'string',
      description: 'Address that spans are sent to, as OTLP over HTTP: http://127.0.0.1:4318. Default: none.',
    },
  },
};

/** `SFX_LOCAL_HOME`, default `~/.sfx/local`. Throws SFX6005 when it is not an absolute path. */
export function homeOf(env: Run['env']): string {
  const named = env['SFX_LOCAL_HOME'];
  if (named === undefined || named === '') return join(homedir(), '.sfx', 'local');
  if (!isAbsolute(named)) {
    throw fail('SFX6005', `SFX_LOCAL_HOME is not an absolute path: ${named}`, {
      hint: 'Name a folder from the root on, so that every command means the same one.',
    });
  }
  return resolve(named);
}

/** The engine that a command means, and how it starts. The environment wins over `provider:`. Errors: SFX6005, SFX6010. */
export function settingsOf(options: JsonObject, env: Run['env']): EngineSettings {
  const home = homeOf(env);
  const rest = { ...otlpOf(options['otlp']), ...blanksOf(options, env), ...idleOf(options, env) };
  const named = env['SFX_LOCAL_PORT'];
  if (named !== undefined && named !== '')
    return { home, port: portOf(named, 'SFX_LOCAL_PORT'), explicit: true, ...rest };
  const port = options['port'];
  if (port !== undefined && port !== null)
    return { home, port: portOf(String(port), 'provider.port'), explicit: true, ...rest };
  return { home, port: DEFAULT_PORT, explicit: false, ...rest };
}

/** Without a user in it: it is told to the engine where other users of the machine can read it. */
function otlpOf(value: Json | undefined): Pick<EngineSettings, 'otlp'> {
  if (value === undefined || value === null || value === '') return {};
  const url = URL.canParse(String(value)) ? new URL(String(value)) : undefined;
  if (url === undefined || !/^https?:$/.test(url.protocol) || url.username !== '' || url.password !== '')
    throw fail('SFX6010', 'provider.otlp is not an address: http://host:4318 without a user is needed', {
      hint: 'What opens the collector belongs into OTEL_EXPORTER_OTLP_HEADERS.',
    });
  return { otlp: String(value) };
}

function blanksOf(options: JsonObject, env: Run['env']): Pick<EngineSettings, 'blanks'> {
  const text = given(env['SFX_LOCAL_BLANKS'], options['blanks']);
  if (text === undefined) return {};
  if (/^\d+$/.test(text) && Number(text) <= MOST_BLANKS) return { blanks: Number(text) };
  throw fail('SFX6010', `not a number of blanks: ${text}; 0 to ${MOST_BLANKS} are possible`);
}

function idleOf(options: JsonObject, env: Run['env']): Pick<EngineSettings, 'idleMs'> {
  const text = given(env['SFX_LOCAL_IDLE'], options['idle']);
  if (text === undefined) return {};
  const idleMs = parseDuration(text);
  if (idleMs !== undefined) return { idleMs };
  throw fail('SFX6010', `not a time that an idle instance is kept: ${text}; say 30s or 5m`);
}

/** The environment wins over the file. */
function given(named: string | undefined, written: Json | undefined): string | undefined {
  if (named !== undefined && named !== '') return named;
  return written === undefined || written === null ? undefined : String(written);
}

function portOf(text: string, from: string): number {
  const port = Number(text);
  if (Number.isInteger(port) && port >= 1 && port <= 65535) return port;
  throw fail('SFX6010', `${from} is not a port: a number from 1 to 65535 is needed`);
}
