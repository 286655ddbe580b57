import { envSource } from './env.js';
import { fileSource } from './file.js';
import { optSource } from './opt.js';
import { paramSource } from './param.js';
import { selfSource } from './self.js';
import { slsSource } from './sls.js';
import type { VariableSource } from './source.js';
import { strToBoolSource } from './str-to-bool.js';

/** Where `${name:…}` may take values from. A further source is one more file and one more line here. */
export const builtInSources: readonly VariableSource[] = [
  selfSource,
  optSource,
  envSource,
  fileSource,
  paramSource,
  slsSource,
  strToBoolSource,
];
