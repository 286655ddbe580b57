import { homedir } from 'node:os';
import { isAbsolute, join, resolve } from 'node:path';
import { fail, type Json, type JsonObject, type Run } from '@sfx-deploy/plugin';
import type { EngineSettings } from './wire.js';

export const DEFAULT_PORT = 4100;

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
      description: 'How long an instance without calls is kept. Default 5m.',
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

/** The home and port that a command means. SFX_LOCAL_PORT wins over `provider.port`. Errors: SFX6005, SFX6010. */
export function settingsOf(options: JsonObject, env: Run['env']): EngineSettings {
  const home = homeOf(env);
  const rest = { ...otlpOf(options['otlp']) };
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

function portOf(text: string, from: string): number {
  const port = Number(text);
  if (Number.isInteger(port) && port >= 1 && port <= 65535) return port;
  throw fail('SFX6010', `${from} is not a port: a number from 1 to 65535 is needed`);
}
