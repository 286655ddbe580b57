import { type VariableSource, virtual } from './source.js';

/** `${self:custom.table}`: another place of the same file; `${self:}` is all of it. */
export const selfSource: VariableSource = {
  name: 'self',
  read({ address, at }, context) {
    const path = address ? address.split('.') : [];
    // The stage of this command, not the one that the file would have without --stage.
    if (address === 'provider.stage' && context.stage !== undefined) return virtual(context.stage, at, null);
    return context.walk(context.root, path, '');
  },
};
