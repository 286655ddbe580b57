import { needsAddress, type VariableSource, virtual } from './source.js';

/** Options that say where to deploy: no secrets, so they may be shown. */
const SHOWN: readonly string[] = ['stage', 'region'];

/** `${opt:name}`: an option of the command line; `${opt:stage}` is the stage however it was chosen. */
export const optSource: VariableSource = {
  name: 'opt',
  read(request, { options, stage }) {
    const name = request.address;
    if (!name) return needsAddress(request, '${opt:stage}');
    if (name === 'stage' && stage !== undefined) return virtual(stage, request.at, null);
    const value = Object.hasOwn(options, name) ? options[name] : undefined;
    if (value === undefined) return { missing: `--${request.secret ? '…' : name} was not passed` };
    return virtual(value, request.at, SHOWN.includes(name) ? null : `\${${request.shown}}`);
  },
};
