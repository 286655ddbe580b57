import { needsAddress, type VariableSource, virtual } from './source.js';

/** `${env:NAME}`: a variable of the environment in which sfx runs. */
export const envSource: VariableSource = {
  name: 'env',
  read(request, { env }) {
    const name = request.address;
    if (!name) return needsAddress(request, '${env:NAME}');
    const value = Object.hasOwn(env, name) ? env[name] : undefined;
    if (value === undefined) return { missing: `it is not set in the environment` };
    return virtual(value, request.at, `\${${request.shown}}`);
  },
};
