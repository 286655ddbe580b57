import { activations } from './activations.js';
import { adopt } from './adopt.js';
import { compile } from './compile.js';
import type { Command } from './definition.js';
import { deploy } from './deploy.js';
import { dev } from './dev.js';
import { explain } from './explain.js';
import { init } from './init.js';
import { invoke } from './invoke.js';
import { local } from './local.js';
import { logs } from './logs.js';
import { packageCommand } from './package.js';
import { plan } from './plan.js';
import { print } from './print.js';
import { promote } from './promote.js';
import { providers } from './providers.js';
import { releases } from './releases.js';
import { remove } from './remove.js';
import { resume } from './resume.js';
import { rollback } from './rollback.js';
import { status } from './status.js';
import { test } from './test.js';
import { validate } from './validate.js';

/** In the order in which help shows them. */
export const commands: readonly Command[] = [
  init,
  validate,
  print,
  compile,
  packageCommand,
  dev,
  test,
  plan,
  deploy,
  promote,
  rollback,
  resume,
  adopt,
  remove,
  status,
  releases,
  invoke,
  activations,
  logs,
  local,
  providers,
  explain,
];
